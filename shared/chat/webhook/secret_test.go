package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat/webhook"
)

const (
	vector    = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the standard's own libraries
	vectorID  = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorSig = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	otherText = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
)

var vectorBody = []byte(`{"test": 2432232314}`)

func secrets(t testing.TB, list string) []webhook.Secret {
	t.Helper()
	s, err := webhook.ParseSecrets(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func vectorHeader() http.Header {
	h := http.Header{}
	h.Set(webhook.HeaderID, vectorID)
	h.Set(webhook.HeaderTimestamp, "1614265330")
	h.Set(webhook.HeaderSignature, vectorSig)
	return h
}

var vectorTime = time.Unix(1614265330, 0)

func TestVerify_RefusesWhatIsNotSigned(t *testing.T) {
	for name, change := range map[string]func(h http.Header, body *[]byte, at *time.Time, s *[]webhook.Secret){
		"no signature": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) { h.Del(webhook.HeaderSignature) },
		"no id":        func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) { h.Del(webhook.HeaderID) },
		"no timestamp": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) { h.Del(webhook.HeaderTimestamp) },
		"another id":   func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) { h.Set(webhook.HeaderID, "msg_2") },
		"an id with a dot": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderID, vectorID+".1")
		},
		"two ids": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) { h.Add(webhook.HeaderID, vectorID) },
		"two ids, one in small letters": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h["webhook-id"] = []string{"msg_2"}
		},
		"two signatures, one in small letters": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h["webhook-signature"] = []string{"v1,AAAA"}
		},
		"two signature headers": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Add(webhook.HeaderSignature, vectorSig)
		},
		"another timestamp": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderTimestamp, "1614265331")
		},
		"a timestamp with a sign": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderTimestamp, "+1614265330")
		},
		"a timestamp in words": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderTimestamp, "now")
		},
		"a huge timestamp": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderTimestamp, "9223372036854775807")
		},
		"a changed body":         func(_ http.Header, b *[]byte, _ *time.Time, _ *[]webhook.Secret) { *b = append([]byte(" "), *b...) },
		"a body cut short":       func(_ http.Header, b *[]byte, _ *time.Time, _ *[]webhook.Secret) { *b = (*b)[:len(*b)-1] },
		"an empty body":          func(_ http.Header, b *[]byte, _ *time.Time, _ *[]webhook.Secret) { *b = nil },
		"six minutes old":        func(_ http.Header, _ *[]byte, at *time.Time, _ *[]webhook.Secret) { *at = at.Add(6 * time.Minute) },
		"from six minutes ahead": func(_ http.Header, _ *[]byte, at *time.Time, _ *[]webhook.Secret) { *at = at.Add(-6 * time.Minute) },
		"no secret":              func(_ http.Header, _ *[]byte, _ *time.Time, s *[]webhook.Secret) { *s = nil },
		"an empty secret":        func(_ http.Header, _ *[]byte, _ *time.Time, s *[]webhook.Secret) { *s = []webhook.Secret{{}} },
		"another secret":         func(_ http.Header, _ *[]byte, _ *time.Time, s *[]webhook.Secret) { *s = secrets(t, otherText) },
		"another version": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderSignature, "v2"+vectorSig[2:])
		},
		"a signature cut short": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderSignature, vectorSig[:20])
		},
		"an empty signature": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderSignature, "v1,")
		},
		"a flood of signatures": func(h http.Header, _ *[]byte, _ *time.Time, _ *[]webhook.Secret) {
			h.Set(webhook.HeaderSignature, strings.Repeat(vectorSig+" ", 17))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, body, at, s := vectorHeader(), append([]byte(nil), vectorBody...), vectorTime, secrets(t, vector)
			change(h, &body, &at, &s)
			if id, err := webhook.Verify(h, body, s, at); !errors.Is(err, webhook.ErrAuth) || id != "" {
				t.Errorf("got id %q, error %v", id, err)
			}
		})
	}
}

func TestVerify_AnEmptySecretSignsNothing(t *testing.T) {
	h := vectorHeader()
	m := hmac.New(sha256.New, nil)
	m.Write([]byte(vectorID + ".1614265330." + string(vectorBody)))
	h.Set(webhook.HeaderSignature, "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	if _, err := webhook.Verify(h, vectorBody, []webhook.Secret{{}}, vectorTime); !errors.Is(err, webhook.ErrAuth) {
		t.Errorf("got %v", err)
	}
}

func TestVerify_TakesTheStandardsVector(t *testing.T) {
	for name, c := range map[string]struct {
		sig, secrets string
		at           time.Time
	}{
		"as it is":                 {vectorSig, vector, vectorTime},
		"with the prefix":          {vectorSig, "whsec_" + vector, vectorTime},
		"five minutes old":         {vectorSig, vector, vectorTime.Add(5 * time.Minute)},
		"five minutes ahead":       {vectorSig, vector, vectorTime.Add(-5 * time.Minute)},
		"second of two secrets":    {vectorSig, otherText + ", " + vector, vectorTime},
		"second of two signatures": {"v1,AAAA v2,x " + vectorSig, vector, vectorTime},
	} {
		t.Run(name, func(t *testing.T) {
			h := vectorHeader()
			h.Set(webhook.HeaderSignature, c.sig)
			if id, err := webhook.Verify(h, vectorBody, secrets(t, c.secrets), c.at); err != nil || id != vectorID {
				t.Errorf("got %q, %v", id, err)
			}
		})
	}
}

func TestSign_MakesTheStandardsVector(t *testing.T) {
	h := http.Header{}
	if err := webhook.Sign(h, vectorID, vectorTime, vectorBody, secrets(t, vector+","+otherText)); err != nil {
		t.Fatal(err)
	}
	first, second, _ := strings.Cut(h.Get(webhook.HeaderSignature), " ")
	if first != vectorSig || !strings.HasPrefix(second, "v1,") || h.Get(webhook.HeaderTimestamp) != "1614265330" {
		t.Errorf("got %v", h)
	}
	for _, one := range []string{vector, otherText} {
		if _, err := webhook.Verify(h, vectorBody, secrets(t, one), vectorTime); err != nil {
			t.Errorf("a receiver with one of the two secrets: %v", err)
		}
	}
}

func TestSign_RefusesToSignWithNothing(t *testing.T) {
	for name, err := range map[string]error{
		"no secret":    webhook.Sign(http.Header{}, "a", vectorTime, nil, nil),
		"empty secret": webhook.Sign(http.Header{}, "a", vectorTime, nil, []webhook.Secret{{}}),
		"no id":        webhook.Sign(http.Header{}, "", vectorTime, nil, secrets(t, vector)),
		"a line break": webhook.Sign(http.Header{}, "a\nb", vectorTime, nil, secrets(t, vector)),
		"a dot":        webhook.Sign(http.Header{}, "a.b", vectorTime, nil, secrets(t, vector)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseSecrets_SaysWhatIsWrongAndHidesTheText(t *testing.T) {
	for name, list := range map[string]string{
		"nothing":       "",
		"only commas":   " , ,",
		"not base64":    "whsec_!!!hunter2!!!",
		"empty":         "whsec_",
		"too short":     "whsec_aHVudGVyMg==",
		"too long":      "whsec_" + strings.Repeat("aHVudGVy", 20),
		"second is bad": vector + ",hunter2!",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := webhook.ParseSecrets(list)
			if err == nil || s != nil {
				t.Fatalf("got %d secrets, %v", len(s), err)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "aHVudGVy") || strings.Contains(err.Error(), vector) {
				t.Errorf("error shows a secret: %v", err)
			}
		})
	}
}

func TestSecret_IsNeverPrinted(t *testing.T) {
	s := secrets(t, vector)
	js, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %s", s, s, s[0], s[0], js)
	if strings.Contains(shown, "31 f2") || strings.Contains(shown, "0x31") || strings.Contains(shown, "49, 242") || strings.Contains(shown, vector) || !strings.Contains(shown, "[secret]") {
		t.Errorf("shown as %s", shown)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(vectorID, "1614265330", vectorSig, vectorBody)
	f.Add("", "", "v1, v1,,", []byte{})
	s := secrets(f, vector)
	f.Fuzz(func(t *testing.T, id, ts, sig string, body []byte) {
		h := http.Header{webhook.HeaderID: {id}, webhook.HeaderTimestamp: {ts}, webhook.HeaderSignature: {sig}}
		_, err := webhook.Verify(h, body, s, vectorTime)
		if err == nil && (id != vectorID || string(body) != string(vectorBody)) {
			t.Fatal("a request that nobody signed was taken")
		}
	})
}
