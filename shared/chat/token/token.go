package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

const (
	minKey  = 32 // bytes
	maxKey  = 128
	macSize = 16 // bytes of a MAC that a token carries
	ofSize  = 8  // characters

	// MaxPress is the longest that a button's token gets, in ASCII characters: Discord's custom_id takes 100, WeCom's key 128 bytes.
	MaxPress = 80
)

// What is wrong with a token.
var (
	ErrForged  = errors.New("this was not made by this deployment")
	ErrExpired = errors.New("this has expired")
)

// Keys sign and seal. The zero value has none: it opens nothing and makes nothing. Every way to print it hides it.
type Keys struct{ list []key }

type key struct{ press, link, seal []byte }

// ParseKeys reads a comma-separated list of base64 keys of at least 32 bytes, newest first, as it stands in the environment. Its
// errors do not repeat the text.
func ParseKeys(list string) (Keys, error) {
	var k Keys
	for i, s := range strings.Split(list, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(raw) < minKey || len(raw) > maxKey {
			return Keys{}, fmt.Errorf("number %d: want %d to %d bytes in base64; head -c 32 /dev/urandom | base64 makes one", i+1, minKey, maxKey)
		}
		derived, err := derive(raw)
		if err != nil {
			return Keys{}, err
		}
		k.list = append(k.list, derived)
	}
	if len(k.list) == 0 {
		return Keys{}, errors.New("no key given")
	}
	return k, nil
}

func derive(raw []byte) (k key, err error) {
	for purpose, to := range map[string]*[]byte{"press": &k.press, "link": &k.link, "seal": &k.seal} {
		if *to, err = hkdf.Key(sha256.New, raw, nil, "firedrill chat "+purpose, sha256.Size); err != nil {
			return key{}, fmt.Errorf("derive key: %w", err)
		}
	}
	return k, nil
}

// Empty reports whether there is no key.
func (k Keys) Empty() bool { return len(k.list) == 0 }

// String hides the keys.
func (Keys) String() string { return "[keys]" }

// GoString hides the keys.
func (Keys) GoString() string { return "[keys]" }

// LogValue hides the keys.
func (Keys) LogValue() slog.Value { return slog.StringValue("[keys]") }

// Press is what a button asks for.
type Press struct {
	Verb  string // a verb of package grammar, at most 10 letters
	Drill string // whole id
	Of    string // what exactly: Of the gate, claim or plan
	Until time.Time
}

// Of condenses what a press is about, such as a gate and the hash of what it asks, to 8 characters that a token has room for.
// The whole token is signed, so that nobody but we could make use of two things that condense to the same.
func Of(parts ...string) string { return events.ID(parts...)[:ofSize] }

// Press returns a button's token: 1.<verb>.<drill>.<of>.<until>.<mac>, at most MaxPress characters of [0-9A-Za-z_.-].
func (k Keys) Press(p Press) (string, error) {
	if k.Empty() {
		return "", errors.New("sign button: no key")
	}
	for _, part := range []string{p.Verb, p.Drill, p.Of} {
		if part == "" || strings.Contains(part, ".") {
			return "", errors.New("sign button: verb, drill or subject is empty or has a dot")
		}
	}
	body := strings.Join([]string{"1", p.Verb, p.Drill, p.Of, strconv.FormatInt(p.Until.Unix(), 36)}, ".")
	t := body + "." + mac(k.list[0].press, body)
	if len(t) > MaxPress {
		return "", fmt.Errorf("sign button: the token has %d characters, at most %d are allowed", len(t), MaxPress)
	}
	return t, nil
}

// OpenPress reads a button's token. One that we did not make is ErrForged, one that is too old ErrExpired; what it asked for is
// returned with the latter.
func (k Keys) OpenPress(t string, now time.Time) (Press, error) {
	parts := strings.Split(t, ".")
	if len(t) > MaxPress || len(parts) != 6 || parts[0] != "1" {
		return Press{}, ErrForged
	}
	body := strings.Join(parts[:5], ".")
	if !k.signed(func(k key) []byte { return k.press }, body, parts[5]) {
		return Press{}, ErrForged
	}
	until, err := strconv.ParseInt(parts[4], 36, 64)
	if err != nil {
		return Press{}, ErrForged
	}
	p := Press{Verb: parts[1], Drill: parts[2], Of: parts[3], Until: time.Unix(until, 0)}
	if now.After(p.Until) {
		return p, ErrExpired
	}
	return p, nil
}

// Link returns the token of a link to a drill's report: <until>.<mac>.
func (k Keys) Link(drill string, until time.Time) (string, error) {
	if k.Empty() {
		return "", errors.New("sign link: no key")
	}
	at := strconv.FormatInt(until.Unix(), 36)
	return at + "." + mac(k.list[0].link, drill+"."+at), nil
}

// LinkLife is how long a link to a report is good.
const LinkLife = 24 * time.Hour

// Signed returns a link to a drill's page with a token that is good for LinkLife; without keys, the link as it is.
func (k Keys) Signed(link, drill string, now time.Time) string {
	t, err := k.Link(drill, now.Add(LinkLife))
	u, bad := url.Parse(link)
	if err != nil || bad != nil || link == "" {
		return link
	}
	q := u.Query()
	q.Set("t", t)
	u.RawQuery = q.Encode()
	return u.String()
}

// OpenLink checks the token of a link to a drill's report.
func (k Keys) OpenLink(drill, t string, now time.Time) error {
	at, sum, found := strings.Cut(t, ".")
	if !found || len(t) > MaxPress || !k.signed(func(k key) []byte { return k.link }, drill+"."+at, sum) {
		return ErrForged
	}
	until, err := strconv.ParseInt(at, 36, 64)
	if err != nil {
		return ErrForged
	}
	if now.After(time.Unix(until, 0)) {
		return ErrExpired
	}
	return nil
}

func mac(key []byte, body string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:macSize])
}

// signed reports whether any key made the sum; all are tried, in constant time each.
func (k Keys) signed(of func(key) []byte, body, sum string) bool {
	ok := false
	for _, one := range k.list {
		if hmac.Equal([]byte(mac(of(one), body)), []byte(sum)) {
			ok = true
		}
	}
	return ok
}

// Seal encrypts a text that others carry for us and must not read, such as a reply URL on the bus (AES-256-GCM).
func (k Keys) Seal(plain string) (string, error) {
	if k.Empty() {
		return "", errors.New("seal: no key")
	}
	g, err := gcm(k.list[0].seal)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(g.Seal(nil, nil, []byte(plain), nil)), nil
}

// Open decrypts what Seal made; anything else is ErrForged.
func (k Keys) Open(sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return "", ErrForged
	}
	for _, one := range k.list {
		g, err := gcm(one.seal)
		if err != nil {
			return "", fmt.Errorf("open: %w", err)
		}
		if plain, err := g.Open(nil, nil, raw, nil); err == nil {
			return string(plain), nil
		}
	}
	return "", ErrForged
}

// gcm picks and carries the nonce itself.
func gcm(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}
