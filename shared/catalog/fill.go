package catalog

import (
	"fmt"
	"strings"
)

// piece is a part of a text: plain, or the name of a parameter.
type piece struct{ text, name string }

// pieces takes a text apart at each `${name}`. `$${` stands for a plain `${`.
func pieces(s string) ([]piece, error) {
	var out []piece
	for {
		at := strings.Index(s, "${")
		if at < 0 {
			break
		}
		if at > 0 && s[at-1] == '$' {
			out = append(out, piece{text: s[:at-1] + "${"})
			s = s[at+2:]
			continue
		}
		if at > 0 {
			out = append(out, piece{text: s[:at]})
		}
		end := strings.IndexByte(s[at:], '}')
		if end < 0 {
			return nil, fmt.Errorf("${ is never closed")
		}
		name := s[at+2 : at+end]
		if !parameterName(name) {
			return nil, fmt.Errorf("${%s} is not the name of a parameter", name)
		}
		out = append(out, piece{name: name})
		s = s[at+end+1:]
	}
	if s != "" {
		out = append(out, piece{text: s})
	}
	return out, nil
}

// parameterName reports whether s is letters, digits, - and _ and does not begin with a digit or -.
func parameterName(s string) bool {
	if s == "" || len(s) > maxName || s[0] >= '0' && s[0] <= '9' || s[0] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !alphanumeric(r) && r != '_' && r != '-' })
}

// fill returns a copy of a block with the parameters put in.
func fill(v any, parameters map[string]any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, one := range v {
			got, err := fill(one, parameters)
			if err != nil {
				return nil, err
			}
			out[key] = got
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			got, err := fill(one, parameters)
			if err != nil {
				return nil, err
			}
			out[i] = got
		}
		return out, nil
	case string:
		return fillText(v, parameters)
	}
	return v, nil
}

func fillText(s string, parameters map[string]any) (any, error) {
	all, err := pieces(s)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, p := range all {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		v, ok := parameters[p.name]
		if !ok {
			return nil, fmt.Errorf("${%s} is not declared", p.name)
		}
		if len(all) == 1 {
			return v, nil
		}
		b.WriteString(written(v))
	}
	return b.String(), nil
}
