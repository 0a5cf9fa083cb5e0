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
)

func FuzzReceive(f *testing.F) {
	f.Add("POST", sampleQuery, []byte(sampleBody), int64(1409659813))
	f.Add("GET", sampleEcho, []byte(nil), int64(1409659589))
	f.Add("POST", otherQuery, []byte(otherBody), int64(1583995625))
	f.Add("POST", "msg_signature=00&timestamp=1&nonce=1", []byte("<xml><Encrypt>AAAA</Encrypt></xml>"), int64(1))
	r := receiver(f, sampleCorp, "218", sampleToken, sampleKey)
	f.Fuzz(func(t *testing.T, method, rawQuery string, body []byte, at int64) {
		q, err := url.ParseQuery(rawQuery)
		if err != nil {
			return
		}
		in, err := r.Receive(chat.Request{Method: method, Query: q, Body: body, Now: time.Unix(at, 0)})
		if errors.Is(err, chat.ErrAuth) {
			return
		}
		text := q.Get("echostr")
		if method == http.MethodPost {
			text = sampleCipher // the only one that was ever signed
		}
		if !strings.EqualFold(q.Get("msg_signature"), sign(sampleToken, q.Get("timestamp"), q.Get("nonce"), text)) {
			t.Errorf("took %+v, %v for %s %s", in, err, method, rawQuery)
		}
	})
}

// FuzzReceive_SignedNonsense is what a WeCom gone mad could send: anything at all, with a good signature.
func FuzzReceive_SignedNonsense(f *testing.F) {
	f.Add([]byte(textXML(corp, agent, stamp(now), "hello")), false)
	f.Add([]byte(eventXML("template_card_event", "<EventKey>k</EventKey>")), false)
	f.Add([]byte("<xml/>"), false)
	f.Add(bytes.Repeat([]byte{32}, 64), true)
	raw, _ := base64.StdEncoding.DecodeString(key + "=")
	f.Fuzz(func(t *testing.T, plain []byte, blocks bool) {
		text := ""
		if blocks {
			text = cbc(t, raw, plain[:len(plain)/16*16])
		} else {
			text = encrypt(t, key, corp, string(plain))
		}
		in, err := ours(t).Receive(deliver(delivery{ts: stamp(now), nonce: "1", text: text, token: token, at: now}))
		if err == nil && in.Response == nil && (in.From.User == "" || in.ID == "" || in.Answer == nil || in.Text == "" && in.Token == "" && !bytes.Contains(plain, []byte("Content"))) {
			t.Errorf("%q: %+v", plain, in)
		}
		if err == nil && in.Answer != nil {
			in.Answer(chat.Answer{Text: string(plain), Done: string(plain)})
		}
	})
}
