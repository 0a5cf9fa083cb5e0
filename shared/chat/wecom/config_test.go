package wecom_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat/wecom"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

func options(loopback bool) wire.Options {
	return wire.Options{Loopback: loopback, Now: func() time.Time { return now }, Wait: func(context.Context, time.Duration) error { return nil }}
}

func TestInbound_NamesEverythingThatIsWrong(t *testing.T) {
	const secretText = "hunter2"
	for name, c := range map[string]struct {
		vars  []string
		wants []string
	}{
		"a token alone":     {[]string{"FIREDRILL_WECOM_TOKENS", token}, []string{"_TENANTS", "_AGENT", "_AES_KEYS"}},
		"a key alone":       {[]string{"FIREDRILL_WECOM_AES_KEYS", key}, []string{"_TENANTS", "_AGENT", "_TOKENS"}},
		"only commas":       {[]string{"FIREDRILL_WECOM_AES_KEYS", key, "FIREDRILL_WECOM_TOKENS", " , ", "FIREDRILL_WECOM_TENANTS", ",", "FIREDRILL_WECOM_AGENT", ","}, []string{"_TENANTS", "_AGENT", "_TOKENS"}},
		"a short key":       {[]string{"FIREDRILL_WECOM_AES_KEYS", key + "," + secretText, "FIREDRILL_WECOM_TOKENS", token}, []string{"_AES_KEYS: number 2"}},
		"a key with signs":  {[]string{"FIREDRILL_WECOM_AES_KEYS", strings.Repeat("!", 43), "FIREDRILL_WECOM_TOKENS", token}, []string{"_AES_KEYS: number 1"}},
		"a token of spaces": {[]string{"FIREDRILL_WECOM_AES_KEYS", key, "FIREDRILL_WECOM_TOKENS", secretText + " x"}, []string{"_TOKENS: number 1"}},
		"an agent in words": {[]string{"FIREDRILL_WECOM_AES_KEYS", key, "FIREDRILL_WECOM_TOKENS", token, "FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_AGENT", secretText}, []string{"_AGENT: number 1"}},
		"too few agents":    {[]string{"FIREDRILL_WECOM_AES_KEYS", key, "FIREDRILL_WECOM_TOKENS", token, "FIREDRILL_WECOM_TENANTS", "wwaa,wwbb,wwcc", "FIREDRILL_WECOM_AGENT", "1,2"}, []string{"_AGENT: it has 2"}},
		"a company twice":   {[]string{"FIREDRILL_WECOM_AES_KEYS", key, "FIREDRILL_WECOM_TOKENS", token, "FIREDRILL_WECOM_TENANTS", corp + "," + corp + ",a/b"}, []string{"_TENANTS: number 2", "_TENANTS: number 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := wecom.Inbound(env(c.vars...))
			if err == nil || r != nil {
				t.Fatal(r, err)
			}
			for _, want := range c.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			for _, v := range []string{secretText, token, key, corp} {
				if strings.Contains(err.Error(), v) {
					t.Errorf("shows %q: %v", v, err)
				}
			}
		})
	}
}

func TestOutbound_NamesEverythingThatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		vars  []string
		wants []string
	}{
		"a secret alone":         {[]string{"FIREDRILL_WECOM_APP_SECRETS", appSecret}, []string{"_TENANTS", "_AGENT"}},
		"robots alone":           {[]string{"FIREDRILL_WECOM_ROBOTS", "a=" + robotKey}, []string{"_TENANTS"}},
		"robots without names":   {[]string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_ROBOTS", robotKey + ",=x,a=,a b=" + robotKey}, []string{"number 1", "number 2", "number 3", "number 4"}},
		"a robot's whole URL":    {[]string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_ROBOTS", "a=https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=" + robotKey}, []string{"_ROBOTS: number 1"}},
		"two robots of one name": {[]string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_ROBOTS", "a=" + robotKey + ",a=" + robotKey}, []string{"_ROBOTS: number 2"}},
		"a short secret":         {[]string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_AGENT", agent, "FIREDRILL_WECOM_APP_SECRETS", "hunter2"}, []string{"_APP_SECRETS: number 1"}},
		"plain http":             {[]string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_ROBOTS", "a=" + robotKey, "FIREDRILL_ENDPOINT_WECOM", "http://hunter2.example"}, []string{"FIREDRILL_ENDPOINT_WECOM"}},
		"no address":             {[]string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_ROBOTS", "a=" + robotKey, "FIREDRILL_ENDPOINT_WECOM", "hunter2"}, []string{"FIREDRILL_ENDPOINT_WECOM"}},
		"an address with a user": {[]string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_ROBOTS", "a=" + robotKey, "FIREDRILL_ENDPOINT_WECOM", "https://a:hunter2@x.example"}, []string{"FIREDRILL_ENDPOINT_WECOM"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := wecom.Outbound(env(c.vars...), options(true))
			if err == nil || s != nil {
				t.Fatal(s, err)
			}
			for _, want := range c.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			for _, v := range []string{"hunter2", appSecret, robotKey, corp} {
				if strings.Contains(err.Error(), v) {
					t.Errorf("shows %q: %v", v, err)
				}
			}
		})
	}
	loop := []string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_ROBOTS", "a=" + robotKey, "FIREDRILL_ENDPOINT_WECOM", "http://127.0.0.1:8081"}
	if _, err := wecom.Outbound(env(loop...), options(false)); err == nil {
		t.Error("http to loopback when live: no error")
	}
	if _, err := wecom.Outbound(env("FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_ROBOTS", "a="+robotKey), wire.Options{}); err == nil {
		t.Error("no clock: no error")
	}
}

func TestVariables_NothingSetIsNothing(t *testing.T) {
	names := wecom.Variables()
	read := map[string]bool{}
	get := func(name string) string {
		read[name] = true
		if !slices.Contains(names, name) {
			t.Errorf("reads %s, which Variables leaves out", name)
		}
		return ""
	}
	r, err1 := wecom.Inbound(get)
	s, err2 := wecom.Outbound(get, options(true))
	if r != nil || s != nil || err1 != nil || err2 != nil {
		t.Error(r, err1, s, err2)
	}
	all := map[string]string{"FIREDRILL_WECOM_TENANTS": corp, "FIREDRILL_WECOM_AGENT": agent, "FIREDRILL_WECOM_TOKENS": token, "FIREDRILL_WECOM_AES_KEYS": key, "FIREDRILL_WECOM_APP_SECRETS": appSecret, "FIREDRILL_WECOM_ROBOTS": "a=" + robotKey}
	full := func(name string) string { get(name); return all[name] }
	r, err1 = wecom.Inbound(full)
	s, err2 = wecom.Outbound(full, options(false))
	if r == nil || s == nil || err1 != nil || err2 != nil {
		t.Fatal(r, err1, s, err2)
	}
	for _, name := range names {
		if !read[name] {
			t.Errorf("%s is never read", name)
		}
	}
	js, err := json.Marshal([]any{r, s})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "r", r, "s", s, "rv", *r, "sv", *s)
	shown := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %v %v %s", r, r, r, *r, s, s, s, []any{*r, *s}, struct{ R, S any }{*r, *s}, js) + logged.String()
	noSecret(t, shown)
	if strings.Contains(shown, "105 183 29") || strings.Contains(shown, "0x69, 0xb7") {
		t.Error(shown)
	}
}
