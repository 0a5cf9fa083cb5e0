package oos

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	modeAutomatic = "Automatic"
	modeDebug     = "Debug"
	modeFailure   = "FailurePause"
	checkConfirm  = "ConfirmEveryHighRiskAction"
	checkSkip     = "Skip"
)

// block is the plan's block for this service, read and checked.
type block struct {
	Template, Version, Content, URL string
	Parameters                      map[string]any
	Inherit                         map[string]any // of a recovery: the main run's parameters, as far as the template takes them
	Mode, LoopMode, SafetyCheck     string
	Description, ResourceGroup      string
	Tags                            map[string]string
	Recovery                        *block
}

func fields() []string {
	return []string{"template", "version", "template_content", "template_url", "parameters", "mode", "loop_mode", "safety_check", "description", "tags", "resource_group", "recovery", "unbounded"}
}

func recoveryFields() []string {
	return []string{"template", "version", "template_content", "template_url", "parameters", "inherit", "mode", "safety_check", "description", "tags", "resource_group"}
}

var namePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`) })

// Check validates the plan's block; the error lists every mistake and names its field.
func (d *Driver) Check(r driver.Request) error {
	_, err := parse(r)
	return err
}

// parse reads the block of a request. A recovery request has the block that Recovery made.
func parse(r driver.Request) (block, error) {
	p := parser{at: "oos"}
	known := fields()
	if r.Role == drill.Recovery {
		known = recoveryFields()
	}
	b := p.block(r.Block, known)
	if len(p.bad) > 0 {
		return b, fmt.Errorf("%w: %w", driver.ErrInvalid, errors.Join(p.bad...))
	}
	b.defaults(r.Role == drill.Recovery)
	return b, nil
}

func (b *block) defaults(recovery bool) {
	if b.Mode == "" {
		b.Mode = modeAutomatic
	}
	if b.SafetyCheck == "" {
		b.SafetyCheck = checkConfirm
		if recovery {
			b.SafetyCheck = checkSkip
		}
	}
}

// parser collects mistakes.
type parser struct {
	at  string
	bad []error
}

func (p *parser) fail(field, format string, args ...any) {
	p.bad = append(p.bad, fmt.Errorf("%s.%s: %s", p.at, field, fmt.Sprintf(format, args...)))
}

func (p *parser) block(m map[string]any, known []string) block {
	p.unknown(m, known)
	b := block{
		Template: p.text(m, "template"), Version: p.text(m, "version"), Content: p.text(m, "template_content"), URL: p.text(m, "template_url"),
		Parameters: p.object(m, "parameters"), Inherit: p.object(m, "inherit"),
		Mode: p.oneOf(m, "mode", modeAutomatic, modeFailure, modeDebug), LoopMode: p.oneOf(m, "loop_mode", modeAutomatic, "FirstBatchPause", "EveryBatchPause"),
		SafetyCheck: p.oneOf(m, "safety_check", checkConfirm, checkSkip), Description: p.text(m, "description"), ResourceGroup: p.text(m, "resource_group"),
	}
	_ = p.text(m, "unbounded") // an explanation for readers; the plan's own field of that name is the one that counts
	p.source(b)
	if b.SafetyCheck == checkSkip && b.Mode != "" && b.Mode != modeAutomatic {
		p.fail("safety_check", "Skip is valid with mode Automatic only; use ConfirmEveryHighRiskAction, or leave it out")
	}
	b.Tags = p.tags(m)
	if m["recovery"] != nil && slices.Contains(known, "recovery") {
		sub := parser{at: p.at + ".recovery"}
		rb := sub.block(p.object(m, "recovery"), slices.DeleteFunc(recoveryFields(), func(f string) bool { return f == "inherit" })) // ours alone
		b.Recovery = &rb
		p.bad = append(p.bad, sub.bad...)
	}
	return b
}

// source checks that exactly one template is named.
func (p *parser) source(b block) {
	n := 0
	for _, s := range []string{b.Template, b.Content, b.URL} {
		if s != "" {
			n++
		}
	}
	switch {
	case n == 0:
		p.fail("template", "is missing; give the name of a template, or template_content, or template_url")
	case n > 1:
		p.fail("template", "give only one of template, template_content and template_url")
	}
	if b.Template != "" && !namePattern().MatchString(b.Template) {
		p.fail("template", "%q is no template name; up to 200 letters, digits, - and _", cut(b.Template, 40))
	}
	if b.Version != "" && b.Template == "" {
		p.fail("version", "goes with template only; remove it")
	}
	if b.URL != "" && !strings.HasPrefix(b.URL, "https://") {
		p.fail("template_url", "want a URL that begins with https://")
	}
}

func (p *parser) unknown(m map[string]any, known []string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if slices.Contains(known, k) {
			continue
		}
		fold := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
		fix := "remove it; the fields are " + strings.Join(known, ", ")
		for _, f := range known {
			if a, b := fold(k), fold(f); a == b || strings.HasPrefix(a, b) || strings.HasPrefix(b, a) || strings.HasSuffix(a, b) {
				fix = "did you mean " + f + "?"
				break
			}
		}
		p.fail(k, "is not a field; %s", fix)
	}
}

func (p *parser) text(m map[string]any, field string) string {
	switch v := m[field].(type) {
	case nil:
		return ""
	case string:
		return v
	case int, int64, float64, json.Number:
		return fmt.Sprint(v)
	}
	p.fail(field, "want a text")
	return ""
}

func (p *parser) oneOf(m map[string]any, field string, allowed ...string) string {
	v := p.text(m, field)
	if v == "" || slices.Contains(allowed, v) {
		return v
	}
	for _, a := range allowed {
		if strings.EqualFold(a, v) {
			p.fail(field, "%q is spelled %s", v, a)
			return ""
		}
	}
	p.fail(field, "%q is not one of %s", cut(v, 40), strings.Join(allowed, ", "))
	return ""
}

func (p *parser) object(m map[string]any, field string) map[string]any {
	switch v := m[field].(type) {
	case nil:
		return nil
	case map[string]any:
		return v
	}
	p.fail(field, "want a mapping of names to values")
	return nil
}

// tags reads the plan's own tags; three more are ours, and the vendor takes 20.
func (p *parser) tags(m map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range p.object(m, "tags") {
		s, ok := v.(string)
		switch {
		case !ok:
			p.fail("tags", "the value of %q is no text; put it in quotes", k)
		case strings.HasPrefix(k, tagPrefix), strings.HasPrefix(k, "aliyun"), strings.HasPrefix(k, "acs:"):
			p.fail("tags", "%q begins with a reserved prefix", k)
		case len([]rune(k)) > 128 || len([]rune(s)) > 128:
			p.fail("tags", "%q is longer than 128 characters", cut(k, 40))
		default:
			out[k] = s
		}
	}
	if len(out) > 16 {
		p.fail("tags", "%d tags are too many; 16 at most, since 20 are allowed and four are ours", len(out))
	}
	return out
}

// Recovery derives the request of the run that undoes the main one; ok is false if the plan names none. A recovery without
// parameters takes those of the main run, as far as its template declares them; one with parameters takes exactly these,
// and so needs no read of its template before it starts.
func (d *Driver) Recovery(r driver.Request) (driver.Request, bool) {
	m, ok := r.Block["recovery"].(map[string]any)
	if !ok {
		return driver.Request{}, false
	}
	out := r
	out.Role, out.Token, out.Prepared, out.Seen = drill.Recovery, r.Drill+"/"+string(drill.Recovery), nil, nil
	out.Block = maps.Clone(m)
	if main, ok := r.Block["parameters"].(map[string]any); ok && m["parameters"] == nil {
		out.Block["inherit"] = maps.Clone(main)
	}
	return out, true
}
