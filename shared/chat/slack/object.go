package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// object is a JSON object whose keys are what they are. Structs are not used to read what Slack sends: encoding/json would take
// "Team_ID" for team_id, and the last of two equal keys.
type object map[string]json.RawMessage

// parseObject reads one object, and nothing behind it. Two keys that differ by case alone are an error.
func parseObject(raw []byte) (object, error) {
	if !json.Valid(raw) { // a Decoder by itself would not look at what follows the object
		return nil, errors.New("it is no JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	o, seen := object{}, map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, errors.New("it is no JSON object")
		}
		fold := strings.ToLower(key)
		if seen[fold] {
			return nil, errors.New("a key stands in it twice")
		}
		seen[fold] = true
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, errors.New("it is no JSON object")
		}
		o[key] = v
	}
	return o, nil
}

// text returns a string; "" where there is none, or something else.
func (o object) text(key string) string {
	var s string
	if json.Unmarshal(o[key], &s) != nil {
		return ""
	}
	return s
}

// first returns the first of the strings that is there.
func (o object) first(keys ...string) string {
	for _, key := range keys {
		if s := o.text(key); s != "" {
			return s
		}
	}
	return ""
}

func (o object) flag(key string) bool {
	var b bool
	return json.Unmarshal(o[key], &b) == nil && b
}

// in returns an object inside; an empty one where there is none, or where it cannot be read.
func (o object) in(key string) object {
	inner, err := parseObject(o[key])
	if err != nil {
		return object{}
	}
	return inner
}

// list returns the objects of an array; those that cannot be read are empty.
func (o object) list(key string) []object {
	var raws []json.RawMessage
	if json.Unmarshal(o[key], &raws) != nil {
		return nil
	}
	all := make([]object, len(raws))
	for i, raw := range raws {
		if inner, err := parseObject(raw); err == nil {
			all[i] = inner
		}
	}
	return all
}

// parseForm reads a form in which no field stands twice.
func parseForm(raw []byte) (map[string]string, error) {
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, errors.New("it is no form")
	}
	form := make(map[string]string, len(values))
	for name, all := range values {
		if len(all) != 1 {
			return nil, fmt.Errorf("field %q stands in it %d times", clip(name), len(all))
		}
		form[name] = all[0]
	}
	return form, nil
}
