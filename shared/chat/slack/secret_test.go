package slack

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestSigned_AnEmptyKeyVerifiesNothing(t *testing.T) {
	now := time.Unix(1531420618, 0)
	body := []byte("command=/drill")
	h := http.Header{}
	h.Set(headerTimestamp, "1531420618")
	h.Set(headerSignature, "v0="+hex.EncodeToString(secret{}.mac("1531420618", body)))
	q := chat.Request{Header: h, Body: body, Now: now}
	for _, secrets := range [][]secret{nil, {}, {{}}, {{key: []byte{}}, {key: []byte("another")}}} {
		if _, ok := signed(q, secrets); ok {
			t.Errorf("%d secrets: it was taken", len(secrets))
		}
	}
}

func TestSecrets_AreNeverPrinted(t *testing.T) {
	all, err := parseTokens("T0DRILL=xoxb-hunter2-hunter2")
	if err != nil {
		t.Fatal(err)
	}
	s := secret{key: []byte("hunter2hunter2")}
	one := all.of("T0DRILL")[0]
	js, err := json.Marshal([]any{s, one, all})
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %v %+v %#v %s %s", s, s, s, s, one, one, one, all, all, all, js, s.LogValue().String()+one.LogValue().String()+all.LogValue().String())
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, "104 117") || strings.Contains(shown, "0x68, 0x75") {
		t.Errorf("a secret is shown: %s", shown)
	}
}
