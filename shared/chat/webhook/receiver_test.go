package webhook_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/webhook"
)

// signed is a request whose signature holds.
func signed(t *testing.T, body string) chat.Request {
	t.Helper()
	r := chat.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body), Now: vectorTime}
	if err := webhook.Sign(r.Header, "m1", vectorTime, r.Body, secrets(t, vector)); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReceive_HeadersInSmallLetters(t *testing.T) {
	v := &webhook.Receiver{Secrets: secrets(t, vector)}
	r := signed(t, `{"text":"status","user":"alice","tenant":"acme"}`)
	for _, name := range []string{webhook.HeaderID, webhook.HeaderTimestamp, webhook.HeaderSignature} {
		r.Header[strings.ToLower(name)] = r.Header.Values(name)
		r.Header.Del(name)
	}
	if in, err := v.Receive(r); err != nil || in.From.String() != "webhook:acme/alice" {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestReceive_ATenantThatIsNotServed(t *testing.T) {
	v := &webhook.Receiver{Secrets: secrets(t, vector), Tenants: []string{"acme"}}
	if _, err := v.Receive(signed(t, `{"text":"stop all","user":"alice","tenant":"other"}`)); !errors.Is(err, chat.ErrAuth) {
		t.Errorf("error %v", err)
	}
	if in, err := v.Receive(signed(t, `{"text":"stop all","user":"alice","tenant":"acme"}`)); err != nil || in.Text != "stop all" {
		t.Errorf("%+v, %v", in, err)
	}
}

// TestReceive_NamesStandOnce: who reads the first and who reads the last must read the same.
func TestReceive_NamesStandOnce(t *testing.T) {
	v := &webhook.Receiver{Secrets: secrets(t, vector)}
	for _, body := range []string{
		`{"text":"stop all","user":"alice","User":"bob","tenant":"acme"}`,
		`{"text":"status","text":"stop all","user":"alice","tenant":"acme"}`,
		`{"text":"status","user":"alice","tenant":"acme"} {}`,
		`{"text":"status","user":"alice","tenant":"acme","\u212And":1}`,
		`[]`, `null`, ``,
	} {
		in, err := v.Receive(signed(t, body))
		if err != nil || in.Response == nil || in.Response.Status != http.StatusBadRequest {
			t.Errorf("%s: %+v, %v", body, in, err)
		}
	}
}

func TestParseTenants(t *testing.T) {
	for list, want := range map[string][]string{"": nil, " , ": nil, "acme": {"acme"}, "acme, T0.x ,": {"acme", "T0.x"}} {
		if got, err := webhook.ParseTenants(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
	if _, err := webhook.ParseTenants("acme,a/b"); err == nil {
		t.Error("a/b is taken for a tenant")
	}
}
