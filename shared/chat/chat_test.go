package chat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/local"
)

func TestParseAddress_SaysWhatIsWrongAndHidesSecrets(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing":                   {"", "no platform"},
		"no platform":               {"checkout", "no platform"},
		"an unknown platform":       {"icq:123", `unknown platform "icq"`},
		"a bare URL":                {"https://hunter2.example.com/x", "unknown platform"},
		"a webhook without URL":     {"webhook:", "https"},
		"a webhook over ftp":        {"webhook:ftp://example.com/hunter2", "https"},
		"a webhook without host":    {"webhook:https:///hunter2", "no host"},
		"a webhook with a user":     {"webhook:https://u:hunter2@example.com/", "user name"},
		"a webhook with fragment":   {"webhook:https://example.com/#hunter2", "fragment"},
		"a webhook with a space":    {"webhook:https://example.com/a hunter2", "control character"},
		"a webhook no URL":          {"webhook:https://[hunter2", "not a URL"},
		"slack without a channel":   {"slack:T123", "slack:tenant/channel"},
		"slack without a tenant":    {"slack:/C1", "slack:tenant/channel"},
		"a line break":              {"slack:T/C\nx", "control character"},
		"far too long":              {"webhook:https://example.com/" + strings.Repeat("x", 3000), "bytes"},
		"a platform that is a tale": {strings.Repeat("x", 500) + ":y", "unknown platform"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := chat.ParseAddress(c.in)
			if !errors.Is(err, chat.ErrAddress) {
				t.Fatalf("got %v, %v", a, err)
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 400 {
				t.Errorf("error %q, want %q in it and no secret", err, c.want)
			}
		})
	}
}

func TestParseAddress_ReadsPlatformAndPlace(t *testing.T) {
	for in, want := range map[string]struct{ platform, place, shown string }{
		"local:":                           {"local", "", "local:"},
		"log:checkout":                     {"local", "checkout", "local:checkout"},
		"slack:T123/C0123":                 {"slack", "T123/C0123", "slack:T123/C0123"},
		"FEISHU:tenant/oc_1":               {"feishu", "tenant/oc_1", "feishu:tenant/oc_1"},
		" webhook:https://h.example/x?k=s": {"webhook", "https://h.example/x?k=s", "webhook:https://h.example"},
		"webhook:http://127.0.0.1:9/x":     {"webhook", "http://127.0.0.1:9/x", "webhook:http://127.0.0.1:9"},
	} {
		a, err := chat.ParseAddress(in)
		if err != nil || string(a.Platform) != want.platform || a.Place != want.place || a.String() != want.shown {
			t.Errorf("%q: got %+v, shown %q, %v", in, a, a, err)
		}
		if fmt.Sprintf("%v", a) != want.shown {
			t.Errorf("%q: printed as %v", in, a)
		}
	}
}

func TestChat_FindsTheSender(t *testing.T) {
	out := local.New(&bytes.Buffer{})
	only := chat.New(map[chat.Platform]chat.Sender{chat.Local: out}, nil)
	if _, s, err := only.Sender("local:x"); err != nil || s != out {
		t.Errorf("local: %v", err)
	}
	if _, _, err := only.Sender("slack:T/C"); chat.CodeOf(err) != chat.Denied || chat.Retryable(err) || !strings.Contains(err.Error(), "slack") {
		t.Errorf("no sender: %v", err)
	}
	if _, _, err := only.Sender("nonsense"); chat.CodeOf(err) != chat.Invalid || !errors.Is(err, chat.ErrAddress) {
		t.Errorf("no address: %v", err)
	}
	if a, s, err := chat.New(nil, out).Sender("slack:T/C"); err != nil || s != out || a.Platform != chat.Slack {
		t.Errorf("fallback: %v, %v", a, err)
	}
}

func TestRetryable_ByCodeNotByText(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&chat.Error{Code: chat.Unavailable, Err: errors.New("x")}, true},
		{fmt.Errorf("y: %w", &chat.Error{Code: chat.Throttled, Err: errors.New("x")}), true},
		{&chat.Error{Code: chat.Denied, Err: errors.New("503")}, false},
		{&chat.Error{Code: chat.Invalid, Err: errors.New("timeout")}, false},
		{fmt.Errorf("z: %w", context.DeadlineExceeded), true},
		{chat.ErrUnsupported, false},
		{errors.New("something else"), true},
	} {
		if got := chat.Retryable(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

func TestCut_CountsRunes(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"演练🔥停止", 3, "演练…"}, {"演练🔥", 3, "演练🔥"}, {"x", 0, ""}, {"", 5, ""}} {
		if got := chat.Cut(c.in, c.n); got != c.want {
			t.Errorf("%q to %d: %q", c.in, c.n, got)
		}
	}
}

func TestLine_IsOneSafeLine(t *testing.T) {
	if got := chat.Line("a\r\nb\u0007\u202ec\xff \t d\ufeff 👨‍👩‍👧", 100); got != "a b c d 👨‍👩‍👧" {
		t.Errorf("got %q", got)
	}
}

func TestLocal_WritesOneMessageAtATime(t *testing.T) {
	var out bytes.Buffer
	s := local.New(&out)
	m := chat.Message{
		ID: "1", Mode: "SANDBOX", Title: "[SANDBOX] Stopped: x\ny", Text: "1. a\n2. b\u001b[31m", Fields: []chat.Field{{Name: "Drill", Value: "k7"}},
		Buttons: []chat.Button{{Label: "Stop", Command: "stop k7"}}, Mention: "slack:T/S", Link: "http://127.0.0.1:8080/r/k7", At: time.Unix(0, 0),
	}
	p, err := s.Post(t.Context(), chat.Address{Platform: chat.Local, Place: "console"}, m)
	if err != nil || p.ID != "1" {
		t.Fatal(p, err)
	}
	want := "[SANDBOX] Stopped: x y  ->  local:console\n    1. a\n    2. b [31m\n    Drill: k7\n    [Stop] /drill stop k7\n    @ slack:T/S\n    http://127.0.0.1:8080/r/k7\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if _, err := s.Update(t.Context(), p, m); !errors.Is(err, chat.ErrUnsupported) {
		t.Errorf("update: %v", err)
	}
	if _, err := local.New(broken{}).Post(t.Context(), chat.Address{}, m); !chat.Retryable(err) {
		t.Errorf("broken output: %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }
