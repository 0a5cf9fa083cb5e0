package host

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/setup"
)

func gatewayPayload(t testing.TB, change map[string]any) []byte {
	t.Helper()
	p := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": "/chat/webhook", "rawQueryString": "a=1&b=%20", "cookies": []string{"c1=x", "c2=y"},
		"headers": map[string]string{"content-type": "text/plain", "x-many": "one,two", "host": "fd.example.com"}, "body": "hello", "isBase64Encoded": false,
		"requestContext": map[string]any{"domainName": "x.lambda-url.us-east-1.on.aws", "stage": "$default", "http": map[string]string{"method": "POST", "sourceIp": "192.0.2.1"}},
	}
	for k, v := range change {
		p[k] = v
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRequest_BadOnesAreAnswered(t *testing.T) {
	cases := []struct {
		name    string
		payload []byte
		status  int
	}{
		{"truncated base64", gatewayPayload(t, map[string]any{"isBase64Encoded": true, "body": "aGVsbG8"}), 400},
		{"a path without a slash", gatewayPayload(t, map[string]any{"rawPath": "chat"}), 400},
		{"a method that is none", gatewayPayload(t, map[string]any{"requestContext": map[string]any{"http": map[string]string{"method": "B AD"}}}), 400},
		{"a body that is no text", gatewayPayload(t, map[string]any{"body": 17}), 400},
		{"a body that is too large", gatewayPayload(t, map[string]any{"body": strings.Repeat("x", maxRequest+1)}), 413},
		{"the same in base64", gatewayPayload(t, map[string]any{"isBase64Encoded": true, "body": base64.StdEncoding.EncodeToString(make([]byte, maxRequest+1))}), 413},
		{"ten megabytes", gatewayPayload(t, map[string]any{"body": strings.Repeat("x", 10<<20)}), 413},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Function{HTTP: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })}, nil)
			got, err := (&invoker{r.host}).Invoke(t.Context(), c.payload)
			if err != nil {
				t.Fatalf("Lambda would answer 502: %v", err)
			}
			var reply gatewayReply
			if err := json.Unmarshal(got, &reply); err != nil || reply.Status != c.status {
				t.Errorf("got %.200s, %v", got, err)
			}
			if len(r.dead.payloads) != 0 {
				t.Error("a request went to the dead-letter target")
			}
		})
	}
}

func TestRequest_ArrivesAsItWasSent(t *testing.T) {
	const raw = "payload=%7B%22a%22%3A1%7D&\xff"
	var seen *http.Request
	var body []byte
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		body, _ = io.ReadAll(r.Body)
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.Header().Add("X-Many", "one")
		w.Header().Add("X-Many", "two")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte{0xff, 0xfe})
	})
	r := newRig(t, Function{HTTP: h}, nil)
	got, err := (&invoker{r.host}).Invoke(t.Context(), gatewayPayload(t, map[string]any{"isBase64Encoded": true, "body": base64.StdEncoding.EncodeToString([]byte(raw))}))
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != raw || seen.ContentLength != int64(len(raw)) {
		t.Errorf("body %q, length %d", body, seen.ContentLength)
	}
	if c, err := seen.Cookie("c2"); err != nil || c.Value != "y" {
		t.Errorf("cookie %v, %v", c, err)
	}
	if seen.URL.Path != "/chat/webhook" || seen.URL.Query().Get("b") != " " || seen.Host != "fd.example.com" || seen.RemoteAddr != "192.0.2.1:0" || seen.Header.Get("X-Many") != "one,two" {
		t.Errorf("request %+v", seen)
	}
	var reply gatewayReply
	if err := json.Unmarshal(got, &reply); err != nil {
		t.Fatal(err)
	}
	if reply.Status != http.StatusTeapot || len(reply.Cookies) != 2 || reply.Headers["x-many"] != "one, two" || !reply.Base64 || reply.Body != "//4=" {
		t.Errorf("reply %+v", reply)
	}
}

func TestRequest_PathBelowTheStage(t *testing.T) {
	for raw, want := range map[string]string{"/prod/alarms/a%20b": "/alarms/a b", "/prod": "/", "/production/x": "/production/x", "": "/", "//alarms/generic": "/alarms/generic",
		"/prod//alarms/generic": "/alarms/generic", "/prod/%2Falarms": "/alarms", "alarms": "alarms"} {
		g := gatewayRequest{Path: raw}
		g.Context.Stage = "prod"
		if got := g.path(); got != want {
			t.Errorf("path of %q is %q, want %q", raw, got, want)
		}
	}
}

func TestRequest_AHeaderInTwoSpellingsStandsTwice(t *testing.T) {
	for range 20 { // the order of a map is not that of the payload
		g, err := readRequest(t.Context(), gatewayPayload(t, map[string]any{"headers": map[string]string{"X-Signature": "a", "x-signature": "b"}}))
		if err != nil || len(g.Header.Values("X-Signature")) != 2 {
			t.Fatalf("%v, %v", g, err)
		}
	}
}

func TestAlarms_OnlyForMonitorsWithAToken(t *testing.T) {
	tokens, err := setup.ParseTokens(token)
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"name":"a","state":"firing","at":"2026-11-21T08:00:00Z"}`
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("monitor:"+token))
	cases := []struct {
		name, path, query, auth, body string
		status, handled               int
	}{
		{"no token", "/alarms/generic", "", "", good, 401, 0},
		{"a wrong token", "/alarms/generic", "token=" + token + "x", "", good, 401, 0},
		{"a body that is none", "/alarms/generic", "", "Bearer " + token, "x", 400, 0},
		{"a source that is none", "/alarms/nobody", "", "Bearer " + token, good, 400, 0},
		{"no alarm", "/other", "", "Bearer " + token, good, 404, 0},
		{"a bearer", "/alarms/generic", "", "Bearer " + token, good, 204, 1},
		{"two slashes, for the address ends in one", "//alarms/generic", "", "Bearer " + token, good, 204, 1},
		{"a password", "/alarms/generic", "", basic, good, 204, 1},
		{"a query", "/alarms/generic", "token=" + token, "", good, 204, 1},
		{"one of two alerts is bad", "/alarms/alertmanager", "", "Bearer " + token,
			`{"alerts":[{"status":"firing","labels":{"alertname":"a"},"startsAt":"2026-11-21T08:00:00Z"},{"status":"?"}]}`, 400, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Function{Alarms: &tokens}, nil)
			payload := gatewayPayload(t, map[string]any{"rawPath": c.path, "rawQueryString": c.query, "body": c.body,
				"headers": map[string]string{"authorization": c.auth, "content-type": "application/json"}})
			got, err := (&invoker{r.host}).Invoke(t.Context(), payload)
			var reply gatewayReply
			if err != nil || json.Unmarshal(got, &reply) != nil || reply.Status != c.status || len(r.got) != c.handled {
				t.Errorf("got %s, %v; %d alarms were handled", got, err, len(r.got))
			}
			if strings.Contains(r.logs.String(), token) {
				t.Error("the log shows the token")
			}
		})
	}
}
