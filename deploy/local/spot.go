package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// spot is a place in a file: the zero value is nowhere.
type spot struct {
	file string
	node *yaml.Node
}

// spots finds where each plan stands.
func spots(files []string) map[string]spot {
	out := map[string]spot{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // the one that came with the command has no file
		}
		var top struct {
			Drills map[string]yaml.Node `yaml:"drills"`
		}
		_ = yaml.Unmarshal(content, &top) // what it cannot read it leaves out; the catalogue says why
		for name, n := range top.Drills {
			if _, twice := out[name]; !twice {
				out[name] = spot{file, &n}
			}
		}
	}
	return out
}

// fieldPattern is how a driver's mistake begins: with the field, as a path within the block or within the plan.
var fieldPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_:/-]+|\[[0-9]+\])*): `)
})

// finding gives a driver's mistake the place of its field, or of what is left of the way there.
func (s spot) finding(p drill.Plan, wrong error) finding {
	text := strings.TrimPrefix(wrong.Error(), driver.ErrInvalid.Error()+": ")
	field := string(p.Service)
	if m := fieldPattern().FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		field = m[1]
		if field != maxDuration && field != string(p.Service) && !strings.HasPrefix(field, string(p.Service)+".") {
			field = string(p.Service) + "." + field
		}
	}
	f := finding{Field: "drills." + p.Name + "." + field, Message: text}
	if s.node != nil {
		n := deepest(s.node, strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' }))
		f.File, f.Line, f.Column = s.file, n.Line, n.Column
	}
	return f
}

// maxDuration is the one field outside of the block that drivers have an opinion about.
const maxDuration = "max_duration"

// deepest follows the path as far as the file has it.
func deepest(n *yaml.Node, path []string) *yaml.Node {
	for len(path) > 0 {
		next := child(n, path[0])
		if next == nil {
			break
		}
		n, path = next, path[1:]
	}
	return n
}

func child(n *yaml.Node, name string) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if i, err := strconv.Atoi(name); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
		return n.Content[i]
	}
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}
