package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of one file. An alias counts as what it stands for, so a small file cannot grow without limit.
const (
	maxBytes  = 4 << 20
	maxValues = 1_000_000
	maxDepth  = 100
)

// source is one file and the list that its mistakes go to.
type source struct {
	file     string
	problems *[]Problem
}

func (s *source) wrong(line, column int, field, message, fix string) {
	*s.problems = append(*s.problems, Problem{s.file, max(line, 1), max(column, 1), field, message, fix})
}

// parse reads the file's one document and puts the anchors' values in place of the aliases. It returns false, and
// leaves a mistake, if there is none to be had.
func (s *source) parse(content []byte) (value, bool) {
	if len(content) > maxBytes {
		s.wrong(1, 1, "", fmt.Sprintf("the file has %d bytes or more, at most %d are read", len(content), maxBytes), "split it with include")
		return value{}, false
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && empty(&doc) {
		s.wrong(1, 1, "", "the file is empty", "begin with version: 1 and drills:")
		return value{}, false
	}
	if err != nil {
		s.syntax(content, err)
		return value{}, false
	}
	if err := decoder.Decode(&second); err == nil {
		s.wrong(second.Line, second.Column, "", "a second document begins here", "one file holds one document; remove the --- or use include")
		return value{}, false
	} else if !errors.Is(err, io.EOF) {
		s.syntax(content, err)
		return value{}, false
	}
	left := maxValues
	if bad := unalias(&doc, 0, &left); bad != nil {
		s.wrong(bad.Line, bad.Column, "", fmt.Sprintf("nested deeper than %d, or more than %d values once aliases are put in", maxDepth, maxValues), "use fewer aliases")
		return value{}, false
	}
	return value{src: s, node: doc.Content[0]}, true
}

func empty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].ShortTag() == "!!null"
}

// unalias replaces aliases by what they stand for. It returns the node at which a bound was passed; a value that
// contains itself passes maxDepth.
func unalias(n *yaml.Node, depth int, left *int) *yaml.Node {
	*left--
	if depth > maxDepth || *left < 0 {
		return n
	}
	for i, c := range n.Content {
		if c.Kind == yaml.AliasNode {
			c = c.Alias
			n.Content[i] = c
		}
		if bad := unalias(c, depth+1, left); bad != nil {
			return bad
		}
	}
	return nil
}

// syntax words an error of the YAML library, which has the line in its text only.
func (s *source) syntax(content []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if line, column := tabbed(content); line > 0 {
		s.wrong(line, column, "", "a tab in the indentation ("+text+")", "indent with spaces")
		return
	}
	line := 1
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, message, found := strings.Cut(rest, ": ")
		if n, bad := strconv.Atoi(number); bad == nil && found {
			line, text = n, message
		}
		if fromParser(text) {
			line++
		}
	}
	column := 1
	if rest, ok := strings.CutPrefix(text, "unknown anchor '"); ok {
		anchor, _, _ := strings.Cut(rest, "'")
		if at := bytes.Index(content, []byte("*"+anchor)); at >= 0 {
			line = bytes.Count(content[:at], []byte("\n")) + 1
			column = at - bytes.LastIndexByte(content[:at], '\n')
		}
	}
	s.wrong(line, column, "", "not YAML: "+text, "look at what begins here")
}

// fromParser reports whether the library's parser said this, and not its scanner: the parser counts lines from 0.
func fromParser(text string) bool {
	rest, ok := strings.CutPrefix(text, "did not find expected ")
	return ok && slices.ContainsFunc([]string{"<", "node content", "'-' indicator", "key", "',' or"}, func(p string) bool { return strings.HasPrefix(rest, p) })
}

// tabbed finds the first line that is indented with a tab.
func tabbed(content []byte) (line, column int) {
	for i, l := range bytes.Split(content, []byte("\n")) {
		indent := l[:len(l)-len(bytes.TrimLeft(l, " \t"))]
		if at := bytes.IndexByte(indent, '\t'); at >= 0 && len(indent) < len(l) {
			return i + 1, at + 1
		}
	}
	return 0, 0
}
