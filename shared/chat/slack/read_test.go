package slack_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestReceive_GenuineButUnreadable(t *testing.T) {
	for name, body := range map[string]string{
		"no form":                 "%zz",
		"half a JSON":             `{"type":"event_callback"`,
		"JSON with more behind":   mentionBody("status", "") + "{}",
		"a key twice":             strings.Replace(mentionBody("status", ""), `"type":"event_callback"`, `"type":"event_callback","TYPE":"x"`, 1),
		"a field twice":           slashBody("status", nil) + "&text=stop",
		"slash without user":      slashBody("status", map[string]string{"user_id": ""}),
		"slash, a made-up user":   slashBody("status", map[string]string{"user_id": "U0/../U1"}),
		"slash without channel":   slashBody("status", map[string]string{"channel_id": ""}),
		"slash without trigger":   slashBody("status", map[string]string{"trigger_id": ""}),
		"slash without command":   slashBody("status", map[string]string{"command": ""}),
		"event without id":        strings.Replace(mentionBody("status", ""), `"event_id":"Ev0DRILL1",`, ``, 1),
		"event without channel":   strings.Replace(mentionBody("status", ""), `"channel":"C0DRILLS",`, ``, 1),
		"challenge without one":   `{"type":"url_verification","token":"t"}`,
		"a challenge too long":    `{"type":"url_verification","challenge":"` + strings.Repeat("x", 2000) + `"}`,
		"press without trigger":   pressBody(`"trigger_id":"3.4.def",`, ``),
		"press without person":    pressBody(`"id":"U0BOB",`, ``),
		"press without a place":   pressBody(`"channel":{"id":"C0DRILLS","name":"drills"},`, ``, `"channel_id":"C0DRILLS",`, ``),
		"press that is no object": "payload=%5B%5D",
	} {
		t.Run(name, func(t *testing.T) {
			in, err := receiver(t).Receive(sign(newSecret, now, body))
			if err == nil || errors.Is(err, chat.ErrAuth) || in.Response != nil || in.Answer != nil {
				t.Errorf("got %+v, %v", in, err)
			}
		})
	}
}

func TestReceive_AnswersWhatIsNoCommand(t *testing.T) {
	for name, body := range map[string]string{
		"ssl_check, signed":         "ssl_check=1&token=t",
		"another event":             `{"type":"app_rate_limited","team_id":"T0DRILL","api_app_id":"A0DRILL"}`,
		"a reaction":                strings.Replace(mentionBody("status", ""), `"app_mention"`, `"reaction_added"`, 1),
		"a bot's words":             mentionBody("status", `,"bot_id":"B0BOT"`),
		"our own words":             strings.Replace(mentionBody("status", ""), `"user":"U0ALICE"`, `"user":"U0BOT"`, 1),
		"Slackbot's words":          strings.Replace(mentionBody("status", ""), `"user":"U0ALICE"`, `"user":"USLACKBOT"`, 1),
		"a message in a channel":    strings.Replace(mentionBody("status", `,"channel_type":"channel"`), `"app_mention"`, `"message"`, 1),
		"a mention in a direct":     mentionBody("status", `,"channel_type":"im"`),
		"an edit in a direct":       strings.Replace(mentionBody("status", `,"channel_type":"im","subtype":"message_changed"`), `"app_mention"`, `"message"`, 1),
		"an event with a key twice": strings.Replace(mentionBody("status", ""), `"user":"U0ALICE"`, `"user":"U0ALICE","user":"U0BOB"`, 1),
		"a shortcut":                pressBody("block_actions", "shortcut"),
		"a select":                  pressBody(`"type":"button"`, `"type":"static_select"`),
		"a button that is a link":   pressBody(`"value":"1.approve.k7m2.abcd1234.t0.mac",`, ``),
		"a press of nothing":        pressBody(`"actions":[{`, `"actions":[],"x":[{`),
	} {
		t.Run(name, func(t *testing.T) {
			in, err := receiver(t).Receive(sign(newSecret, now, body))
			if err != nil || in.Response == nil || len(in.Response.Body) != 0 || in.Response.Status != http.StatusOK || in.Answer != nil {
				t.Errorf("got %+v, %v", in, err)
			}
		})
	}
}

func TestReceive_Handshakes(t *testing.T) {
	body := `{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}`
	in, err := receiver(t).Receive(sign(newSecret, now, body))
	if err != nil || in.Response == nil || string(in.Response.Body) != "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P" ||
		in.Response.Type != "text/plain; charset=utf-8" {
		t.Errorf("got %+v, %v", in, err)
	}
	unsigned := sign(newSecret, now, body)
	unsigned.Header = http.Header{}
	in, err = receiver(t).Receive(unsigned)
	refused(t, in, err)

	probe := chat.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte("ssl_check=1&token=xyz"), Now: now}
	if in, err = receiver(t).Receive(probe); err != nil || in.Response == nil || len(in.Response.Body) != 0 {
		t.Errorf("got %+v, %v", in, err)
	}
	get := chat.Request{Method: http.MethodGet, Query: url.Values{"ssl_check": {"1"}}, Now: now}
	if in, err = receiver(t).Receive(get); err != nil || in.Response == nil {
		t.Errorf("got %+v, %v", in, err)
	}
	for _, body := range []string{"ssl_check=2", "ssl_check=1&command=/drill", "ssl_check=1&text=stop", "ssl_check=1&ssl_check=1", "ssl_check=1&payload=%7B%7D", "ssl_check=1&text=stop&token=t"} {
		probe.Body = []byte(body)
		in, err = receiver(t).Receive(probe)
		refused(t, in, err)
	}
}

func TestReceive_SlashCommand(t *testing.T) {
	in, err := receiver(t).Receive(sign(newSecret, now, slashBody(`start az note="a &lt;b&gt; &amp;amp;" owner=<@U0BOB|bob>`, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if in.Text != `start az note="a <b> &amp;" owner=@bob` || in.From.String() != "slack:T0DRILL/U0ALICE" || in.Channel != "T0DRILL/C0DRILLS" || in.Thread != "" || in.ID != "T0DRILL|1.2.abc" {
		t.Errorf("got %+v", in)
	}
	r := in.Answer(chat.Answer{Text: "no drill <!channel> *x* & more", Failed: true})
	var body struct {
		Type   string `json:"response_type"`
		Text   string `json:"text"`
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		} `json:"blocks"`
	}
	if err := json.Unmarshal(r.Body, &body); err != nil || !strings.HasPrefix(r.Type, "application/json") {
		t.Fatal(err, r.Type)
	}
	if body.Type != "ephemeral" || body.Text != "⚠️ no drill &lt;!channel&gt; *x* &amp; more" || len(body.Blocks) != 1 ||
		body.Blocks[0].Text.Type != "plain_text" || body.Blocks[0].Text.Text != "⚠️ no drill <!channel> *x* & more" {
		t.Errorf("got %s", r.Body)
	}
}

func TestReceive_Mention(t *testing.T) {
	for name, c := range map[string]struct{ body, text, thread string }{
		"in a channel":                 {mentionBody("status", ""), "status", ""},
		"in a thread":                  {mentionBody("stop", `,"thread_ts":"1795511100.000100"`), "stop", "1795511100.000100"},
		"as one addresses":             {strings.Replace(mentionBody("status", ""), "<@U0BOT> ", "<@U0BOT>: ", 1), ": status", ""},
		"as one addresses, in Chinese": {strings.Replace(mentionBody("status", ""), "<@U0BOT> ", "<@U0BOT> ：", 1), "：status", ""},
		"in the middle":                {strings.Replace(mentionBody("status", ""), "<@U0BOT> status", "stop <@U0BOT> now", 1), "stop   now", ""},
		"and somebody else":            {mentionBody("note k7m2 <@U0BOB> saw it", ""), "note k7m2 @U0BOB saw it", ""},
		"with a name":                  {strings.Replace(mentionBody("status", ""), "<@U0BOT>", "<@U0BOT|firedrill>", 1), "status", ""},
		"and no list of bots":          {strings.Replace(mentionBody("status", ""), `"authorizations"`, `"others"`, 1), "status", ""},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := receiver(t).Receive(sign(newSecret, now, c.body))
			if err != nil {
				t.Fatal(err)
			}
			if in.Text != c.text || in.Thread != c.thread || in.Message != "1795511111.000200" || in.ID != "Ev0DRILL1" || in.Says || in.Direct ||
				in.ReplyURL != "" || in.From.String() != "slack:T0DRILL/U0ALICE" || in.Channel != "T0DRILL/C0DRILLS" {
				t.Errorf("got %+v", in)
			}
			if r := in.Answer(chat.Answer{Text: "x"}); r.Status != http.StatusOK || len(r.Body) != 0 {
				t.Errorf("answer %+v", r)
			}
		})
	}
}

func TestReceive_DirectMessage(t *testing.T) {
	body := strings.NewReplacer(`"app_mention"`, `"message"`, "C0DRILLS", "D0ALICE", `"<@U0BOT> `, `"`).Replace(mentionBody("status", `,"channel_type":"im"`))
	in, err := receiver(t).Receive(sign(newSecret, now, body))
	if err != nil || !in.Direct || in.Text != "status" || in.Channel != "T0DRILL/D0ALICE" || in.Says {
		t.Errorf("got %+v, %v", in, err)
	}
}

func TestReceive_Press(t *testing.T) {
	in, err := receiver(t).Receive(sign(newSecret, now, pressBody()))
	if err != nil {
		t.Fatal(err)
	}
	if in.Token != "1.approve.k7m2.abcd1234.t0.mac" || in.Text != "" || in.From.String() != "slack:T0DRILL/U0BOB" || in.ID != "T0DRILL|3.4.def|1795511112.123456" ||
		in.Message != "1795511111.000100" || in.Thread != "1795511110.000000" || in.ReplyURL != "https://hooks.slack.com/actions/T0DRILL/5/y" || in.Says || !in.ReplyUntil.Equal(now.Add(29*time.Minute)) {
		t.Errorf("got %+v", in)
	}
	if r := in.Answer(chat.Answer{Text: "x", Done: "approved"}); r.Status != http.StatusOK || len(r.Body) != 0 {
		t.Errorf("answer %+v", r)
	}
}

func TestReceive_ReplyURLsAreSlacksOwn(t *testing.T) {
	for raw, endpoint := range map[string]string{
		"https://hooks.slack.com/commands/1":     "",
		"https://hooks.slack-gov.com/commands/1": "",
		"http://127.0.0.1:8081/response/1":       "http://127.0.0.1:8081",
	} {
		in, err := receiver(t, "FIREDRILL_ENDPOINT_SLACK", endpoint).Receive(sign(newSecret, now, slashBody("x", map[string]string{"response_url": raw})))
		if err != nil || in.ReplyURL != raw || in.ReplyUntil.IsZero() {
			t.Errorf("%s: got %q, %v", raw, in.ReplyURL, err)
		}
	}
	for _, raw := range []string{
		"http://hooks.slack.com/1", "https://hooks.slack.com.evil.example/1", "https://hooks.slack.com@evil.example/1", "https://u:p@hooks.slack.com/1", "https://evil.example/hooks.slack.com",
		"https://hooks.slack.com:444/1", "https://slack.com/1", "https://169.254.169.254/latest", "http://127.0.0.1:8081/response/1", "//hooks.slack.com/1", "hooks.slack.com", "",
		"https://hooks.slack.com/1#x", "https://hooks.slack.com/" + strings.Repeat("x", 3000),
	} {
		in, err := receiver(t).Receive(sign(newSecret, now, slashBody("x", map[string]string{"response_url": raw})))
		if err != nil || in.ReplyURL != "" || !in.ReplyUntil.IsZero() {
			t.Errorf("%s: got %q, %v", raw, in.ReplyURL, err)
		}
	}
}

func TestReceive_DeliveredAgainHasTheSameID(t *testing.T) {
	for _, body := range []string{mentionBody("status", ""), slashBody("status", nil), pressBody()} {
		first, err1 := receiver(t).Receive(sign(newSecret, now, body))
		q := sign(newSecret, now.Add(time.Minute), body)
		q.Header.Set("X-Slack-Retry-Num", "1")
		q.Header.Set("X-Slack-Retry-Reason", "http_timeout")
		again, err2 := receiver(t).Receive(q)
		if err1 != nil || err2 != nil || first.ID != again.ID || first.ID == "" {
			t.Errorf("got %q and %q, %v, %v", first.ID, again.ID, err1, err2)
		}
	}
}
