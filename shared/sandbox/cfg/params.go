package cfg

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// obj is a JSON object on its way out.
type obj = map[string]any

// apiError is an error in Tencent's shape: it travels in an HTTP 200.
type apiError struct{ code, message string }

func fail(code, format string, args ...any) *apiError {
	return &apiError{code, fmt.Sprintf(format, args...)}
}

// params reads a request's body and remembers the first mistake. Numbers may come as strings, as the vendor's own
// examples send them.
type params struct {
	m   map[string]any
	err *apiError
	lie bool // answer success and do nothing, where the call stops something
}

func parse(body []byte) *params {
	p := &params{m: map[string]any{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return p
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&p.m); err != nil || p.m == nil {
		p.m = map[string]any{}
		p.err = fail("InvalidRequest", "The request body is not a JSON object.")
	}
	return p
}

func (p *params) wrong(e *apiError) {
	if p.err == nil {
		p.err = e
	}
}

func (p *params) has(name string) bool { return p.m[name] != nil }

// need records every name that is missing.
func (p *params) need(names ...string) {
	for _, n := range names {
		if !p.has(n) {
			p.wrong(fail("MissingParameter", "The request is missing the parameter `%s`.", n))
		}
	}
}

func number(v any) (int64, bool) {
	var text string
	switch x := v.(type) {
	case json.Number:
		text = x.String()
	case string:
		text = strings.TrimSpace(x)
	default:
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

func (p *params) int(name string) int64 {
	if !p.has(name) {
		return 0
	}
	n, ok := number(p.m[name])
	if !ok {
		p.wrong(fail("InvalidParameter", "The parameter `%s` must be an integer.", name))
	}
	return n
}

func (p *params) str(name string) string {
	if !p.has(name) {
		return ""
	}
	s, ok := p.m[name].(string)
	if !ok {
		p.wrong(fail("InvalidParameter", "The parameter `%s` must be a string.", name))
	}
	return s
}

func (p *params) bool(name string) bool {
	switch v := p.m[name].(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
	}
	p.wrong(fail("InvalidParameter", "The parameter `%s` must be a boolean.", name))
	return false
}

func (p *params) list(name string) []any {
	if !p.has(name) {
		return nil
	}
	l, ok := p.m[name].([]any)
	if !ok {
		p.wrong(fail("InvalidParameter", "The parameter `%s` must be an array.", name))
	}
	return l
}

func (p *params) strs(name string) []string {
	var out []string
	for _, v := range p.list(name) {
		s, ok := v.(string)
		if !ok {
			p.wrong(fail("InvalidParameter", "The parameter `%s` must be an array of strings.", name))
		}
		out = append(out, s)
	}
	return out
}

func (p *params) ints(name string) []int64 {
	var out []int64
	for _, v := range p.list(name) {
		n, ok := number(v)
		if !ok {
			p.wrong(fail("InvalidParameter", "The parameter `%s` must be an array of integers.", name))
		}
		out = append(out, n)
	}
	return out
}

func (p *params) object(name string) *params {
	if !p.has(name) {
		return &params{m: map[string]any{}}
	}
	m, ok := p.m[name].(map[string]any)
	if !ok {
		p.wrong(fail("InvalidParameter", "The parameter `%s` must be an object.", name))
	}
	return &params{m: m}
}

func (p *params) objects(name string) []*params {
	var out []*params
	for _, v := range p.list(name) {
		m, ok := v.(map[string]any)
		if !ok {
			p.wrong(fail("InvalidParameter", "The parameter `%s` must be an array of objects.", name))
		}
		out = append(out, &params{m: m})
	}
	return out
}

// adopt takes over the mistake of a nested object.
func (p *params) adopt(inner *params) {
	if inner.err != nil {
		p.wrong(inner.err)
	}
}
