package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat/slack"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

func options() wire.Options {
	return wire.Options{Now: func() time.Time { return now }, Wait: func(context.Context, time.Duration) error { return nil }}
}

func TestSetup_NothingSetIsNothing(t *testing.T) {
	if r, err := slack.Inbound(env()); r != nil || err != nil {
		t.Errorf("got %v, %v", r, err)
	}
	if s, err := slack.Outbound(env("FIREDRILL_SLACK_SIGNING_SECRETS", newSecret), options()); s != nil || err != nil {
		t.Errorf("got %v, %v", s, err)
	}
}

func TestSetup_NamesEveryMistakeAndNoValue(t *testing.T) {
	for name, c := range map[string]struct {
		in, out []string // what must be named
		env     []string
	}{
		"apps alone":            {in: []string{"FIREDRILL_SLACK_SIGNING_SECRETS", "FIREDRILL_SLACK_TENANTS"}, env: []string{"FIREDRILL_SLACK_APPS", "A0DRILL"}},
		"everything wrong":      {in: []string{"FIREDRILL_SLACK_SIGNING_SECRETS", "FIREDRILL_SLACK_TENANTS", "FIREDRILL_SLACK_APPS", "FIREDRILL_ENDPOINT_SLACK"}, out: []string{"FIREDRILL_SLACK_BOT_TOKENS", "FIREDRILL_ENDPOINT_SLACK"}, env: []string{"FIREDRILL_SLACK_SIGNING_SECRETS", "hunter2", "FIREDRILL_SLACK_APPS", "hunter2", "FIREDRILL_SLACK_TENANTS", "T0DRILL,hunter2", "FIREDRILL_SLACK_BOT_TOKENS", "hunter2", "FIREDRILL_ENDPOINT_SLACK", "http://hunter2.example"}},
		"a token as secret":     {in: []string{"FIREDRILL_SLACK_SIGNING_SECRETS"}, env: []string{"FIREDRILL_SLACK_SIGNING_SECRETS", "xoxb-hunter2-hunter2-hunter2-hunter2", "FIREDRILL_SLACK_TENANTS", "T0DRILL"}},
		"endpoint alone":        {out: []string{"FIREDRILL_SLACK_BOT_TOKENS"}, env: []string{"FIREDRILL_ENDPOINT_SLACK", "https://slack-gov.com"}},
		"a token that expires":  {out: []string{"FIREDRILL_SLACK_BOT_TOKENS"}, env: []string{"FIREDRILL_SLACK_BOT_TOKENS", "xoxe.xoxb-1-hunter2"}},
		"a user's token":        {out: []string{"FIREDRILL_SLACK_BOT_TOKENS"}, env: []string{"FIREDRILL_SLACK_BOT_TOKENS", "xoxp-hunter2-hunter2"}},
		"a wrong workspace":     {out: []string{"FIREDRILL_SLACK_BOT_TOKENS"}, env: []string{"FIREDRILL_SLACK_BOT_TOKENS", "hunter2=" + botToken}},
		"an endpoint with user": {out: []string{"FIREDRILL_ENDPOINT_SLACK"}, env: []string{"FIREDRILL_SLACK_BOT_TOKENS", botToken, "FIREDRILL_ENDPOINT_SLACK", "https://u:hunter2@slack.com"}},
		"http when live":        {out: []string{"FIREDRILL_ENDPOINT_SLACK"}, env: []string{"FIREDRILL_SLACK_BOT_TOKENS", botToken, "FIREDRILL_ENDPOINT_SLACK", "http://127.0.0.1:8081"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err1 := slack.Inbound(env(c.env...))
			s, err2 := slack.Outbound(env(c.env...), options())
			check := func(err error, there bool, names []string) {
				if err == nil {
					if len(names) > 0 {
						t.Error("no error")
					}
					return
				}
				if there || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v", err)
				}
				for _, v := range slack.Variables() {
					if strings.Contains(err.Error(), v) != slices.Contains(names, v) {
						t.Errorf("%s: %v", v, err)
					}
				}
			}
			check(err1, r != nil, c.in)
			check(err2, s != nil, c.out)
		})
	}
}

func TestSetup_ReadsOnlyItsVariables(t *testing.T) {
	read := map[string]bool{}
	get := func(name string) string { read[name] = true; return "" }
	_, _ = slack.Inbound(get)
	_, _ = slack.Outbound(get, options())
	full := env("FIREDRILL_SLACK_SIGNING_SECRETS", newSecret, "FIREDRILL_SLACK_BOT_TOKENS", botToken, "FIREDRILL_SLACK_TENANTS", "T0DRILL")
	get = func(name string) string { read[name] = true; return full(name) }
	if _, err := slack.Inbound(get); err != nil {
		t.Error(err)
	}
	if _, err := slack.Outbound(get, options()); err != nil {
		t.Error(err)
	}
	for name := range read {
		if !slices.Contains(slack.Variables(), name) {
			t.Errorf("%s is read and not listed", name)
		}
	}
	for _, name := range slack.Variables() {
		if !read[name] || !strings.HasPrefix(name, "FIREDRILL_SLACK_") && name != "FIREDRILL_ENDPOINT_SLACK" {
			t.Errorf("%s is listed and not read, or has a wrong name", name)
		}
	}
}

func TestSetup_SecretsAreNeverPrinted(t *testing.T) {
	r := receiver(t)
	s := sender(t, newFake(t)).Sender
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "r", r, "s", s, "r2", *r, "s2", *s)
	js, _ := json.Marshal([]any{r, s})
	shown := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s %v %#v %v %#v", r, r, r, r, s, s, s, s, *r, *r, *s, *s) + log.String() + string(js)
	for _, no := range []string{newSecret, "hunter2", "48 49 50", "0x30, 0x31", "xoxb"} {
		if strings.Contains(shown, no) {
			t.Errorf("%q is shown: %s", no, shown)
		}
	}
}
