package setup

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// good is an environment without a mistake.
func good(change ...string) []string {
	env := []string{"FIREDRILL_JOURNAL=dir:///var/firedrill", "FIREDRILL_BUS=https://broker.example.com/in", "FIREDRILL_DEPLOYMENT=prod", "HOME=/root"}
	return append(env, change...)
}

func TestRead_Mistakes(t *testing.T) {
	const secret = "hunter2hunter2hunter2"
	cases := []struct {
		name string
		env  []string
		want string
	}{
		{"no bus", []string{"FIREDRILL_JOURNAL=dir:///j", "FIREDRILL_DEPLOYMENT=x"}, "FIREDRILL_BUS: missing"},
		{"a bus in memory", good("FIREDRILL_BUS=memory://"), "ends with the process"},
		{"a bus of an unknown kind", good("FIREDRILL_BUS=kafka://" + secret), "its scheme is none of"},
		{"a password in the bus", good("FIREDRILL_BUS=https://me:" + secret + "@host/"), "a user or a password"},
		{"a URL that is none", good("FIREDRILL_BUS=https://[" + secret), "not a URL"},
		{"a relative directory", good("FIREDRILL_JOURNAL=dir://" + secret), "dir:///absolute/path"},
		{"a bucket without a region", good("FIREDRILL_JOURNAL=s3://bucket/p"), "it names no region"},
		{"a bus of EventBridge without a region", good("FIREDRILL_BUS=eventbridge://drills"), "it names no region"},
		{"a mode there is not", good("FIREDRILL_MODE=" + secret), "neither LIVE nor SANDBOX"},
		{"an endpoint that is not encrypted", good("FIREDRILL_ENDPOINT_FIS=http://" + secret), "want https"},
		{"an endpoint with a query", good("FIREDRILL_MODE=SANDBOX", "FIREDRILL_ENDPOINT_FIS=http://h/?k="+secret), "nothing secret"},
		{"a misspelt variable", good("FIREDRILL_ENDPONT_FIS=" + secret), "FIREDRILL_ENDPONT_FIS: there is no such variable"},
		{"a deployment with a slash", good("FIREDRILL_DEPLOYMENT=a/" + secret), "FIREDRILL_DEPLOYMENT"},
		{"looking too often", good("FIREDRILL_OBSERVE_EVERY=10ms"), "FIREDRILL_OBSERVE_EVERY"},
		{"a link without the drill", good("FIREDRILL_LINK=https://" + secret), "{drill}"},
		{"a level there is not", good("FIREDRILL_LOG_LEVEL=" + secret), "FIREDRILL_LOG_LEVEL"},
		{"a need that is missing", good(), "FIREDRILL_ALARM_TOKENS: missing"},
		{"a need that is wrong", good("FIREDRILL_ALARM_TOKENS=" + secret), "FIREDRILL_ALARM_TOKENS: number 1: it has 21 bytes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(c.env, Need{Variable: "FIREDRILL_ALARM_TOKENS", Check: Parses(ParseTokens)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want something with %q", err, c.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows the value: %v", err)
			}
		})
	}
}

func TestRead_ListsEveryMistakeAtOnce(t *testing.T) {
	_, err := Read([]string{"FIREDRILL_MODE=TEST"}, Need{Variable: "FIREDRILL_CATALOG"})
	var m *Mistakes
	if !errors.As(err, &m) {
		t.Fatalf("got %v", err)
	}
	for _, name := range []string{"FIREDRILL_JOURNAL", "FIREDRILL_BUS", "FIREDRILL_DEPLOYMENT", "FIREDRILL_MODE", "FIREDRILL_CATALOG"} {
		if !slices.ContainsFunc(m.Unwrap(), func(err error) bool { return strings.HasPrefix(err.Error(), name+":") }) {
			t.Errorf("%s is not among the mistakes:\n%v", name, err)
		}
	}
}

func TestRead_Defaults(t *testing.T) {
	s, err := Read(good("FIREDRILL_WEBHOOK_SECRETS=not-declared-so-not-kept", "FIREDRILL_LINK=https://fd.example.com/r/{drill}"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Mode != Live || s.Every != 15*time.Second || s.Source("start") != "/firedrill/prod/start" || s.Link("a b") != "https://fd.example.com/r/a%20b" {
		t.Errorf("got mode %s, every %s, source %s, link %s", s.Mode, s.Every, s.Source("start"), s.Link("a b"))
	}
	if v := s.Value("FIREDRILL_WEBHOOK_SECRETS"); v != "" {
		t.Error("a variable that nobody declared was kept")
	}
}

func TestTokens_OpenAndHide(t *testing.T) {
	const a, b = "aaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbb"
	tokens, err := ParseTokens(a + ", " + b)
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]bool{a: true, b: true, "": false, a + b: false, a[1:]: false} {
		if tokens.Open(token) != want {
			t.Errorf("token of %d bytes: open is %v", len(token), !want)
		}
	}
	if (Tokens{}).Open("") {
		t.Error("no token opened an empty list")
	}
	if s := fmt.Sprintf("%v %+v %#v", tokens, tokens, tokens); s != "[tokens] [tokens] [tokens]" {
		t.Errorf("printed as %s", s)
	}
}
