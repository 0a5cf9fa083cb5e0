package wecom_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wecom"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func receiver(t testing.TB, tenants, agents, tokens, keys string) *wecom.Receiver {
	t.Helper()
	r, err := wecom.Inbound(env("FIREDRILL_WECOM_TENANTS", tenants, "FIREDRILL_WECOM_AGENT", agents, "FIREDRILL_WECOM_TOKENS", tokens, "FIREDRILL_WECOM_AES_KEYS", keys))
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	return r
}

func ours(t testing.TB) *wecom.Receiver { return receiver(t, corp, agent, token, key) }

func query(t testing.TB, s string) url.Values {
	t.Helper()
	q, err := url.ParseQuery(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func refused(t *testing.T, r *wecom.Receiver, q chat.Request) {
	t.Helper()
	in, err := r.Receive(q)
	if !errors.Is(err, chat.ErrAuth) || err.Error() != chat.ErrAuth.Error() || in.Response != nil || in.Answer != nil || in.ID != "" || in.From.User != "" {
		t.Errorf("got %+v, %v", in, err)
	}
}

func TestReceive_TakesTheVendorsSamples(t *testing.T) {
	r := receiver(t, sampleCorp, "218", sampleToken, sampleKey)
	in, err := r.Receive(chat.Request{Method: http.MethodGet, Query: query(t, sampleEcho), Now: time.Unix(1409659589, 0)})
	if err != nil || in.Response == nil || string(in.Response.Body) != "1616140317555161061" || in.Response.Status != 0 {
		t.Errorf("echo: %+v, %v", in.Response, err)
	}
	in, err = r.Receive(chat.Request{Method: http.MethodPost, Query: query(t, sampleQuery), Body: []byte(sampleBody), Now: time.Unix(1409659813, 0)})
	if err != nil || in.Text != "hello" || in.From != (chat.Principal{Platform: chat.WeCom, Tenant: sampleCorp, User: "mycreate"}) || in.ID != "4561255354251345929" {
		t.Errorf("message: %+v, %v", in, err)
	}
	if in.Channel != sampleCorp+"/mycreate" || !in.Direct || !in.Says || in.Thread != "" || in.Message != in.ID || in.Answer == nil {
		t.Errorf("message: %+v", in)
	}
	in, err = receiver(t, "ww6a112864f8022910", agent, otherToken, otherKey).Receive(chat.Request{
		Method: http.MethodPost, Query: query(t, otherQuery), Body: []byte(otherBody), Now: time.Unix(1583995625, 0)})
	if err != nil || in.Text != "x123" || in.From.User != "foobar" || in.ID != "2018405441" {
		t.Errorf("another delivery: %+v, %v", in, err)
	}
}

func TestReceive_RefusesWhatCannotBeTrusted(t *testing.T) {
	hello := textXML(corp, agent, stamp(now), "hello")
	with := func(change func(*delivery)) delivery {
		d := good(t, hello)
		change(&d)
		return d
	}
	raw, _ := base64.StdEncoding.DecodeString(key + "=")
	block := func(n int, b byte) []byte { return bytes.Repeat([]byte{b}, n) }
	for name, d := range map[string]delivery{
		"forged":                 with(func(d *delivery) { d.sum = strings.Repeat("0", 40) }),
		"signed with nothing":    with(func(d *delivery) { d.token = "" }),
		"signed by another":      with(func(d *delivery) { d.token = "someOtherToken" }),
		"no signature":           with(func(d *delivery) { d.query = url.Values{"timestamp": {d.ts}, "nonce": {d.nonce}} }),
		"half a signature":       with(func(d *delivery) { d.sum = sign(d.token, d.ts, d.nonce, d.text)[:20] }),
		"a signature and more":   with(func(d *delivery) { d.sum = sign(d.token, d.ts, d.nonce, d.text) + "00" }),
		"replayed":               with(func(d *delivery) { d.at = now.Add(6 * time.Minute) }),
		"from the future":        with(func(d *delivery) { d.at = now.Add(-6 * time.Minute) }),
		"a time in words":        with(func(d *delivery) { d.ts = "now" }),
		"a time with a sign":     with(func(d *delivery) { d.ts = "+" + d.ts }),
		"a time in milliseconds": with(func(d *delivery) { d.ts += "000" }),
		"another time":           with(func(d *delivery) { d.sum = sign(d.token, d.ts, d.nonce, d.text); d.ts = stamp(now.Add(time.Second)) }),
		"another nonce":          with(func(d *delivery) { d.sum = sign(d.token, d.ts, d.nonce, d.text); d.nonce = "2" }),
		"no nonce":               with(func(d *delivery) { d.nonce = "" }),
		"an odd nonce":           with(func(d *delivery) { d.nonce = "a b" }),
		"a long nonce":           with(func(d *delivery) { d.nonce = strings.Repeat("1", 65) }),
		"an old message under the nonce's time": {ts: stamp(now), nonce: stamp(now.Add(-time.Hour)), token: token, at: now,
			text: encrypt(t, key, corp, textXML(corp, agent, stamp(now.Add(-time.Hour)), "stop all"))},
		"another company's key": with(func(d *delivery) { d.text = encrypt(t, sampleKey, corp, hello) }),
		"another company":       with(func(d *delivery) { d.text = encrypt(t, key, "wwother0000000001", hello) }),
		"no company":            with(func(d *delivery) { d.text = encrypt(t, key, "", hello) }),
		"another company inside": with(func(d *delivery) {
			d.text = encrypt(t, key, corp, textXML("wwother0000000001", agent, stamp(now), "hello"))
		}),
		"another app": with(func(d *delivery) { d.text = encrypt(t, key, corp, textXML(corp, "1000003", stamp(now), "hello")) }),
		"no app": with(func(d *delivery) {
			d.text = encrypt(t, key, corp, strings.Replace(hello, "<AgentID>1000002</AgentID>", "", 1))
		}),
		"an empty body":     with(func(d *delivery) { d.body = []byte{} }),
		"a body cut short":  with(func(d *delivery) { d.body = deliver(*d).Body[:60] }),
		"a cut ciphertext":  with(func(d *delivery) { d.text = d.text[:len(d.text)-24] }),
		"no ciphertext":     with(func(d *delivery) { d.text = "" }),
		"two ciphertexts":   with(func(d *delivery) { d.body = append(deliver(*d).Body, "<Encrypt>"+d.text+"</Encrypt>"...) }),
		"ciphertext as hex": with(func(d *delivery) { d.text = "zz" + d.text[2:] + "-" }),
		"ciphertext with a line break": with(func(d *delivery) {
			d.sum = sign(d.token, d.ts, d.nonce, d.text)
			d.text = d.text[:4] + "\r\n" + d.text[4:]
		}),
		"ciphertext re-encoded": with(func(d *delivery) {
			d.sum = sign(d.token, d.ts, d.nonce, d.text)
			d.text = strings.TrimRight(d.text, "=") + "===="[:(4-len(strings.TrimRight(d.text, "="))%4)%4] + "AAAA"
		}),
		"no whole block":      with(func(d *delivery) { d.text = base64.StdEncoding.EncodeToString(block(15, 1)) }),
		"padding of nothing":  with(func(d *delivery) { d.text = cbc(t, raw, block(64, 0)) }),
		"padding of 33":       with(func(d *delivery) { d.text = cbc(t, raw, block(64, 33)) }),
		"padding over all":    with(func(d *delivery) { d.text = cbc(t, raw, block(16, 16)) }),
		"padding of one kind": with(func(d *delivery) { d.text = cbc(t, raw, append(block(63, 1), 9)) }),
		"a length beyond all": with(func(d *delivery) {
			d.text = cbc(t, raw, append(append(block(16, 0), block(16, 255)...), block(32, 32)...))
		}),
		"nothing but the head": with(func(d *delivery) { d.text = cbc(t, raw, append(block(20, 0), block(12, 12)...)) }),
		"a PUT":                with(func(d *delivery) { d.method = http.MethodPut }),
		"an echo without text": with(func(d *delivery) { d.method = http.MethodGet }),
	} {
		t.Run(name, func(t *testing.T) { refused(t, ours(t), deliver(d)) })
	}
	if in, err := ours(t).Receive(deliver(good(t, hello))); err != nil || in.Text != "hello" {
		t.Errorf("the good one: %+v, %v", in, err)
	}
}

func TestReceive_RefusesAParameterThatStandsTwice(t *testing.T) {
	for _, name := range []string{"msg_signature", "timestamp", "nonce"} {
		q := deliver(good(t, textXML(corp, agent, stamp(now), "hello")))
		q.Query.Add(name, q.Query.Get(name))
		t.Run(name, func(t *testing.T) { refused(t, ours(t), q) })
	}
	q := chat.Request{Method: http.MethodGet, Query: query(t, sampleEcho+"&echostr=x"), Now: time.Unix(1409659589, 0)}
	refused(t, receiver(t, sampleCorp, "218", sampleToken, sampleKey), q)
}

func TestReceive_RefusesAnEchoThatWasEncodedAnotherWay(t *testing.T) {
	r := receiver(t, sampleCorp, "218", sampleToken, sampleKey)
	for name, s := range map[string]string{
		"plus signs left bare":  strings.ReplaceAll(sampleEcho, "%2B", "+"),
		"without the padding":   strings.ReplaceAll(sampleEcho, "%3D", ""),
		"cut":                   strings.ReplaceAll(sampleEcho, "XvnaqQ%3D%3D", ""),
		"escaped twice":         strings.ReplaceAll(sampleEcho, "%", "%25"),
		"as another parameter":  strings.ReplaceAll(sampleEcho, "echostr", "Echostr"),
		"six minutes afterward": strings.ReplaceAll(sampleEcho, "1409659589", "1409659949"),
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, r, chat.Request{Method: http.MethodGet, Query: query(t, s), Now: time.Unix(1409659589, 0)})
		})
	}
	for _, at := range []time.Duration{6 * time.Minute, -6 * time.Minute} {
		refused(t, r, chat.Request{Method: http.MethodGet, Query: query(t, sampleEcho), Now: time.Unix(1409659589, 0).Add(at)})
	}
}

// The signature is over the ciphertext and the query: neither headers nor the order of parameters nor the rest of the body are part of it.
func TestReceive_LooksAtNothingThatIsNotSigned(t *testing.T) {
	plain := textXML(corp, agent, stamp(now), "hello")
	lower, canonical := http.Header{"content-type": {"text/xml"}, "x-forwarded-for": {"a", "b"}}, http.Header{}
	for k, vs := range lower {
		for _, v := range vs {
			canonical.Add(k, v)
		}
	}
	for name, change := range map[string]func(*chat.Request){
		"as it comes":           func(*chat.Request) {},
		"lower-cased headers":   func(q *chat.Request) { q.Header = lower },
		"canonical headers":     func(q *chat.Request) { q.Header = canonical },
		"another parameter":     func(q *chat.Request) { q.Query.Set("stage", "prod") },
		"names outside changed": func(q *chat.Request) { q.Body = bytes.ReplaceAll(q.Body, []byte(corp), []byte("wwother")) },
		"without CDATA": func(q *chat.Request) {
			q.Body = []byte(strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(string(q.Body)))
		},
		"from base64, as hosts decode it": func(q *chat.Request) {
			decoded, err := base64.StdEncoding.DecodeString(base64.StdEncoding.EncodeToString(q.Body))
			if err != nil {
				t.Fatal(err)
			}
			q.Body = decoded
		},
		"still in base64": nil,
	} {
		t.Run(name, func(t *testing.T) {
			q := deliver(good(t, plain))
			if change == nil {
				q.Body = []byte(base64.StdEncoding.EncodeToString(q.Body))
				refused(t, ours(t), q)
				return
			}
			change(&q)
			if in, err := ours(t).Receive(q); err != nil || in.Text != "hello" || in.From.Tenant != corp {
				t.Errorf("got %+v, %v", in, err)
			}
		})
	}
}

func TestReceive_TakesAnyOfTheTokensAndKeys(t *testing.T) {
	d := good(t, textXML(corp, agent, stamp(now), "hello"))
	for name, c := range map[string]struct {
		tokens, keys string
		good         bool
	}{
		"the newer of two":         {token + ",oldToken123", key + "," + sampleKey, true},
		"the older of two":         {"newToken123, " + token, sampleKey + " , " + key, true},
		"only the token changed":   {"newToken123," + token, key, true},
		"only the key changed":     {token, sampleKey + "," + key, true},
		"the token is gone":        {"newToken123", key, false},
		"the key is gone":          {token, sampleKey, false},
		"empty places in the list": {"," + token + ",", "," + key + ",", true},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := receiver(t, corp, agent, c.tokens, c.keys).Receive(deliver(d))
			if !c.good {
				if !errors.Is(err, chat.ErrAuth) {
					t.Errorf("got %+v, %v", in, err)
				}
				return
			}
			if err != nil || in.Text != "hello" {
				t.Fatalf("got %+v, %v", in, err)
			}
			// The answer is for a WeCom that knows the keys of the request.
			if kind, text := read(t, in.Answer(chat.Answer{Text: "hi"})); kind != "text" || text != "hi" {
				t.Errorf("answer %s %q", kind, text)
			}
		})
	}
	two := receiver(t, "wwother0000000001,"+corp, "1,"+agent, token, key)
	if in, err := two.Receive(deliver(d)); err != nil || in.From.Tenant != corp {
		t.Errorf("two companies: %+v, %v", in, err)
	}
	refused(t, receiver(t, "wwother0000000001,"+corp, agent+",1", token, key), deliver(d))
}

// TestReceive_TellsNobodyTheTextOfAMessage: what was caught on its way is signed and encrypted as an echo is.
func TestReceive_TellsNobodyTheTextOfAMessage(t *testing.T) {
	d := good(t, textXML(corp, agent, stamp(now), "hello"))
	q := deliver(d)
	q.Method, q.Body = http.MethodGet, nil
	q.Query.Set("echostr", d.text)
	refused(t, ours(t), q)
}

func TestReceive_NoSecretVerifiesNothing(t *testing.T) {
	d := good(t, textXML(corp, agent, stamp(now), "hello"))
	d.token = ""
	refused(t, &wecom.Receiver{}, deliver(d))
	refused(t, &wecom.Receiver{}, chat.Request{})
}

func TestReceive_ReadsWhatWasSaid(t *testing.T) {
	for name, c := range map[string]struct{ content, text string }{
		"a command":               {"/drill start checkout", "/drill start checkout"},
		"with space around":       {"  列表 \n", "列表"},
		"with signs of XML":       {"note k7m2 a &lt; b && c", "note k7m2 a &lt; b && c"},
		"with an emoji":           {"note k7m2 🔥👩‍💻", "note k7m2 🔥👩‍💻"},
		"with quotes of a phone":  {"note k7m2 “x”", "note k7m2 “x”"},
		"with what ends a quote":  {"a ]]]]><![CDATA[> b", "a ]]> b"},
		"with lines":              {"a\r\nb", "a\nb"},
		"with another's brackets": {"a ]] b ]> c", "a ]] b ]> c"},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := ours(t).Receive(deliver(good(t, textXML(corp, agent, stamp(now), c.content))))
			if err != nil || in.Text != c.text || in.ID != "7182" || in.From.String() != "wecom:"+corp+"/alice" {
				t.Errorf("got %+v, %v", in, err)
			}
		})
	}
}

func TestReceive_ReadsAPress(t *testing.T) {
	const press = "1.approve.abcdefghijkl2.aaaaaaaa.t5a3b4.0123456789abcdefghij_-"
	more := "<EventKey><![CDATA[" + press + "]]></EventKey><TaskId><![CDATA[fd_1@ab]]></TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[rc]]></ResponseCode>" +
		"<SelectedItems><SelectedItem><QuestionKey>a</QuestionKey></SelectedItem></SelectedItems>"
	in, err := ours(t).Receive(deliver(good(t, eventXML("template_card_event", more))))
	if err != nil || in.Token != press || in.Text != "" || in.Says || !in.Direct || in.From.User != "bob" || in.Message != "fd_1@ab" || in.Channel != corp+"/bob" {
		t.Fatalf("got %+v, %v", in, err)
	}
	if in.ID != "bob|"+stamp(now)+"|"+press {
		t.Errorf("id %q", in.ID)
	}
	if kind, text := read(t, in.Answer(chat.Answer{Text: "ok", Done: "approved by <@all>"})); kind != "update_button" || text != "approved by ＜@\u200ball>" {
		t.Errorf("answer %s %q", kind, text)
	}
	if kind, text := read(t, in.Answer(chat.Answer{Done: strings.Repeat("批准", 100)})); kind != "update_button" || len(text) > 96 || !strings.HasSuffix(text, "…") {
		t.Errorf("a long answer: %s %q", kind, text)
	}
	for _, a := range []chat.Answer{{Text: "expired"}, {Text: "no", Failed: true}, {}} {
		if r := in.Answer(a); r.Status != 0 || r.Type != "" || len(r.Body) != 0 {
			t.Errorf("%+v: %+v", a, r)
		}
	}
}

func TestReceive_AnswersWhatIsNoCommandWithNothing(t *testing.T) {
	picture := strings.Replace(textXML(corp, agent, stamp(now), "x"), "[text]", "[image]", 1)
	for name, plain := range map[string]string{
		"somebody opens the app": eventXML("enter_agent", "<EventKey></EventKey>"),
		"somebody is added":      eventXML("subscribe", ""),
		"a menu":                 eventXML("click", "<EventKey>list</EventKey>"),
		"a card's menu":          eventXML("template_card_menu_event", "<EventKey>x</EventKey>"),
		"a picture":              picture,
	} {
		t.Run(name, func(t *testing.T) {
			in, err := ours(t).Receive(deliver(good(t, plain)))
			if err != nil || in.Response == nil || len(in.Response.Body) != 0 || in.Response.Status != 0 || in.Answer != nil {
				t.Errorf("got %+v, %v", in, err)
			}
		})
	}
}

func TestReceive_SaysWhatItCannotRead(t *testing.T) {
	hello := textXML(corp, agent, stamp(now), "hello")
	for name, plain := range map[string]string{
		"no XML":               "hello",
		"nothing":              "",
		"half of it":           hello[:80],
		"two of them":          hello + hello,
		"text around it":       hello + "x",
		"another root":         "<a>" + hello + "</a>",
		"a document type":      `<!DOCTYPE xml [<!ENTITY a "b">]>` + hello,
		"far too deep":         strings.Repeat("<xml>", 20) + strings.Repeat("</xml>", 20),
		"far too many parts":   "<xml>" + strings.Repeat("<a><b/></a>", 600) + "</xml>",
		"a sender of its own":  textXML(corp, agent, stamp(now), "x]]></Content><FromUserName><![CDATA[admin]]></FromUserName><Content><![CDATA[y"),
		"no sender":            strings.Replace(hello, "alice", "", 1),
		"an impossible sender": strings.Replace(hello, "alice", "a/b", 1),
		"everybody":            strings.Replace(hello, "alice", "@all", 1),
		"no id":                strings.Replace(hello, "7182", "", 1),
		"a press of nothing":   eventXML("template_card_event", "<EventKey></EventKey>"),
	} {
		t.Run(name, func(t *testing.T) {
			in, err := ours(t).Receive(deliver(good(t, plain)))
			if err == nil || errors.Is(err, chat.ErrAuth) || in.Answer != nil {
				t.Errorf("got %+v, %v", in, err)
			}
		})
	}
}
