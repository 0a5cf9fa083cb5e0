package dingtalk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
)

// The headers that DingTalk signs with: the first two of a robot's messages, the others of a card's callbacks.
const (
	headerTime     = "timestamp"
	headerSign     = "sign"
	headerCardTime = "x-ddpaas-signature-timestamp"
	headerCardSign = "x-ddpaas-signature"
)

// mac makes a signature of a time.
type mac func(s secret.Text, timestamp string) []byte

// robotMAC is the signature of a robot's messages, and of what we send to a custom robot.
func robotMAC(s secret.Text, timestamp string) []byte { return hash(s, timestamp+"\n"+s.Reveal()) }

// cardMAC is the signature of a card's callbacks.
func cardMAC(s secret.Text, timestamp string) []byte { return hash(s, timestamp) }

func hash(s secret.Text, message string) []byte {
	m := hmac.New(sha256.New, []byte(s.Reveal()))
	m.Write([]byte(message))
	return m.Sum(nil)
}

// verify checks the signature of a time with any of the secrets and returns it. Every failure is chat.ErrAuth.
func verify(h http.Header, timeName, signName string, secrets []secret.Text, sum mac, now time.Time) ([sha256.Size]byte, error) {
	none := [sha256.Size]byte{}
	ts, sign := chat.Once(h, timeName), chat.Once(h, signName)
	if !fresh(ts, now) || len(sign) != base64.StdEncoding.EncodedLen(sha256.Size) {
		return none, chat.ErrAuth
	}
	got, err := base64.StdEncoding.Strict().DecodeString(sign)
	if err != nil || len(got) != sha256.Size {
		return none, chat.ErrAuth
	}
	ok := false
	for _, s := range secrets { // all of them, so that it takes the same time whichever it was
		if s.Reveal() != "" && hmac.Equal(got, sum(s, ts)) {
			ok = true
		}
	}
	if !ok {
		return none, chat.ErrAuth
	}
	return [sha256.Size]byte(got), nil
}

// fresh reports whether a time in milliseconds is close to ours. The vendor allows an hour for robots and says nothing for cards.
func fresh(ts string, now time.Time) bool {
	if len(ts) != 13 || strings.Trim(ts, "0123456789") != "" {
		return false
	}
	n, err := strconv.ParseInt(ts, 10, 64)
	return err == nil && chat.Fresh(time.UnixMilli(n), now)
}
