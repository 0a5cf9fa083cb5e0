package feishu

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// What the tests sign with, and how Feishu writes it down. None of it is made by the code under test.
const (
	testKey   = "encrypt key 1"
	testToken = "verification-token"
	tenant    = "2ed263bf32cf1651"

	hTimestamp = "X-Lark-Request-Timestamp"
	hNonce     = "X-Lark-Request-Nonce"
	hSignature = "X-Lark-Signature"
)

var now = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)

func receiver() *Receiver {
	return &Receiver{app: "cli_drill", keys: []secret{{text: testKey}}, tokens: []secret{{text: testToken}}, tenants: []string{tenant}}
}

func seal(plain []byte) []byte { return sealWith(testKey, plain) }

func sealWith(key string, plain []byte) []byte {
	sum := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		panic(err)
	}
	pad := 16 - len(plain)%16
	text := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	iv := []byte("0123456789abcdef")
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	return []byte(`{"encrypt":"` + base64.StdEncoding.EncodeToString(append(iv, text...)) + `"}`)
}

func stampOf(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func signed(body []byte) chat.Request { return signedAt(body, stampOf(now), testKey) }

func signedAt(body []byte, timestamp, key string) chat.Request {
	return request(body, timestamp, "nonce123", key)
}

func signedNonce(body []byte, nonce string) chat.Request {
	return request(body, stampOf(now), nonce, testKey)
}

func request(body []byte, timestamp, nonce, key string) chat.Request {
	sum := sha256.Sum256([]byte(timestamp + nonce + key + string(body)))
	h := http.Header{}
	h.Set(hTimestamp, timestamp)
	h.Set(hNonce, nonce)
	h.Set(hSignature, hex.EncodeToString(sum[:]))
	return chat.Request{Method: http.MethodPost, Header: h, Body: body, Now: now}
}

func event() []byte {
	return []byte(`{"schema":"2.0","header":{"event_id":"5e3702a84e847582be8db7fb73283c02","event_type":"im.message.receive_v1","create_time":"1764324000000",` +
		`"token":"` + testToken + `","app_id":"cli_drill","tenant_key":"` + tenant + `"},` +
		`"event":{"sender":{"sender_id":{"union_id":"on_1","user_id":null,"open_id":"ou_alice"},"sender_type":"user","tenant_key":"` + tenant + `"},` +
		`"message":{"message_id":"om_1","create_time":"1764324000000","chat_id":"oc_drills","chat_type":"group","message_type":"text",` +
		`"content":"{\"text\":\"@_user_1 /drill start x\"}",` +
		`"mentions":[{"key":"@_user_1","id":{"union_id":"on_2","user_id":"","open_id":"ou_bot"},"name":"Firedrill","tenant_key":"` + tenant + `"}]}}}`)
}

func press(value string) []byte {
	return []byte(`{"schema":"2.0","header":{"event_id":"f7984f25108f8137722bb63cee927e66","event_type":"card.action.trigger","create_time":"1764324000000000",` +
		`"token":"` + testToken + `","app_id":"cli_drill","tenant_key":"` + tenant + `"},` +
		`"event":{"operator":{"tenant_key":"` + tenant + `","user_id":"","open_id":"ou_bob","union_id":"on_3"},"token":"c-1",` +
		`"action":{"value":` + value + `,"tag":"button","name":""},"host":"im_message",` +
		`"context":{"open_message_id":"om_7","open_chat_id":"oc_drills"}}}`)
}

// with returns the signed event with one text changed, before encryption: path is event.message.chat_type, and so on.
func with(path string, value any) chat.Request { return signed(seal(set(event(), path, value))) }

func set(raw []byte, path string, value any) []byte {
	var e map[string]any
	if err := json.Unmarshal(raw, &e); err != nil {
		panic(err)
	}
	at, parts := e, strings.Split(path, ".")
	for _, p := range parts[:len(parts)-1] {
		at = at[p].(map[string]any)
	}
	at[parts[len(parts)-1]] = value
	out, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return out
}

func text(s string) string {
	b, err := json.Marshal(map[string]string{"text": s})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func reencode(t *testing.T, body []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func extend(body []byte, tail string) []byte {
	return append(bytes.TrimSuffix(bytes.Clone(body), []byte("}")), tail...)
}

// twice adds every header once more under its name in small letters.
func twice(h http.Header) {
	for name, v := range maps.Clone(h) {
		h[strings.ToLower(name)] = v
	}
}

func mustInt(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}
