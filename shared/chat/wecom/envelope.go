package wecom

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxEncrypted = 128 << 10 // characters
	maxDepth     = 8
	maxElements  = 512
)

// errUnreadable says that a genuine request is not one of those that are known here.
var errUnreadable = errors.New("this is no message that can be read")

// encrypted returns the text of the one Encrypt element of a body. The rest of the body is not signed and not looked at. It is found
// byte by byte, so that the text that is verified is the text that is used.
func encrypted(body []byte) (string, bool) {
	const begin, end = "<Encrypt>", "</Encrypt>"
	if bytes.Count(body, []byte(begin)) != 1 || bytes.Count(body, []byte(end)) != 1 {
		return "", false
	}
	_, rest, _ := strings.Cut(string(body), begin)
	text, _, found := strings.Cut(rest, end)
	if !found {
		return "", false
	}
	text = strings.Trim(text, " \t\r\n")
	if inner, isCDATA := strings.CutPrefix(text, "<![CDATA["); isCDATA {
		if text, isCDATA = strings.CutSuffix(inner, "]]>"); !isCDATA {
			return "", false
		}
	}
	return text, isBase64(text)
}

// isBase64 looks at the characters alone: the decoder skips line breaks, which a signature should not have to.
func isBase64(s string) bool {
	if s == "" || len(s) > maxEncrypted || len(s)%4 != 0 {
		return false
	}
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == ""
}

// message holds the elements of a decrypted message by their names; nested ones are left out.
type message map[string]string

// parse reads a decrypted message. An element that stands twice is refused: what people type stands between other elements, and must
// not be able to replace the name of who typed it, should it ever come unescaped.
func parse(plain []byte) (message, error) {
	d := xml.NewDecoder(bytes.NewReader(plain))
	m := message{}
	p := parser{m: m}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && len(p.open) == 0 && p.rooted {
			return m, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: it is not the XML that it should be", errUnreadable)
		}
		if err := p.take(t); err != nil {
			return nil, err
		}
	}
}

type parser struct {
	m        message
	open     []string
	rooted   bool
	elements int
	text     strings.Builder
}

func (p *parser) take(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		if len(p.open) == 2 {
			p.m[p.open[1]] = p.text.String()
		}
		p.open = p.open[:len(p.open)-1]
	case xml.CharData:
		if len(p.open) == 2 {
			p.text.Write(t)
		}
		if len(p.open) == 0 && len(bytes.TrimSpace(t)) > 0 {
			return fmt.Errorf("%w: there is text around it", errUnreadable)
		}
	case xml.Directive:
		return fmt.Errorf("%w: it has a document type", errUnreadable)
	}
	return nil
}

func (p *parser) start(t xml.StartElement) error {
	name := t.Name.Local
	if p.elements++; p.elements > maxElements || len(p.open) >= maxDepth {
		return fmt.Errorf("%w: it is too deep, or has too many parts", errUnreadable)
	}
	if len(p.open) == 0 {
		if p.rooted || name != "xml" {
			return fmt.Errorf("%w: it is not one xml element", errUnreadable)
		}
		p.rooted = true
	}
	if len(p.open) == 1 {
		if _, twice := p.m[name]; twice {
			return fmt.Errorf("%w: a part of it stands twice", errUnreadable)
		}
		p.m[name] = ""
		p.text.Reset()
	}
	p.open = append(p.open, name)
	return nil
}

// userID reports whether s is a member's id: 1 to 64 of letters, digits and "_-@.".
func userID(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '@' {
		return false
	}
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return !alnum(c) && !strings.ContainsRune("_-@.", rune(c)) })
}

func alnum(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// digits reports whether s has 1 to n digits and nothing else.
func digits(s string, n int) bool {
	return s != "" && len(s) <= n && strings.Trim(s, "0123456789") == ""
}
