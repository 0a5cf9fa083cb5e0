package fis

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func fixed(context.Context) (driver.Credentials, error) {
	return driver.Credentials{AccessKey: "A", Secret: wireSecret}, nil
}

// replying answers every request with 200 and the text that body points at.
func replying(body *string) transport {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(*body)), Request: r}, nil
	}
}

func TestCheck(t *testing.T) {
	many := map[string]any{}
	for i := range 39 {
		many[strings.Repeat("k", i+1)] = "v"
	}
	for _, c := range []struct {
		name    string
		block   map[string]any
		timeout time.Duration
		want    []string // none: the block is good
	}{
		{"nothing", nil, time.Hour, []string{"fis.template: required"}},
		{"template that is a number", map[string]any{"template": 7}, time.Hour, []string{"fis.template: required"}},
		{"template with a space", map[string]any{"template": "EXT 1"}, time.Hour, []string{`fis.template: "EXT 1"`}},
		{"no limit", map[string]any{"template": "EXT1"}, 0, []string{"max_duration: the plan is not bounded"}},
		{"13 hours", map[string]any{"template": "EXT1"}, 13 * time.Hour, []string{"max_duration: 13h0m0s is longer"}},
		{"parameters", map[string]any{"template": "EXT1", "parameters": map[string]any{}}, time.Hour, []string{"fis.parameters: remove it: FIS takes this from the experiment template"}},
		{"vendor's name for the template", map[string]any{"template": "EXT1", "experimentTemplateId": "EXT1"}, time.Hour, []string{"fis.experimentTemplateId: write template instead"}},
		{"options of the template", map[string]any{"template": "EXT1", "experimentOptions": map[string]any{"accountTargeting": "x", "actionsMode": "y"}}, time.Hour,
			[]string{"fis.experimentOptions.accountTargeting: remove it", "fis.experimentOptions.actionsMode: y is not a mode"}},
		{"options that are a text", map[string]any{"template": "EXT1", "experimentOptions": "skip-all"}, time.Hour, []string{"fis.experimentOptions: must be a map"}},
		{"mode twice", map[string]any{"template": "EXT1", "actionsMode": "skip-all", "experimentOptions": map[string]any{"actionsMode": "run-all"}}, time.Hour, []string{"fis.experimentOptions: remove it"}},
		{"bounds of the wrong kinds", map[string]any{"template": "EXT1", "targets": map[string]any{"min": -1, "max": 1.5, "most": 3}}, time.Hour,
			[]string{"fis.targets.min: -1", "fis.targets.max: 1.5", "fis.targets.most: unknown field"}},
		{"bounds that are a number", map[string]any{"template": "EXT1", "targets": 12}, time.Hour, []string{"fis.targets: must be a map"}},
		{"bounds upside down", map[string]any{"template": "EXT1", "targets": map[string]any{"min": 3, "max": 1}}, time.Hour, []string{"fis.targets: max 1 is less than min 3"}},
		{"tags that are reserved or odd", map[string]any{"template": "EXT1", "tags": map[string]any{"aws:x": "1", "Firedrill:drill": "2", "q": `"`, "n": 7}}, time.Hour,
			[]string{"fis.tags.aws:x", "fis.tags.Firedrill:drill", "fis.tags.q", "fis.tags.n: must be a text"}},
		{"39 tags", map[string]any{"template": "EXT1", "tags": many}, time.Hour, []string{"fis.tags: 39 are too many"}},
		{"good", map[string]any{"template": "EXTa1b2c3d4e5f6g7", "targets": map[string]any{"min": 1, "max": float64(12)}, "tags": map[string]any{"team": "结账 1"}}, 12 * time.Hour, nil},
		{"good, in the vendor's words", map[string]any{"template": "EXT1", "experimentOptions": map[string]any{"actionsMode": "skip-all"}}, time.Hour, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &Driver{}
			err := d.Check(driver.Request{Block: c.block, Timeout: c.timeout})
			if (err == nil) != (len(c.want) == 0) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) || !errors.Is(err, driver.ErrInvalid) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestClientToken(t *testing.T) {
	r := request()
	same := clientToken(r)
	other, rooted, long, odd, odder := r, r, r, r, r
	other.Token, rooted.Root, long.Token, odd.Token, odder.Token = "d1/preview", "root-2", strings.Repeat("x", 2000), "d 1/火", "d 2/火"
	seen := map[string]bool{}
	for _, token := range []string{same, clientToken(other), clientToken(rooted), clientToken(long), clientToken(odd), clientToken(odder)} {
		if seen[token] || token == "" || len(token) > maxToken || strings.ContainsAny(token, " \t\n") {
			t.Errorf("token %q", token)
		}
		seen[token] = true
	}
	if again := request(); clientToken(again) != same {
		t.Error("the token of a request changes")
	}
}

func FuzzTagText(f *testing.F) {
	for _, s := range []string{"", "结账 🔥", `a "b" <c>`, "\xff\xfe", " x ", strings.Repeat("长", 300), "a\u3000b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := tagText(s, maxTagValue)
		if utf8.RuneCountInString(got) > maxTagValue || tagText(got, maxTagValue) != got || strings.ContainsAny(got, `"'<>&?%`+"\n\t") || !utf8.ValidString(got) {
			t.Errorf("%q gives %q", s, got)
		}
	})
}
