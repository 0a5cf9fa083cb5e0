package feishu

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

func full() map[string]string {
	return map[string]string{
		envApp: "cli_drill", envSecrets: "new-secret,old-secret", envKeys: "encrypt-key-1 , encrypt-key-2", envTokens: "verification-1",
		envTenants: tenant, envHooks: "alerts=hook-id:hook-secret,open=hook-id-2",
	}
}

func options() wire.Options {
	return wire.Options{Now: func() time.Time { return now }, Wait: (&api{}).wait}
}

func TestSetup_NothingIsNothing(t *testing.T) {
	get := func(string) string { return " , " }
	if r, err := Inbound(get); r != nil || err != nil {
		t.Error(r, err)
	}
	if s, err := Outbound(get, options()); s != nil || err != nil {
		t.Error(s, err)
	}
}

func TestSetup_OneDirectionNeedsNothingOfTheOther(t *testing.T) {
	in := full()
	delete(in, envSecrets)
	delete(in, envHooks)
	out := full()
	delete(out, envKeys)
	delete(out, envTokens)
	if r, err := Inbound(func(n string) string { return in[n] }); err != nil || len(r.keys) != 2 || r.keys[1].Reveal() != "encrypt-key-2" {
		t.Error(r, err)
	}
	if s, err := Outbound(func(n string) string { return in[n] }, options()); s != nil || err != nil {
		t.Error(s, err)
	}
	if r, err := Inbound(func(n string) string { return out[n] }); r != nil || err != nil {
		t.Error(r, err)
	}
	s, err := Outbound(func(n string) string { return out[n] }, options())
	if err != nil || s.base != defaultEndpoint || len(s.access.secrets) != 2 || len(s.hooks) != 2 {
		t.Fatal(s, err)
	}
	if c := s.Capabilities(group()); !c.Update || !c.Reply || !c.Buttons {
		t.Errorf("app: %+v", c)
	}
	if c := s.Capabilities(hookAddress("alerts")); c != (chat.Capabilities{}) {
		t.Errorf("a custom bot beside an app: %+v", c)
	}
	s, err = Outbound(func(n string) string { return map[string]string{envHooks: out[envHooks]}[n] }, options())
	if err != nil || s.Capabilities(group()) != (chat.Capabilities{}) {
		t.Fatalf("custom bots alone: %v, %v", s, err)
	}
	if _, err := s.Post(t.Context(), group(), waiting()); chat.CodeOf(err) != chat.Denied || !strings.Contains(err.Error(), envApp) {
		t.Errorf("no app: %v", err)
	}
}

func TestSetup_NamesAllThatIsWrongAndNoValue(t *testing.T) {
	for name, c := range map[string]struct {
		change  map[string]string
		in, out []string
	}{
		"an app and no more":   {map[string]string{envSecrets: "", envKeys: "", envTokens: "", envHooks: ""}, []string{envApp, envKeys, envTokens, envSecrets}, []string{envKeys, envSecrets}},
		"no app, no tenant":    {map[string]string{envApp: "", envTenants: ""}, []string{envApp, envTenants}, []string{envApp, envTenants}},
		"no key":               {map[string]string{envKeys: ""}, []string{envKeys}, nil},
		"no token":             {map[string]string{envTokens: " ,"}, []string{envTokens}, nil},
		"a short key":          {map[string]string{envKeys: "long-enough,hunter2"}, []string{envKeys + ": number 2"}, nil},
		"short secrets":        {map[string]string{envSecrets: "hunter2"}, nil, []string{envSecrets}},
		"an app with a slash":  {map[string]string{envApp: "hunter2/x"}, []string{envApp}, []string{envApp}},
		"a tenant with a dot":  {map[string]string{envTenants: "ok,hunter2."}, []string{envTenants + ": number 2"}, []string{envTenants}},
		"a hook as an address": {map[string]string{envHooks: "a=https://open.feishu.cn/open-apis/bot/v2/hook/hunter2"}, nil, []string{envHooks, "name=id:secret"}},
		"a hook without name":  {map[string]string{envHooks: "hunter2"}, nil, []string{envHooks}},
		"a hook's short key":   {map[string]string{envHooks: "a=b:hunter2"}, nil, []string{envHooks}},
		"a hook twice":         {map[string]string{envHooks: "a=b,a=hunter2"}, nil, []string{envHooks + ": number 2"}},
		"plain http":           {map[string]string{envEndpoint: "http://hunter2.example"}, nil, []string{envEndpoint, "https"}},
		"http to this machine": {map[string]string{envEndpoint: "http://127.0.0.1:1"}, nil, []string{envEndpoint}},
		"an endpoint's query":  {map[string]string{envEndpoint: "https://x.example?hunter2"}, nil, []string{envEndpoint}},
		"an endpoint's user":   {map[string]string{envEndpoint: "https://hunter2@x.example"}, nil, []string{envEndpoint}},
		"no endpoint":          {map[string]string{envEndpoint: "hunter2"}, nil, []string{envEndpoint}},
		"a broken endpoint":    {map[string]string{envEndpoint: "https://[hunter2"}, nil, []string{envEndpoint}},
	} {
		t.Run(name, func(t *testing.T) {
			env := full()
			maps.Copy(env, c.change)
			get := func(n string) string { return env[n] }
			_, in := Inbound(get)
			_, out := Outbound(get, options())
			check(t, in, c.in)
			check(t, out, c.out)
		})
	}
}

func check(t *testing.T, err error, want []string) {
	t.Helper()
	if (err == nil) != (want == nil) {
		t.Fatalf("got %v, want %q", err, want)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in %q", w, err)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "-secret")) {
		t.Errorf("a value in %q", err)
	}
}

func TestSetup_ReadsNoOtherVariable(t *testing.T) {
	env := full()
	env[envEndpoint] = "https://open.larksuite.com/"
	seen := map[string]bool{}
	get := func(n string) string { seen[n] = true; return env[n] }
	if _, err := Inbound(get); err != nil {
		t.Fatal(err)
	}
	s, err := Outbound(get, options())
	if err != nil || s.base != "https://open.larksuite.com" || !s.wire.Allowed("https://open.larksuite.com/x") || s.wire.Allowed("https://open.feishu.cn/x") {
		t.Fatal(s, err)
	}
	if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, slices.Sorted(slices.Values(Variables()))) {
		t.Errorf("reads %q, says %q", got, Variables())
	}
	if _, err := Outbound(get, wire.Options{}); err == nil {
		t.Error("no clock: no error")
	}
}

func TestSender_RefusesAddressesThatAreNotOurs(t *testing.T) {
	a := newAPI(t)
	s := a.sender(t, a.env())
	for place, want := range map[string]chat.Code{
		"other/oc_drills": chat.Denied, "other/hook:alerts": chat.Denied, tenant + "/": chat.Invalid, tenant + "/a/b": chat.Invalid,
		tenant + "/oc?x=1": chat.Invalid, "": chat.Invalid, tenant + "/hook:": chat.Denied, "a.b/oc_x": chat.Invalid,
	} {
		if _, err := s.Post(t.Context(), chat.Address{Platform: chat.Feishu, Place: place}, waiting()); chat.CodeOf(err) != want || chat.Retryable(err) {
			t.Errorf("%q: %v", place, err)
		}
	}
	if _, err := s.Post(t.Context(), chat.Address{Platform: chat.Slack, Place: tenant + "/oc_1"}, waiting()); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("slack: %v", err)
	}
	for _, p := range []chat.Posted{{}, {To: "x", ID: "om_1"}, {To: group().String()}, {To: group().String(), ID: "../x", Thread: "a/b"}} {
		_, err1 := s.Update(t.Context(), p, waiting())
		_, err2 := s.Reply(t.Context(), p, waiting())
		if chat.CodeOf(err1) != chat.Invalid || chat.CodeOf(err2) != chat.Invalid {
			t.Errorf("%+v: %v, %v", p, err1, err2)
		}
	}
	if len(a.got) != 0 {
		t.Errorf("something was sent: %+v", a.got)
	}
}
