package dingtalk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat/dingtalk"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

func noWait(context.Context, time.Duration) error { return nil }

func options() wire.Options {
	return wire.Options{Loopback: true, Now: func() time.Time { return now }, Wait: noWait}
}

func TestVariables_AreAllThatIsRead(t *testing.T) {
	read := map[string]bool{}
	get := func(name string) string { read[name] = true; return "" }
	in, err := dingtalk.Inbound(get)
	if in != nil || err != nil {
		t.Errorf("inbound of nothing: %v, %v", in, err)
	}
	out, err := dingtalk.Outbound(get, options())
	if out != nil || err != nil {
		t.Errorf("outbound of nothing: %v, %v", out, err)
	}
	names := dingtalk.Variables()
	if len(names) != len(read) {
		t.Errorf("read %v, listed %v", read, names)
	}
	for _, n := range names {
		if !read[n] || !strings.HasPrefix(n, "FIREDRILL_DINGTALK_") && !strings.HasPrefix(n, "FIREDRILL_ENDPOINT_DINGTALK") {
			t.Errorf("%s is not read, or has a name that does not fit", n)
		}
	}
}

func TestConfiguration_ListsAllThatIsWrongAndNoValue(t *testing.T) {
	for name, c := range map[string]struct {
		vars map[string]string
		want []string
	}{
		"only a key":          {map[string]string{"APP_KEY": "hunter2"}, []string{"APP_SECRETS", "ROBOT_CODES", "TENANTS"}},
		"only a secret":       {map[string]string{"APP_SECRETS": "hunter2"}, []string{"APP_KEY", "ROBOT_CODES", "TENANTS"}},
		"only a tenant":       {map[string]string{"TENANTS": "hunter2"}, []string{"APP_KEY", "APP_SECRETS", "ROBOT_CODES"}},
		"cards with no key":   {map[string]string{"CARD_TEMPLATE": "hunter2.schema"}, []string{"CARD_SECRETS", "APP_KEY"}},
		"secrets of commas":   {map[string]string{"APP_SECRETS": " , ", "APP_KEY": "hunter2"}, []string{"APP_SECRETS"}},
		"a tenant of no form": {map[string]string{"TENANTS": "hunter2/x"}, []string{"TENANTS"}},
		"a robot of no form":  {map[string]string{"ROBOTS": "hunter2"}, []string{"ROBOTS: number 1"}},
		"two robots alike":    {map[string]string{"ROBOTS": "a=hunter2:x,a=hunter2:y"}, []string{"ROBOTS: number 2"}},
		"an endpoint":         {map[string]string{"API": "http://hunter2.example"}, []string{"FIREDRILL_ENDPOINT_DINGTALK: want https"}},
		"an endpoint's query": {map[string]string{"OAPI": "https://x.example/?a=hunter2"}, []string{"FIREDRILL_ENDPOINT_DINGTALK_OAPI"}},
	} {
		t.Run(name, func(t *testing.T) {
			get := func(n string) string {
				switch n {
				case "FIREDRILL_ENDPOINT_DINGTALK":
					return c.vars["API"]
				case "FIREDRILL_ENDPOINT_DINGTALK_OAPI":
					return c.vars["OAPI"]
				}
				return c.vars[strings.TrimPrefix(n, "FIREDRILL_DINGTALK_")]
			}
			_, in := dingtalk.Inbound(get)
			_, out := dingtalk.Outbound(get, options())
			for _, err := range []error{in, out} {
				if err == nil {
					t.Fatal("no error")
				}
				for _, w := range c.want {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("%v does not tell of %s", err, w)
					}
				}
				if strings.Contains(err.Error(), "hunter2") {
					t.Errorf("shows a value: %v", err)
				}
			}
		})
	}
	o := options()
	o.Loopback = false
	if _, err := dingtalk.Outbound(env("FIREDRILL_ENDPOINT_DINGTALK", "http://127.0.0.1:1"), o); err == nil || !strings.Contains(err.Error(), "SANDBOX") {
		t.Errorf("this machine while LIVE: %v", err)
	}
}

func TestSecrets_AreNeverShown(t *testing.T) {
	robots := []string{"FIREDRILL_DINGTALK_ROBOTS", "ops=hunter2token:SEChunter2"}
	in := receiver(t, robots...)
	out, err := dingtalk.Outbound(env(robots...), options())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, nil))
	for _, x := range []any{in, out, []any{in, out}, map[string]any{"x": in, "y": out}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			fmt.Fprintf(&b, verb, x)
		}
		log.Info("x", "x", x)
		raw, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
	}
	if strings.Contains(b.String(), "hunter2") || strings.Contains(b.String(), "dingappdrill") {
		t.Errorf("shown: %s", b.String())
	}
}

func TestOutbound_OfCustomRobotsAloneNeedsNoApp(t *testing.T) {
	vars := map[string]string{"FIREDRILL_DINGTALK_ROBOTS": "ops=t1:SEC1, other=t2:SEC2"}
	get := func(n string) string { return vars[n] }
	in, err := dingtalk.Inbound(get)
	if in != nil || err != nil {
		t.Errorf("inbound: %v, %v", in, err)
	}
	out, err := dingtalk.Outbound(get, options())
	if err != nil || out == nil {
		t.Fatalf("outbound: %v, %v", out, err)
	}
	if c := out.Capabilities(toCustom); c.Buttons || c.Update || c.Reply {
		t.Errorf("it claims %+v", c)
	}
	if !slices.Contains(dingtalk.Variables(), "FIREDRILL_DINGTALK_ROBOTS") {
		t.Error("not listed")
	}
}
