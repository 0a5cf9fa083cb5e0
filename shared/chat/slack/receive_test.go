package slack_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/slack"
)

// The sample of Slack's own page about verifying requests.
const (
	vectorSecret = "8f742231b10e8888abcd99yyyzzz85a5"
	vectorTS     = "1531420618"
	vectorSig    = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	vectorBody   = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)

const (
	newSecret = "0123456789abcdef0123456789abcdef"
	oldSecret = "fedcba9876543210fedcba9876543210"
)

var (
	vectorTime = time.Unix(1531420618, 0)
	now        = time.Date(2026, 11, 24, 9, 5, 11, 0, time.UTC)
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func receiver(t testing.TB, pairs ...string) *slack.Receiver {
	t.Helper()
	r, err := slack.Inbound(env(append([]string{
		"FIREDRILL_SLACK_SIGNING_SECRETS", newSecret, "FIREDRILL_SLACK_APPS", "A0DRILL", "FIREDRILL_SLACK_TENANTS", "T0DRILL",
	}, pairs...)...))
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	return r
}

func vectorReceiver(t testing.TB, secrets string) *slack.Receiver {
	t.Helper()
	return receiver(t, "FIREDRILL_SLACK_SIGNING_SECRETS", secrets, "FIREDRILL_SLACK_APPS", "", "FIREDRILL_SLACK_TENANTS", "T1DC2JH3J")
}

func vector() chat.Request {
	h := http.Header{}
	h.Add("x-slack-request-timestamp", vectorTS)
	h.Add("x-slack-signature", vectorSig)
	return chat.Request{Method: http.MethodPost, Header: h, Body: []byte(vectorBody), Now: vectorTime}
}

// sign makes a request as Slack does.
func sign(secret string, at time.Time, body string) chat.Request {
	ts := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("v0:" + ts + ":" + body))
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", ts)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(m.Sum(nil)))
	return chat.Request{Method: http.MethodPost, Header: h, Body: []byte(body), Now: at}
}

func refused(t *testing.T, in chat.Incoming, err error) {
	t.Helper()
	if !errors.Is(err, chat.ErrAuth) || err.Error() != chat.ErrAuth.Error() || in.From.User != "" || in.Response != nil || in.Answer != nil {
		t.Errorf("got %+v, %v", in, err)
	}
}

func TestReceive_RefusesWhatIsNotSigned(t *testing.T) {
	values, err := url.ParseQuery(vectorBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(q *chat.Request){
		"no headers":             func(q *chat.Request) { q.Header = nil },
		"no signature":           func(q *chat.Request) { q.Header.Del("X-Slack-Signature") },
		"no timestamp":           func(q *chat.Request) { q.Header.Del("X-Slack-Request-Timestamp") },
		"two signatures":         func(q *chat.Request) { q.Header.Add("X-Slack-Signature", vectorSig) },
		"two timestamps":         func(q *chat.Request) { q.Header.Add("X-Slack-Request-Timestamp", vectorTS) },
		"another case beside it": func(q *chat.Request) { q.Header["x-slack-signature"] = []string{vectorSig} },
		"a forged body":          func(q *chat.Request) { q.Body = []byte(strings.Replace(vectorBody, "U2CERLKJA", "U2CERLKJB", 1)) },
		"a body cut short":       func(q *chat.Request) { q.Body = q.Body[:len(q.Body)-1] },
		"an empty body":          func(q *chat.Request) { q.Body = nil },
		"a form written again":   func(q *chat.Request) { q.Body = []byte(values.Encode()) },
		"another timestamp":      func(q *chat.Request) { q.Header.Set("X-Slack-Request-Timestamp", "1531420619") },
		"a timestamp with sign":  func(q *chat.Request) { q.Header.Set("X-Slack-Request-Timestamp", "+"+vectorTS) },
		"a timestamp in words":   func(q *chat.Request) { q.Header.Set("X-Slack-Request-Timestamp", "now") },
		"a huge timestamp":       func(q *chat.Request) { q.Header.Set("X-Slack-Request-Timestamp", "9223372036854775807") },
		"an empty timestamp":     func(q *chat.Request) { q.Header.Set("X-Slack-Request-Timestamp", "") },
		"another version":        func(q *chat.Request) { q.Header.Set("X-Slack-Signature", "v1"+vectorSig[2:]) },
		"no version":             func(q *chat.Request) { q.Header.Set("X-Slack-Signature", vectorSig[3:]) },
		"half a signature":       func(q *chat.Request) { q.Header.Set("X-Slack-Signature", vectorSig[:35]) },
		"not hex":                func(q *chat.Request) { q.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("x", 64)) },
		"six minutes old":        func(q *chat.Request) { q.Now = vectorTime.Add(6 * time.Minute) },
		"from six minutes ahead": func(q *chat.Request) { q.Now = vectorTime.Add(-6 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			q := vector()
			change(&q)
			in, err := vectorReceiver(t, vectorSecret).Receive(q)
			refused(t, in, err)
		})
	}
}

func TestReceive_JSONWrittenAgainIsForged(t *testing.T) {
	q := sign(newSecret, now, mentionBody("status", ""))
	var v any
	if err := json.Unmarshal(q.Body, &v); err != nil {
		t.Fatal(err)
	}
	q.Body, _ = json.Marshal(v)
	in, err := receiver(t).Receive(q)
	refused(t, in, err)
}

func TestReceive_TakesSlacksVector(t *testing.T) {
	for name, c := range map[string]struct {
		secrets string
		at      time.Time
	}{
		"as it is":              {vectorSecret, vectorTime},
		"five minutes old":      {vectorSecret, vectorTime.Add(5 * time.Minute)},
		"five minutes ahead":    {vectorSecret, vectorTime.Add(-5 * time.Minute)},
		"second of two secrets": {newSecret + " , " + vectorSecret, vectorTime},
		"first of two secrets":  {vectorSecret + "," + newSecret + ",", vectorTime},
	} {
		t.Run(name, func(t *testing.T) {
			q := vector()
			q.Now = c.at
			in, err := vectorReceiver(t, c.secrets).Receive(q)
			if err != nil {
				t.Fatal(err)
			}
			if in.From.String() != "slack:T1DC2JH3J/U2CERLKJA" || in.Channel != "T1DC2JH3J/G8PSS9T3V" || in.Text != "" || !in.Says || in.Direct ||
				in.ID != "T1DC2JH3J|398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c" ||
				in.ReplyURL != "https://hooks.slack.com/commands/T1DC2JH3J/397700885554/96rGlfmibIGlgcZRskXaIFfN" ||
				!in.ReplyUntil.Equal(vectorTime.Add(29*time.Minute)) || in.Token != "" || in.Response != nil {
				t.Errorf("got %+v", in)
			}
		})
	}
}

func TestReceive_TakesHeadersHoweverTheRuntimeWroteThem(t *testing.T) {
	canonical := http.Header{"X-Slack-Request-Timestamp": {vectorTS}, "X-Slack-Signature": {vectorSig}}
	lower := http.Header{"x-slack-request-timestamp": {vectorTS}, "x-slack-signature": {vectorSig}}
	for name, h := range map[string]http.Header{"canonical": canonical, "lower case": lower, "added in lower case": vector().Header} {
		q := vector()
		q.Header = h
		if _, err := vectorReceiver(t, vectorSecret).Receive(q); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceive_TakesABodyThatCameInBase64(t *testing.T) {
	raw, err := base64.StdEncoding.DecodeString(base64.StdEncoding.EncodeToString([]byte(vectorBody)))
	if err != nil {
		t.Fatal(err)
	}
	q := vector()
	q.Body = raw
	if _, err := vectorReceiver(t, vectorSecret).Receive(q); err != nil {
		t.Error(err)
	}
	q.Body = []byte(base64.StdEncoding.EncodeToString(raw))
	in, err := vectorReceiver(t, vectorSecret).Receive(q)
	refused(t, in, err)
}

func TestReceive_AnEmptySecretVerifiesNothing(t *testing.T) {
	q := sign("", now, slashBody("status", nil))
	var zero slack.Receiver
	in, err := zero.Receive(q)
	refused(t, in, err)
	in, err = receiver(t).Receive(q)
	refused(t, in, err)
	for _, list := range []string{"", " , ,", "short"} {
		if r, err := slack.Inbound(env("FIREDRILL_SLACK_SIGNING_SECRETS", list, "FIREDRILL_SLACK_TENANTS", "T0DRILL")); err == nil || r != nil {
			t.Errorf("secrets %q: %v, %v", list, r, err)
		}
	}
}

// slashBody is a slash command; changed fields that are empty are left out.
func slashBody(text string, change map[string]string) string {
	fields := map[string]string{
		"token": "t", "team_id": "T0DRILL", "team_domain": "drill", "channel_id": "C0DRILLS", "channel_name": "drills", "user_id": "U0ALICE",
		"user_name": "alice", "command": "/drill", "text": text, "api_app_id": "A0DRILL", "is_enterprise_install": "false",
		"response_url": "https://hooks.slack.com/commands/T0DRILL/1/x", "trigger_id": "1.2.abc",
	}
	for k, v := range change {
		fields[k] = v
	}
	v := url.Values{}
	for k, s := range fields {
		if _, changed := change[k]; s != "" || k == "text" && !changed {
			v.Set(k, s)
		}
	}
	return v.Encode()
}

func mentionBody(text, event string) string {
	return fmt.Sprintf(`{"token":"t","team_id":"T0DRILL","api_app_id":"A0DRILL","event":{"type":"app_mention","user":"U0ALICE","text":%q,"ts":"1795511111.000200",`+
		`"channel":"C0DRILLS","team":"T0DRILL","event_ts":"1795511111.000200"%s},"type":"event_callback","event_id":"Ev0DRILL1","event_time":1795511111,`+
		`"authorizations":[{"enterprise_id":null,"team_id":"T0DRILL","user_id":"U0BOT","is_bot":true,"is_enterprise_install":false}],"is_ext_shared_channel":false}`,
		"<@U0BOT> "+text, event)
}

const pressJSON = `{"type":"block_actions","user":{"id":"U0BOB","username":"bob","name":"bob","team_id":"T0DRILL"},"api_app_id":"A0DRILL","token":"t",` +
	`"container":{"type":"message","message_ts":"1795511111.000100","channel_id":"C0DRILLS","is_ephemeral":false},"trigger_id":"3.4.def",` +
	`"team":{"id":"T0DRILL","domain":"drill"},"enterprise":null,"is_enterprise_install":false,"channel":{"id":"C0DRILLS","name":"drills"},` +
	`"message":{"type":"message","ts":"1795511111.000100","thread_ts":"1795511110.000000"},"state":{"values":{}},"response_url":"https://hooks.slack.com/actions/T0DRILL/5/y",` +
	`"actions":[{"action_id":"firedrill_0","block_id":"b","text":{"type":"plain_text","text":"Approve"},"value":"1.approve.k7m2.abcd1234.t0.mac","style":"primary","type":"button","action_ts":"1795511112.123456"}]}`

func pressBody(change ...string) string {
	return "payload=" + url.QueryEscape(strings.NewReplacer(change...).Replace(pressJSON))
}

func TestReceive_RefusesOtherAppsAndTenants(t *testing.T) {
	event := func(old, new string) string { return strings.ReplaceAll(mentionBody("status", ""), old, new) }
	for name, body := range map[string]string{
		"slash, another app":                slashBody("status", map[string]string{"api_app_id": "A0OTHER"}),
		"slash, no app":                     slashBody("status", map[string]string{"api_app_id": ""}),
		"slash, another workspace":          slashBody("status", map[string]string{"team_id": "T0OTHER"}),
		"slash, no workspace":               slashBody("status", map[string]string{"team_id": ""}),
		"slash, another organisation":       slashBody("status", map[string]string{"team_id": "", "enterprise_id": "E0OTHER"}),
		"event, another app":                event(`"api_app_id":"A0DRILL"`, `"api_app_id":"A0OTHER"`),
		"event, no app":                     event(`"api_app_id":"A0DRILL",`, ``),
		"event, app by another key":         event(`"api_app_id":"A0DRILL"`, `"API_APP_ID":"A0DRILL"`),
		"event, another workspace":          event(`"team_id":"T0DRILL","api`, `"team_id":"T0OTHER","api`),
		"event, a guest's words":            event(`"team":"T0DRILL"`, `"team":"T0OTHER"`),
		"event, a guest's workspace beside": mentionBody("status", `,"user_team":"T0OTHER"`),
		"event, a guest's source":           mentionBody("status", `,"source_team":"T0OTHER"`),
		"event, shared and nobody's":        strings.Replace(event(`"team":"T0DRILL",`, ``), `"is_ext_shared_channel":false`, `"is_ext_shared_channel":true`, 1),
		"press, another app":                pressBody("A0DRILL", "A0OTHER"),
		"press, no app":                     pressBody(`"api_app_id":"A0DRILL",`, ``),
		"press, another workspace":          pressBody(`"team":{"id":"T0DRILL"`, `"team":{"id":"T0OTHER"`),
		"press, two workspaces":             pressBody(`"team":{"id":"T0DRILL"`, `"team":{"id":"T0OTHER","id":"T0DRILL"`),
		"press, a guest":                    pressBody(`"team_id":"T0DRILL"`, `"team_id":"T0OTHER"`),
		"press, somebody from nowhere":      pressBody(`,"team_id":"T0DRILL"`, ``),
		"press, no team":                    pressBody(`"team":{"id":"T0DRILL","domain":"drill"}`, `"team":null`),
		"another organisation's press":      pressBody(`"team":{"id":"T0DRILL","domain":"drill"},"enterprise":null`, `"team":null,"enterprise":{"id":"E0OTHER"}`),
	} {
		t.Run(name, func(t *testing.T) {
			in, err := receiver(t).Receive(sign(newSecret, now, body))
			refused(t, in, err)
		})
	}
}

func TestReceive_AnAppListMayBeMissing(t *testing.T) {
	r := receiver(t, "FIREDRILL_SLACK_APPS", "")
	for _, app := range []string{"", "A0OTHER"} {
		if _, err := r.Receive(sign(newSecret, now, slashBody("status", map[string]string{"api_app_id": app}))); err != nil {
			t.Errorf("app %q: %v", app, err)
		}
	}
}

func TestReceive_OrganisationsAreTenantsToo(t *testing.T) {
	r := receiver(t, "FIREDRILL_SLACK_TENANTS", "E0ORG,T0HOME")
	for name, c := range map[string]struct{ body, who string }{
		"slash":                    {slashBody("status", map[string]string{"team_id": "T0SOME", "enterprise_id": "E0ORG"}), "slack:E0ORG/U0ALICE"},
		"press, no team":           {pressBody(`"team":{"id":"T0DRILL","domain":"drill"},"enterprise":null`, `"team":null,"enterprise":{"id":"E0ORG"}`, `"team_id":"T0DRILL"`, `"team_id":"E0ORG"`), "slack:E0ORG/U0BOB"},
		"press, a workspace of it": {pressBody(`"team":{"id":"T0DRILL","domain":"drill"},"enterprise":null`, `"team":null,"enterprise":{"id":"E0ORG"}`, `"team_id":"T0DRILL"`, `"team_id":"T0HOME"`), "slack:E0ORG/U0BOB"},
		"event":                    {strings.Replace(mentionBody("status", ""), `"api_app_id"`, `"enterprise_id":"E0ORG","api_app_id"`, 1), "slack:E0ORG/U0ALICE"},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := r.Receive(sign(newSecret, now, c.body))
			if err != nil || in.From.String() != c.who || !strings.HasPrefix(in.Channel, "E0ORG/") {
				t.Errorf("got %+v, %v", in, err)
			}
		})
	}
}

func FuzzReceive(f *testing.F) {
	f.Add(vectorTS, vectorSig, []byte(vectorBody))
	f.Add("", "", []byte("ssl_check=1"))
	f.Add(vectorTS, "v0=", []byte(`{"type":"url_verification","challenge":"x"}`))
	r := vectorReceiver(f, vectorSecret)
	f.Fuzz(func(t *testing.T, ts, sig string, body []byte) {
		h := http.Header{"X-Slack-Request-Timestamp": {ts}, "X-Slack-Signature": {sig}}
		in, err := r.Receive(chat.Request{Method: http.MethodPost, Header: h, Body: body, Now: vectorTime})
		if err == nil && (sig != vectorSig || string(body) != vectorBody) {
			t.Fatalf("a request that nobody signed was taken: %+v", in)
		}
		if err != nil && !errors.Is(err, chat.ErrAuth) {
			t.Fatal("a request that nobody signed was read")
		}
	})
}

func FuzzReceiveUnsigned(f *testing.F) {
	f.Add("POST", "ssl_check=1&token=x")
	f.Add("POST", mentionBody("stop all", ""))
	f.Add("POST", pressBody())
	r := receiver(f)
	f.Fuzz(func(t *testing.T, method, body string) {
		in, err := r.Receive(chat.Request{Method: method, Header: http.Header{}, Body: []byte(body), Now: now})
		if err == nil && (in.Response == nil || len(in.Response.Body) > 0 || in.From != chat.Principal{}) {
			t.Fatalf("got %+v", in)
		}
	})
}

func FuzzReceiveSigned(f *testing.F) {
	for _, body := range []string{mentionBody("<@U0BOB|b> &amp;", ""), slashBody("x", nil), pressBody(), "payload=null", `{"type":"url_verification","challenge":"x"}`, "{", "", `{"event":[]}`} {
		f.Add(body)
	}
	r := receiver(f)
	f.Fuzz(func(t *testing.T, body string) {
		in, err := r.Receive(sign(newSecret, now, body))
		if err != nil || in.Response != nil {
			return
		}
		if in.From.Tenant != "T0DRILL" || in.From.User == "" || strings.ContainsAny(in.From.User, "/:* ") || in.ID == "" || !strings.HasPrefix(in.Channel, "T0DRILL/") || in.Answer == nil {
			t.Fatalf("got %+v", in)
		}
		if in.ReplyURL != "" && !strings.HasPrefix(in.ReplyURL, "https://hooks.slack") {
			t.Fatalf("reply URL %q", in.ReplyURL)
		}
		in.Answer(chat.Answer{Text: in.Text})
	})
}
