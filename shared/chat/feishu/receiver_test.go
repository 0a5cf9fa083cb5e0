package feishu

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
)

func TestDecrypt_OpensTheVendorsVector(t *testing.T) {
	sealed, err := base64.StdEncoding.DecodeString("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=")
	if err != nil {
		t.Fatal(err)
	}
	plain, ok := decrypt(secret.New("test key"), sealed)
	if !ok || string(plain) != "hello world" {
		t.Errorf("%q, %v", plain, ok)
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "an IV alone": sealed[:16], "cut in a block": sealed[:31], "another last byte": append(bytes.Clone(sealed[:31]), sealed[31]^1),
	} {
		if plain, ok := decrypt(secret.New("test key"), bad); ok {
			t.Errorf("%s: opened %q", name, plain)
		}
	}
	if _, ok := decrypt(secret.Text{}, sealed); ok {
		t.Error("opened with an empty key")
	}
}

func TestSignature_IsTheVendorsVector(t *testing.T) {
	const body, want = `{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}`, "669e3ed5328644f71370e3249f96af0fd17e5ed4d7b178c44f11f7997339e344"
	q := chat.Request{Body: []byte(body), Now: time.Unix(1700000000, 0), Header: http.Header{}}
	r := &Receiver{keys: []secret.Text{secret.New("test key")}}
	s := stamp{timestamp: "1700000000", nonce: "nonce123", signature: want}
	if key, ok := r.signer(s, q); !ok || key.Reveal() != "test key" {
		t.Error("the vector does not verify")
	}
	q.Body = append(q.Body, ' ')
	if _, ok := r.signer(s, q); ok {
		t.Error("the vector verifies another body")
	}
}

func TestReceive_RefusesWhatCannotBeTrusted(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, q *chat.Request, r *Receiver){
		"no headers":      func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header = http.Header{} },
		"no header map":   func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header = nil },
		"no signature":    func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header.Del(hSignature) },
		"no timestamp":    func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header.Del(hTimestamp) },
		"no nonce":        func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header.Del(hNonce) },
		"an empty header": func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header.Set(hSignature, "") },
		"two signatures":  func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header.Add(hSignature, q.Header.Get(hSignature)) },
		"two timestamps":  func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header.Add(hTimestamp, q.Header.Get(hTimestamp)) },
		"two nonces":      func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Header.Add(hNonce, q.Header.Get(hNonce)) },
		"two in two cases": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			q.Header["x-lark-nonce"] = []string{"x"}
			twice(q.Header)
		},
		"a forged signature": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			q.Header.Set(hSignature, strings.Repeat("ab", 32))
		},
		"a signature cut short": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			q.Header.Set(hSignature, q.Header.Get(hSignature)[:62])
		},
		"a signature that is no hex": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			q.Header.Set(hSignature, strings.Repeat("zz", 32))
		},
		"six minutes old":        func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Now = q.Now.Add(6 * time.Minute) },
		"from six minutes ahead": func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Now = q.Now.Add(-6 * time.Minute) },
		"a newer timestamp": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			q.Header.Set(hTimestamp, strconv.FormatInt(now.Unix()+1, 10))
		},
		"digits moved between timestamp and nonce": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			ts := q.Header.Get(hTimestamp)
			q.Header.Set(hTimestamp, ts[:9])
			q.Header.Set(hNonce, ts[9:]+q.Header.Get(hNonce))
			q.Now = time.Unix(mustInt(ts[:9]), 0)
		},
		"a signed timestamp with a sign": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			*q = signedAt(q.Body, "+"+strconv.FormatInt(now.Unix(), 10)[1:], testKey)
		},
		"an endless nonce":  func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signedNonce(q.Body, strings.Repeat("n", 129)) },
		"a body cut short":  func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Body = q.Body[:len(q.Body)-1] },
		"an empty body":     func(_ *testing.T, q *chat.Request, _ *Receiver) { q.Body = nil },
		"a body re-encoded": func(t *testing.T, q *chat.Request, _ *Receiver) { q.Body = reencode(t, q.Body) },
		"another key":       func(_ *testing.T, _ *chat.Request, r *Receiver) { r.keys = []secret.Text{secret.New("another key")} },
		"no key":            func(_ *testing.T, _ *chat.Request, r *Receiver) { r.keys = nil },
		"an empty key": func(_ *testing.T, q *chat.Request, r *Receiver) {
			r.keys = []secret.Text{{}}
			*q = signedAt(sealWith("", event()), stampOf(now), "")
		},
		"another app":            func(_ *testing.T, _ *chat.Request, r *Receiver) { r.app = "cli_other" },
		"another tenant":         func(_ *testing.T, _ *chat.Request, r *Receiver) { r.tenants = []string{"another"} },
		"another tenant outside": func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = with("header.tenant_key", "another") },
		"the key twice, first bad": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			*q = signed(bytes.Replace(q.Body, []byte("{"), []byte(`{"encrypt":"x",`), 1))
		},
		"no tenant pinned": func(_ *testing.T, _ *chat.Request, r *Receiver) { r.tenants = nil },
		"another token":    func(_ *testing.T, _ *chat.Request, r *Receiver) { r.tokens = []secret.Text{secret.New("another")} },
		"no token":         func(_ *testing.T, _ *chat.Request, r *Receiver) { r.tokens = nil },
		"an empty token": func(_ *testing.T, q *chat.Request, r *Receiver) {
			r.tokens = []secret.Text{{}}
			*q = with("header.token", "")
		},
		"a guest's tenant":   func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = with("event.sender.tenant_key", "guests") },
		"a plain body":       func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed(event()) },
		"a second key":       func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed(extend(q.Body, `,"x":1}`)) },
		"the key twice":      func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed(extend(q.Body, `,"encrypt":"x"}`)) },
		"the key in capital": func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed(extend(q.Body, `,"Encrypt":"x"}`)) },
		"something after it": func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed(append(bytes.Clone(q.Body), "{}"...)) },
		"padding of a longer hash": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			*q = signed(append(bytes.Clone(q.Body), 0x80, 0, 0, 0))
		},
		"no base64":           func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed([]byte(`{"encrypt":"!"}`)) },
		"encrypt is a number": func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed([]byte(`{"encrypt":1}`)) },
		"encrypt is null":     func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed([]byte(`{"encrypt":null}`)) },
		"a double inside": func(_ *testing.T, q *chat.Request, _ *Receiver) {
			*q = signed(seal(bytes.Replace(event(), []byte(`"header":`), []byte(`"Header":{"token":"x"},"header":`), 1)))
		},
		"no header inside":      func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed(seal([]byte(`{"schema":"2.0"}`))) },
		"no JSON inside":        func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed(seal([]byte(`hello world`))) },
		"a number for a header": func(_ *testing.T, q *chat.Request, _ *Receiver) { *q = signed(seal([]byte(`{"header":1}`))) },
	} {
		t.Run(name, func(t *testing.T) {
			r, q := receiver(), signed(seal(event()))
			change(t, &q, r)
			in, err := r.Receive(q)
			if !errors.Is(err, chat.ErrAuth) || err.Error() != chat.ErrAuth.Error() {
				t.Fatalf("got %+v, %v", in, err)
			}
			if in.Response != nil || in.From.User != "" || in.Answer != nil {
				t.Errorf("a refusal says %+v", in)
			}
		})
	}
}

func TestReceive_TakesWhatIsSigned(t *testing.T) {
	lower := http.Header{}
	for name, v := range signed(seal(event())).Header {
		lower[strings.ToLower(name)] = v
	}
	added := http.Header{}
	for name, v := range lower {
		added.Add(name, v[0])
	}
	decoded, err := base64.StdEncoding.DecodeString(base64.StdEncoding.EncodeToString(seal(event())))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(q *chat.Request, r *Receiver){
		"as it is":                 func(*chat.Request, *Receiver) {},
		"five minutes old":         func(q *chat.Request, _ *Receiver) { q.Now = q.Now.Add(5 * time.Minute) },
		"five minutes ahead":       func(q *chat.Request, _ *Receiver) { q.Now = q.Now.Add(-5 * time.Minute) },
		"headers in small letters": func(q *chat.Request, _ *Receiver) { q.Header = lower },
		"headers made canonical":   func(q *chat.Request, _ *Receiver) { q.Header = added },
		"a body that was base64":   func(q *chat.Request, _ *Receiver) { q.Body = decoded },
		"a signature in capitals": func(q *chat.Request, _ *Receiver) {
			q.Header.Set(hSignature, strings.ToUpper(q.Header.Get(hSignature)))
		},
		"the second of two keys": func(_ *chat.Request, r *Receiver) {
			r.keys = []secret.Text{secret.New("new key 2"), secret.New(testKey)}
		},
		"the second of two tokens": func(_ *chat.Request, r *Receiver) {
			r.tokens = []secret.Text{secret.New("new token"), secret.New(testToken)}
		},
		"one of two tenants": func(_ *chat.Request, r *Receiver) { r.tenants = []string{"another", tenant} },
		"signed with the newest key": func(q *chat.Request, r *Receiver) {
			r.keys = append([]secret.Text{secret.New("new key 2")}, r.keys...)
			*q = signedAt(sealWith("new key 2", event()), stampOf(now), "new key 2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, q := receiver(), signed(seal(event()))
			change(&q, r)
			in, err := r.Receive(q)
			if err != nil || in.Text != "/drill start x" || in.From.String() != "feishu:"+tenant+"/ou_alice" {
				t.Errorf("got %+v, %v", in, err)
			}
		})
	}
}

func TestReceive_AnswersTheHandshakeAndNothingElse(t *testing.T) {
	hello := []byte(`{"challenge":"ajls384kdjx98XX<>","token":"` + testToken + `","type":"url_verification"}`)
	for name, q := range map[string]chat.Request{
		"not signed":          {Body: seal(hello), Header: http.Header{}, Now: now},
		"signed":              signed(seal(hello)),
		"with a request's id": {Body: seal(hello), Header: http.Header{"X-Request-Id": {"1"}}, Now: now},
	} {
		in, err := receiver().Receive(q)
		if err != nil || in.Response == nil || string(in.Response.Body) != `{"challenge":"ajls384kdjx98XX<>"}` || in.Response.Status != http.StatusOK {
			t.Errorf("%s: %+v, %v", name, in.Response, err)
		}
	}
	old := receiver()
	old.keys = []secret.Text{secret.New("new key 2"), secret.New(testKey)}
	if in, err := old.Receive(chat.Request{Body: seal(hello), Now: now}); err != nil || in.Response == nil {
		t.Errorf("with the older of two keys: %v", err)
	}
	for name, body := range map[string][]byte{
		"not encrypted":     hello,
		"another token":     seal([]byte(`{"challenge":"x","token":"another","type":"url_verification"}`)),
		"no token":          seal([]byte(`{"challenge":"x","type":"url_verification"}`)),
		"no challenge":      seal([]byte(`{"token":"` + testToken + `","type":"url_verification"}`)),
		"a huge challenge":  seal([]byte(`{"challenge":"` + strings.Repeat("x", 1025) + `","token":"` + testToken + `","type":"url_verification"}`)),
		"a huge body":       seal(append(hello, bytes.Repeat([]byte(" "), 4096)...)),
		"an event":          seal(event()),
		"another type":      seal([]byte(`{"challenge":"x","token":"` + testToken + `","type":"event_callback"}`)),
		"the token doubled": seal([]byte(`{"challenge":"x","token":"` + testToken + `","Token":"y","type":"url_verification"}`)),
		"another key":       sealWith("another key", hello),
		"nothing":           nil,
	} {
		in, err := receiver().Receive(chat.Request{Body: body, Header: http.Header{}, Now: now})
		if !errors.Is(err, chat.ErrAuth) || in.Response != nil {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
}

func FuzzReceive(f *testing.F) {
	good := signed(seal(event()))
	f.Add(good.Header.Get(hTimestamp), good.Header.Get(hNonce), good.Header.Get(hSignature), good.Body)
	f.Add("1700000000", "nonce123", "669e3ed5328644f71370e3249f96af0fd17e5ed4d7b178c44f11f7997339e344", []byte(`{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}`))
	f.Add("", "", "", seal([]byte(`{"challenge":"x","token":"`+testToken+`","type":"url_verification"}`)))
	f.Add("", "", "", []byte(`{"encrypt":""}`))
	r := receiver()
	f.Fuzz(func(t *testing.T, ts, nonce, sig string, body []byte) {
		h := http.Header{}
		for name, v := range map[string]string{hTimestamp: ts, hNonce: nonce, hSignature: sig} {
			if v != "" {
				h.Set(name, v)
			}
		}
		in, err := r.Receive(chat.Request{Header: h, Body: body, Now: now})
		if err == nil && in.Response == nil && (!bytes.Equal(body, good.Body) || !strings.EqualFold(sig, good.Header.Get(hSignature))) {
			t.Fatalf("a request that nobody signed was taken: %+v", in)
		}
	})
}

// FuzzEvent looks behind the signature: whatever Feishu sends, nobody panics and nobody is anonymous.
func FuzzEvent(f *testing.F) {
	f.Add(event())
	f.Add(press(`{"t":"1.approve.x"}`))
	f.Add([]byte(`{"header":{"token":"` + testToken + `","app_id":"cli_drill","tenant_key":"` + tenant + `","event_type":"im.message.receive_v1"},"event":{"sender":{"sender_type":"user"}}}`))
	r := receiver()
	f.Fuzz(func(t *testing.T, plain []byte) {
		in, err := r.Receive(signed(seal(plain)))
		if err != nil || in.Response != nil {
			return
		}
		if in.From.User == "" || in.From.Tenant != tenant || in.ID == "" || in.Answer == nil || in.Text != "" && in.Token != "" {
			t.Fatalf("got %+v", in)
		}
		in.Answer(chat.Answer{Text: in.Text})
	})
}

func FuzzUnique(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":{"a":[{"a":1},{"a":2}]}}`, `{"a":1,"A":2}`, `{"k":1,"\u212a":2}`, `[[],{}]`, `1`, `{"a":{"b":1},"b":2}`, `{"s":1,"ſ":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if chat.Unambiguous(raw) && !json.Valid(raw) {
			t.Fatalf("%q is no JSON", raw)
		}
	})
}

func TestUnique(t *testing.T) {
	for raw, want := range map[string]bool{
		`{}`: true, `1`: true, `{"a":1,"b":2}`: true, `{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}`: true, `{"a":[1,2],"b":1}`: true,
		`{"a":1,"a":1}`: false, `{"a":1,"A":1}`: false, `{"k":1,"K":1}`: false, `{"s":1,"ſ":1}`: false, `{"x":{"a":1,"a":2}}`: false,
		`[{"a":{},"a":[]}]`: false, `{"a":1}{}`: false, ``: false, `{`: false, `{"a":1,"b":"a","a":2}`: false,
	} {
		if got := chat.Unambiguous([]byte(raw)); got != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}
