package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// strict refuses what two readers of the same bytes could understand differently: invalid UTF-8, a key that an object
// has twice, keys of the outermost object that differ only in case (encoding/json takes both for the same field), and
// anything but exactly one document.
func strict(b []byte) error {
	if !utf8.Valid(b) {
		return errors.New("not valid UTF-8")
	}
	if !json.Valid(b) {
		return errors.New("not one valid json document")
	}
	s := scan{keys: make([][]byte, 0, 32), open: make([]int, 0, 8)}
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{':
			s.open, s.key = append(s.open, len(s.keys)), true
		case '[':
			s.open, s.key = append(s.open, inArray), false
		case ',':
			s.key = s.open[len(s.open)-1] != inArray
		case '}', ']':
			if err := s.close(); err != nil {
				return err
			}
		case '"':
			end := i + stringEnd(b[i:])
			if s.key {
				s.keys, s.key = append(s.keys, s.plain(b[i:end])), false
			}
			i = end - 1
		}
	}
	return nil
}

// inArray stands in scan.open for an array.
const inArray = -1

// scan is what strict knows while it walks over a document that is known to be valid.
type scan struct {
	keys [][]byte // of the open objects, outermost first
	open []int    // per open object the index of its first key, or inArray
	key  bool     // the next string is a key
}

// close ends the innermost object or array and reports a key that the object had twice.
func (s *scan) close() error {
	from := s.open[len(s.open)-1]
	s.open, s.key = s.open[:len(s.open)-1], false
	if from == inArray {
		return nil
	}
	mine := s.keys[from:]
	slices.SortFunc(mine, bytes.Compare)
	for i := 1; i < len(mine); i++ {
		if bytes.Equal(mine[i-1], mine[i]) {
			return fmt.Errorf("key %q stands twice in one object", mine[i])
		}
	}
	s.keys = s.keys[:from]
	return nil
}

// plain returns a key without quotes and escapes, and in the outermost object without regard to case.
func (s *scan) plain(quoted []byte) []byte {
	k := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(k, '\\') >= 0 {
		var text string
		if err := json.Unmarshal(quoted, &text); err == nil {
			k = []byte(text)
		}
	}
	if len(s.open) > 1 || !bytes.ContainsFunc(k, func(r rune) bool { return r > 'z' || 'A' <= r && r <= 'Z' }) {
		return k
	}
	return bytes.ToLower(bytes.ToUpper(k))
}

// stringEnd returns the length of the quoted string that b, part of a valid document, begins with.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}
