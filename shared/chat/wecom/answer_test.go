package wecom_test

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/chat"
)

// read checks an answer as WeCom would, and returns its kind and text.
func read(t *testing.T, r chat.Response) (kind, text string) {
	t.Helper()
	var e struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
	if err := xml.Unmarshal(r.Body, &e); err != nil || r.Status != 0 || !strings.HasPrefix(r.Type, "application/xml") {
		t.Fatalf("%v: %+v", err, r)
	}
	if want := sign(token, e.TimeStamp, e.Nonce, e.Encrypt); e.MsgSignature != want || e.TimeStamp != stamp(now) || e.Nonce == "" {
		t.Fatalf("signature %+v, want %s", e, want)
	}
	plain, receiver := decrypt(t, key, e.Encrypt)
	var m struct {
		ToUserName, FromUserName, CreateTime, MsgType, Content string
		Button                                                 struct{ ReplaceName string }
	}
	if err := xml.Unmarshal([]byte(plain), &m); err != nil || receiver != corp || m.FromUserName != corp || m.ToUserName == "" || m.CreateTime != stamp(now) {
		t.Fatalf("%v: %s for %s", err, plain, receiver)
	}
	return m.MsgType, m.Content + m.Button.ReplaceName
}

func TestAnswer_IsCutAndEscaped(t *testing.T) {
	in, err := ours(t).Receive(deliver(good(t, textXML(corp, agent, stamp(now), "help"))))
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("演练🔥", 400)
	for name, c := range map[string]struct{ text, want string }{
		"plain":           {"Started k7m2", "Started k7m2"},
		"lines":           {"a\nb", "a\nb"},
		"mentions":        {"hi <@bob> @all @所有人 @ALL", "hi ＜@bob> @\u200ball @\u200b所有人 @\u200bALL"},
		"a link":          {`<a href="https://evil.example">x</a>`, `＜a href="https://evil.example">x＜/a>`},
		"the quote's end": {"a ]]> b", "a ]] > b"},
		"what XML lacks":  {"a\x00b\u202ec\uffffd", "a bcd"},
	} {
		if kind, text := read(t, in.Answer(chat.Answer{Text: c.text})); kind != "text" || text != c.want {
			t.Errorf("%s: %s %q, want %q", name, kind, text, c.want)
		}
	}
	_, text := read(t, in.Answer(chat.Answer{Text: long}))
	if len(text) > 2048 || len(text) < 2030 || !strings.Contains(text, "cut") || strings.Contains(text, "\ufffd") {
		t.Errorf("%d bytes: …%q", len(text), text[len(text)-40:])
	}
	if r := in.Answer(chat.Answer{Text: " \n"}); len(r.Body) != 0 || r.Type != "" {
		t.Errorf("nothing to say: %+v", r)
	}
	if a, b := in.Answer(chat.Answer{Text: "one"}).Body, in.Answer(chat.Answer{Text: "two"}).Body; bytes.Equal(a[:64], b[:64]) {
		t.Error("two answers begin alike")
	}
}
