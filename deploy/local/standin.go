package main

import (
	"math"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// guesses are what a text without a pattern may stand for: a name, a number, a duration as Alibaba writes it.
func guesses() []string { return []string{"x", "1", "PT1M"} }

// standIns makes up values for the parameters that have no default, so that a plan's block can be checked before anybody gave them.
func standIns(p drill.Plan, guess string) map[string]any {
	out := map[string]any{}
	for name, param := range p.Parameters {
		if param.Default == nil {
			out[name] = standIn(param, guess)
		}
	}
	return out
}

func standIn(p drill.Parameter, guess string) any {
	if len(p.Enum) > 0 {
		return p.Enum[0]
	}
	switch p.Type {
	case "int":
		return int(math.Ceil(within(p, 1)))
	case "number":
		return within(p, 1)
	case "bool":
		return true
	case "duration":
		return time.Duration(within(p, 60) * float64(time.Second)).String()
	case "secret":
		return "secret:stand-in"
	}
	if p.Pattern == "" {
		return guess
	}
	re, err := syntax.Parse(p.Pattern, syntax.Perl)
	if err != nil {
		return guess
	}
	var b strings.Builder
	example(&b, re.Simplify())
	return b.String()
}

// within returns the value, or the bound of the parameter that it exceeds.
func within(p drill.Parameter, v float64) float64 {
	if p.Min != nil {
		v = max(v, *p.Min)
	}
	if p.Max != nil {
		v = min(v, *p.Max)
	}
	return v
}

// example writes a short text that a simplified pattern matches.
func example(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		if len(re.Rune) > 0 {
			b.WriteRune(re.Rune[0])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpPlus, syntax.OpCapture, syntax.OpAlternate:
		example(b, re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			example(b, sub)
		}
	}
}
