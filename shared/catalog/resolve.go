package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/drill"
)

// Resolve checks given values against the plan's parameters and puts them into the plan's block. It returns all
// parameters, defaults included, and the block with every `${name}` replaced; a text that is nothing but `${name}`
// becomes the value in its own type. Texts, as chat sends them, are converted. An int is an int, a number a float64, a
// duration the text as given, a secret its reference. Each of known, if there is one, must know the name of a secret
// ("tencent" of "secret:tencent"). The error lists every mistake and can be shown to the person who asked.
func Resolve(plan drill.Plan, given map[string]any, known ...func(secret string) bool) (parameters, block map[string]any, err error) {
	var wrong []error
	parameters = make(map[string]any, len(plan.Parameters))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := plan.Parameters[name]; !ok {
			wrong = append(wrong, undeclared(plan, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plan.Parameters)) {
		p := plan.Parameters[name]
		v, ok := given[name]
		if !ok {
			v, ok = p.Default, p.Default != nil
		}
		if !ok {
			wrong = append(wrong, fmt.Errorf("parameter %s has no default: give %s=…", name, name))
			continue
		}
		got, err := convert(p, v)
		if err == nil && p.Type == typeSecret {
			err = unknownSecret(got.(string), known)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("parameter %s: %w", name, err))
			continue
		}
		parameters[name] = got
	}
	if len(wrong) > 0 {
		return nil, nil, errors.Join(wrong...)
	}
	if err := tellable(plan, parameters); err != nil {
		return nil, nil, err
	}
	filled, err := fill(plan.Block, parameters)
	if err != nil {
		return nil, nil, fmt.Errorf("block %s of %s: %w", plan.Service, plan.Name, err)
	}
	return parameters, filled.(map[string]any), nil
}

func unknownSecret(reference string, known []func(string) bool) error {
	for _, knows := range known {
		if knows != nil && !knows(strings.TrimPrefix(reference, "secret:")) {
			return fmt.Errorf("no secret is called %s", reference)
		}
	}
	return nil
}

func undeclared(plan drill.Plan, name string) error {
	if plan.Service == drill.FIS {
		return fmt.Errorf("%s has no parameter %q: %s", plan.Name, name, fisTakesNone)
	}
	declared := slices.Sorted(maps.Keys(plan.Parameters))
	if len(declared) == 0 {
		return fmt.Errorf("%s has no parameter %q: it declares none", plan.Name, name)
	}
	hint := ""
	if near := nearest(name, declared); len(near) > 0 {
		hint = "; did you mean " + near[0] + "?"
	}
	return fmt.Errorf("%s has no parameter %q: it declares %s%s", plan.Name, name, strings.Join(declared, ", "), hint)
}

// convert reads a value as the parameter's type and holds it to the parameter's bounds.
func convert(p drill.Parameter, v any) (any, error) {
	got, size, err := typed(p.Type, v)
	if err != nil {
		return nil, err
	}
	unit := ""
	if p.Type == typeDuration {
		unit = " seconds"
	}
	if p.Min != nil && size < *p.Min {
		return nil, fmt.Errorf("%v is less than %s%s", got, number(*p.Min), unit)
	}
	if p.Max != nil && size > *p.Max {
		return nil, fmt.Errorf("%v is more than %s%s", got, number(*p.Max), unit)
	}
	if p.Pattern != "" {
		re, err := regexp.Compile(anchored(p.Pattern))
		if err != nil {
			return nil, fmt.Errorf("the plan's pattern %s: %w", p.Pattern, err)
		}
		if !re.MatchString(got.(string)) {
			return nil, fmt.Errorf("%q does not match %s", got, p.Pattern)
		}
	}
	if len(p.Enum) > 0 && !slices.ContainsFunc(p.Enum, func(one any) bool { return written(one) == written(got) }) {
		words := make([]string, len(p.Enum))
		for i, one := range p.Enum {
			words[i] = written(one)
		}
		if p.Type == typeSecret {
			return nil, errors.New("is not one of the secrets that the plan allows")
		}
		return nil, fmt.Errorf("%v is not one of %s", got, strings.Join(words, ", "))
	}
	return got, nil
}

// typed returns the value in its type, and its size for the bounds.
func typed(kind string, v any) (any, float64, error) {
	text := written(v)
	if n := utf8.RuneCountInString(text); n > maxValue {
		return nil, 0, fmt.Errorf("it has %d characters, at most %d are allowed", n, maxValue)
	}
	switch kind {
	case typeString:
		return text, 0, nil
	case typeInt:
		n, err := strconv.Atoi(text)
		if err != nil || n <= -exact || n >= exact {
			return nil, 0, fmt.Errorf("%q is not a whole number", text)
		}
		return n, float64(n), nil
	case typeNumber:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, 0, fmt.Errorf("%q is not a number", text)
		}
		return f, f, nil
	case typeBool:
		switch strings.ToLower(text) {
		case "true", "yes", "on":
			return true, 0, nil
		case "false", "no", "off":
			return false, 0, nil
		}
		return nil, 0, fmt.Errorf("%q is neither true nor false", text)
	case typeDuration:
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return nil, 0, fmt.Errorf("%q is not a duration; %s", text, rewritten(text))
		}
		return text, d.Seconds(), nil
	case typeSecret:
		if !secret(text) {
			return nil, 0, errors.New("takes a reference such as secret:name, never the secret itself")
		}
		return text, 0, nil
	}
	return nil, 0, fmt.Errorf("the plan's type %q is not known", kind)
}

// written is a value as text: whole numbers without a point or an exponent.
func written(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return number(v)
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
