package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// Unambiguous reports whether raw is one JSON value, with nothing after it, in which no object has two keys that encoding/json would take for
// the same: it matches names without regard to case, and the last one wins.
func Unambiguous(raw []byte) bool {
	if !json.Valid(raw) {
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var open nest
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil || !open.take(t) {
			return false
		}
	}
}

// nest is the objects and arrays that a token stands in, the innermost last.
type nest []level

type level struct {
	keys  map[string]bool // nil in an array
	value bool            // in an object: the next token is a value
}

// take goes one token further; false at a key that was there before.
func (n *nest) take(t json.Token) bool {
	if d, is := t.(json.Delim); is && (d == '}' || d == ']') {
		*n = (*n)[:len(*n)-1]
		return true
	}
	if i := len(*n) - 1; i >= 0 && (*n)[i].keys != nil {
		in := &(*n)[i]
		if !in.value {
			name, _ := t.(string)
			name = strings.ToLower(strings.ToUpper(name)) // folds all that encoding/json folds, such as the Kelvin sign
			seen := in.keys[name]
			in.keys[name], in.value = true, true
			return !seen
		}
		in.value = false
	}
	if d, is := t.(json.Delim); is {
		l := level{}
		if d == '{' {
			l.keys = map[string]bool{}
		}
		*n = append(*n, l)
	}
	return true
}
