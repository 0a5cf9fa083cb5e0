package feishu

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
)

// cut returns at most n bytes of s, whole characters alone. What was cut is shown by an ellipsis, whose 3 bytes count.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(n-len("…"), 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// words makes a text of several lines safe to show in plain_text: nothing in it is interpreted there.
func words(s string, n int) string { return cut(strings.Trim(chat.Clean(s), "\n"), n) }

// line is the same for one line.
func line(s string, n int) string { return cut(strings.Join(strings.Fields(chat.Clean(s)), " "), n) }

// literal makes a text safe in a message of type text, where Feishu interprets <at …>, <b> and [text](link) and knows no escape: what
// would open them is replaced by what looks like it.
func literal(s string) string {
	return strings.NewReplacer("<", "＜", "](", "] (").Replace(chat.Clean(s))
}

// dedupe makes the uuid with which Feishu takes a message once an hour: at most 50 characters, and not the same for two places.
func dedupe(parts ...string) string {
	if parts[0] == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:20])
}
