package feishu

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// unique reports whether raw is one JSON value, with nothing after it, in which no object has two keys that encoding/json would take for
// the same: it matches names without regard to case, and the last one wins.
func unique(raw []byte) bool {
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

// encode writes JSON as it reads best: without the escapes that only browsers need.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// validID reports whether s may stand in an address, a path and a principal: Feishu's ids are letters, digits and underscores.
func validID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	return strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == ""
}
