// Package lenient holds the types that the fields of vendors' replies have: each takes any JSON value, so that one field that
// is not what the documentation says hides nothing of the others. What cannot be read is the zero value.
package lenient

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// Text is a string that a vendor sometimes sends as an object, a list or a number; those are kept as compact JSON.
type Text string

// UnmarshalJSON accepts any JSON value.
func (t *Text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil { // null leaves it empty
		*t = Text(s)
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return err
	}
	*t = Text(b.String())
	return nil
}

// Number is an integer that a vendor sometimes sends as a string. What is no integer reads as 0.
type Number int64

// UnmarshalJSON accepts any JSON value.
func (n *Number) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		*n = Number(v)
		return nil
	}
	*n = 0
	if f, err := strconv.ParseFloat(s, 64); err == nil && f > -1e15 && f < 1e15 {
		*n = Number(f)
	}
	return nil
}

// String is the number in decimal.
func (n Number) String() string { return strconv.FormatInt(int64(n), 10) }

// Flag is a boolean that a vendor sometimes sends as a string.
type Flag bool

// UnmarshalJSON accepts any JSON value; only true and "true", in any case, are true.
func (f *Flag) UnmarshalJSON(data []byte) error {
	*f = Flag(strings.EqualFold(strings.Trim(string(data), `"`), "true"))
	return nil
}

// List is a list that a vendor sometimes sends as a string that holds JSON, as an object with the list inside, or
// as null. What is none of these reads as empty; an element that cannot be read is left out.
type List[T any] []T

// UnmarshalJSON accepts any JSON value.
func (l *List[T]) UnmarshalJSON(data []byte) error {
	*l = nil
	raw, _ := elements(data)
	for _, r := range raw {
		var v T
		if json.Unmarshal(r, &v) == nil {
			*l = append(*l, v)
		}
	}
	return nil
}

// Whole is a list in any of the spellings of List that decides something: what it leaves out is believed not to be there. An element
// that cannot be read, and a value that is no list, are errors.
type Whole[T any] []T

// UnmarshalJSON accepts a list, a string or an object that holds one, and what the vendor sends for none.
func (l *Whole[T]) UnmarshalJSON(data []byte) error {
	*l = nil
	raw, ok := elements(data)
	if !ok {
		return errors.New("not a list")
	}
	for _, r := range raw {
		var v T
		if string(r) == "null" {
			return errors.New("an element of the list is empty")
		}
		if err := json.Unmarshal(r, &v); err != nil {
			return err
		}
		*l = append(*l, v)
	}
	return nil
}

// elements finds the list in a value; false if there is none.
func elements(data []byte) ([]json.RawMessage, bool) {
	var s string
	if json.Unmarshal(data, &s) == nil {
		data = []byte(strings.TrimSpace(s))
	}
	switch string(data) {
	case "", "null", "{}", "无":
		return nil, true
	}
	var raw []json.RawMessage
	if json.Unmarshal(data, &raw) == nil {
		return raw, true
	}
	var inside map[string]json.RawMessage
	if json.Unmarshal(data, &inside) != nil || len(inside) != 1 {
		return nil, false
	}
	for _, v := range inside {
		if json.Unmarshal(v, &raw) != nil {
			return nil, false
		}
	}
	return raw, true
}

// One is an object that a vendor sometimes sends as a list of one. What is neither leaves Value at its zero value.
type One[T any] struct{ Value T }

// UnmarshalJSON accepts any JSON value.
func (o *One[T]) UnmarshalJSON(data []byte) error {
	var v T
	o.Value = v
	if json.Unmarshal(data, &v) == nil {
		o.Value = v
		return nil
	}
	var l List[T]
	if l.UnmarshalJSON(data) == nil && len(l) > 0 {
		o.Value = l[0]
	}
	return nil
}

// Map is an object that a vendor sometimes sends as a string that holds JSON. What is neither reads as empty.
type Map map[string]Text

// UnmarshalJSON accepts any JSON value.
func (m *Map) UnmarshalJSON(data []byte) error {
	*m = nil
	var s string
	if json.Unmarshal(data, &s) == nil {
		data = []byte(s)
	}
	var v map[string]Text
	if json.Unmarshal(data, &v) == nil {
		*m = v
	}
	return nil
}
