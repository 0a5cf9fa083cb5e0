package wecom_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// The vendor's own sample, as its Go code shows it.
const (
	sampleToken  = "QDG6eK"
	sampleKey    = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	sampleCorp   = "wx5823bf96d3bd56c7"
	sampleEcho   = "msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&timestamp=1409659589&nonce=263014780&echostr=P9nAzCzyDtyTWESHep1vC5X9xho%2FqYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp%2B4RPcs8TgAE7OaBO%2BFZXvnaqQ%3D%3D"
	sampleQuery  = "msg_signature=477715d11cdb4164915debcba66cb864d751f3e6&timestamp=1409659813&nonce=1372623149"
	sampleCipher = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
	sampleBody   = "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName><Encrypt><![CDATA[" + sampleCipher + "]]></Encrypt><AgentID><![CDATA[218]]></AgentID></xml>"
)

// Another real delivery, which an independent client keeps as a test.
const (
	otherToken = "kz7Yx62CH8SaLN"
	otherKey   = "cD0d7jx4tYvVtzqrmh3Dm3QFCXe6f8SlHoMtMh3qQEP"
	otherQuery = "msg_signature=f265ae551b1932727204c3d707628d01376a6940&timestamp=1583995625&nonce=1584392382"
	otherBody  = "<xml><ToUserName><![CDATA[ww6a112864f8022910]]></ToUserName><Encrypt><![CDATA[EUCt7xMcNiyASzZj0Hjc5yDjFQrCum6AfQ3ntHiUzjGQ51xieKmbvtrZ40/EcB2W/W8yH0n4Lqx48gJl/T9HD/R309I0P/r5pIZucK3lyEn48FYMr4YdE0QdL2jIJ3xkcXUr6uzefzCxG6lMvwpAJaOyVCzN7sRRw47njfxy5EIqU6R9ZBhlTzfdnhhOhK/nTwzrZX3SoGlXFA9OBeZ6ru1NWpXFk76x9DUMe0lcxPPiUqK8ctnQcYXSGUHVqC6DfG7E7mab0OmruNN8cBZY5d3dYOBA4OgaH55Q0AJmUpdT8vNiXpXx+6TxT3TIjySXpDrHVyrsb772aYywgg/Nu4kUmGkALwFZlzhjNegR7wDwb9lr4ERXsSSS8JZ8lbBmaQ3F2Tq584xoPj5rIhXAF734ynm4no1g+SdHiNqR328=]]></Encrypt><AgentID><![CDATA[1000002]]></AgentID></xml>"
)

const (
	corp  = "wwdrill0000000001"
	agent = "1000002"
	token = "tokenOfTheTest1"
	key   = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

var now = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// encrypt is written here once more, by the vendor's page.
func encrypt(t testing.TB, key, receiver, plain string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(key + "=")
	if err != nil {
		t.Fatal(err)
	}
	text := append([]byte("0123456789abcdef"), binary.BigEndian.AppendUint32(nil, uint32(len(plain)))...)
	text = append(append(text, plain...), receiver...)
	pad := 32 - len(text)%32
	text = append(text, bytes.Repeat([]byte{byte(pad)}, pad)...)
	return cbc(t, raw, text)
}

func cbc(t testing.TB, key, text []byte) string {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(text))
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(out, text)
	return base64.StdEncoding.EncodeToString(out)
}

func decrypt(t testing.TB, key, text string) (plain, receiver string) {
	t.Helper()
	raw, err1 := base64.StdEncoding.DecodeString(key + "=")
	out, err2 := base64.StdEncoding.DecodeString(text)
	block, err3 := aes.NewCipher(raw)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCDecrypter(block, raw[:16]).CryptBlocks(out, out)
	pad := int(out[len(out)-1])
	if len(out)%32 != 0 || pad < 1 || pad > 32 {
		t.Fatalf("%d bytes, padding %d", len(out), pad)
	}
	n := int(binary.BigEndian.Uint32(out[16:20]))
	return string(out[20 : 20+n]), string(out[20+n : len(out)-pad])
}

func sign(parts ...string) string {
	slices.Sort(parts)
	return fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(parts, ""))))
}

// delivery is a request that somebody could send.
type delivery struct {
	method, ts, nonce, text string // text is the ciphertext
	sum                     string // "" means the good one
	token                   string
	at                      time.Time
	query                   url.Values // "" means the usual four
	body                    []byte
	header                  http.Header
}

func deliver(d delivery) chat.Request {
	if d.method == "" {
		d.method = http.MethodPost
	}
	if d.sum == "" {
		d.sum = sign(d.token, d.ts, d.nonce, d.text)
	}
	if d.query == nil {
		d.query = url.Values{"msg_signature": {d.sum}, "timestamp": {d.ts}, "nonce": {d.nonce}}
	}
	if d.body == nil && d.method == http.MethodPost {
		d.body = []byte("<xml><ToUserName><![CDATA[" + corp + "]]></ToUserName><Encrypt><![CDATA[" + d.text + "]]></Encrypt><AgentID><![CDATA[" + agent + "]]></AgentID></xml>")
	}
	return chat.Request{Method: d.method, Header: d.header, Query: d.query, Body: d.body, Now: d.at}
}

func textXML(corp, agent, created, content string) string {
	return "<xml><ToUserName><![CDATA[" + corp + "]]></ToUserName><FromUserName><![CDATA[alice]]></FromUserName><CreateTime>" + created +
		"</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[" + content + "]]></Content><MsgId>7182</MsgId><AgentID>" + agent + "</AgentID></xml>"
}

func eventXML(event, more string) string {
	return "<xml><ToUserName><![CDATA[" + corp + "]]></ToUserName><FromUserName><![CDATA[bob]]></FromUserName><CreateTime>" + stamp(now) +
		"</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[" + event + "]]></Event>" + more + "<AgentID>" + agent + "</AgentID></xml>"
}

func stamp(at time.Time) string { return fmt.Sprint(at.Unix()) }

// good is a delivery of that plain text as WeCom would make it.
func good(t testing.TB, plain string) delivery {
	return delivery{ts: stamp(now), nonce: "1372623149", text: encrypt(t, key, corp, plain), token: token, at: now}
}
