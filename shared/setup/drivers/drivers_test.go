package drivers

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/setup"
)

// parts are those of a LIVE deployment whose services are the sandbox's.
func parts(t *testing.T, mode string) *setup.Setup {
	t.Helper()
	box := httptest.NewServer(sandbox.New(sandbox.Options{Real: time.Now}))
	t.Cleanup(box.Close)
	s, err := setup.Read([]string{"FIREDRILL_JOURNAL=dir:///j", "FIREDRILL_BUS=https://b.example.com", "FIREDRILL_DEPLOYMENT=t", "FIREDRILL_MODE=" + mode})
	if err != nil {
		t.Fatal(err)
	}
	if mode == setup.Live {
		s.Endpoints[drill.FIS] = box.URL // Read itself takes only https
		s.Endpoints[drill.OOS] = box.URL
		s.Endpoints[drill.AHAS] = box.URL
	}
	env := map[string]string{"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox", "ALIBABA_CLOUD_ACCESS_KEY_ID": "sandbox", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "sandbox"}
	p := &setup.Setup{Settings: s, Now: time.Now, Log: slog.New(slog.DiscardHandler), Getenv: func(k string) string { return env[k] },
		Wait: func(context.Context, time.Duration) error { return nil }, Transport: http.DefaultTransport.(*http.Transport)}
	p.Journal = journal.Open(memory.New(), journal.Options{Now: time.Now, Nonce: func() string { return "0123456789abcdef" }})
	return p
}

func TestFor_RefusesBeforeTheFirstCall(t *testing.T) {
	good := drill.Account{Name: "a", Cloud: "aws", ID: "123456789012", Region: "us-east-1"}
	with := func(change func(*drill.Account)) drill.Account { a := good; change(&a); return a }
	cases := []struct {
		name, mode string
		account    drill.Account
		want       string
	}{
		{"no id", setup.Live, with(func(a *drill.Account) { a.ID = "" }), "accounts.a.id"},
		{"a role in another cloud", setup.Live, with(func(a *drill.Account) { a.Role, a.Cloud = "r", "aliyun" }), "on AWS alone"},
		{"a role without an id", setup.Live, with(func(a *drill.Account) { a.Role, a.ID = "r", "" }), "accounts.a.id"},
		{"a reference to a secret", setup.Live, with(func(a *drill.Account) { a.Credentials = "secret:x" }), "references to secrets"},
		{"an unknown cloud", setup.Live, with(func(a *drill.Account) { a.Cloud = "gcp" }), "no known credentials"},
		{"the sandbox without an endpoint", setup.Sandbox, good, "never calls a vendor"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := Open(parts(t, c.mode), Verify)
			d.Look(t.Context())
			if _, err := d.For(drill.FIS, c.account); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Open(parts(t, setup.Live), Verify).For(drill.FIS, good); err == nil || !strings.Contains(err.Error(), "identity") {
		t.Errorf("before the journal's identity is read: %v", err)
	}
}

func TestCredentials_BelongToTheAccountOrNoCallIsMade(t *testing.T) {
	cases := []struct {
		name    string
		service drill.Service
		account drill.Account
		trust   Trust
		want    string
	}{
		{"another account", drill.FIS, drill.Account{Name: "a", Cloud: "aws", ID: "999999999999", Region: "us-east-1"}, Verify, "the catalogue says 999999999999"},
		{"another account, asked of another service", drill.AHAS, drill.Account{Name: "b", Cloud: "aliyun", ID: "999", Region: "cn-hangzhou"}, Verify, "the catalogue says 999"},
		{"the right one", drill.FIS, drill.Account{Name: "a", Cloud: "aws", ID: "123456789012", Region: "us-east-1"}, Verify, ""},
		{"another account, not asked", drill.FIS, drill.Account{Name: "a", Cloud: "aws", ID: "999999999999", Region: "us-east-1"}, AsWritten, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := Open(parts(t, setup.Live), c.trust)
			d.Look(t.Context())
			sv, err := d.For(c.service, c.account)
			if err != nil {
				t.Fatal(err)
			}
			_, err = sv.Observe(t.Context(), driver.Run{Service: c.service, Region: c.account.Region, ID: "EXPnone"})
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.want == "" && provider.CodeOf(err) != driver.NotFound {
				t.Errorf("the call did not reach the service: %v", err)
			}
		})
	}
}
