package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a catalogue.
type Problem struct {
	File         string
	Line, Column int    // from 1
	Field        string // drills.cart-cpu.max_duration; "" for the file as a whole
	Message      string // what is wrong
	Fix          string // what to write instead; may be empty
}

// String returns the mistake on one line: `drills.yaml:12:5: drills.cart-cpu.max_duration: "30 minutes" is not a
// duration; write 30m`.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	if p.Fix != "" {
		b.WriteString("; " + p.Fix)
	}
	return b.String()
}

// Problems are all mistakes of a catalogue, in the order of files and lines. It is the error of Load and Parse.
type Problems []Problem

// Error returns the mistakes, one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders the mistakes by the order in which files were read, then by place.
func sorted(problems []Problem, files []string) Problems {
	at := make(map[string]int, len(files))
	for i, f := range files {
		at[f] = i
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if d := at[a.File] - at[b.File]; d != 0 {
			return d
		}
		if d := a.Line - b.Line; d != 0 {
			return d
		}
		return a.Column - b.Column
	})
	return problems
}
