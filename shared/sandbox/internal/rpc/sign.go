package rpc

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	acs3Algorithm = "ACS3-HMAC-SHA256"
	timeLayout    = "2006-01-02T15:04:05Z"
	// skew is how far a timestamp may be off, and how long a nonce is remembered. The vendor documents 15 minutes.
	skew = 15 * time.Minute
)

// Verifier checks signatures. It remembers nonces, so that a replay is refused.
type Verifier struct {
	AccessKey, Secret string
	Real              func() time.Time // the real clock: clients sign with theirs

	mu     sync.Mutex
	nonces map[string]time.Time
}

// Verify returns nil if the request is signed as the vendor demands.
func (v *Verifier) Verify(q Request) *Error {
	if q.acs3() {
		return v.verifyACS3(q)
	}
	for _, name := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"} {
		if q.Get(name) == "" {
			return Missing(name)
		}
	}
	if q.Get("SignatureMethod") != "HMAC-SHA1" {
		return Refuse(http.StatusBadRequest, "InvalidParameter.SignatureMethod", "The specified parameter SignatureMethod is not valid.")
	}
	if q.Get("SignatureVersion") != "1.0" {
		return Refuse(http.StatusBadRequest, "InvalidParameter.SignatureVersion", "The specified parameter SignatureVersion is not valid.")
	}
	if e := v.checkTime(q.Get("Timestamp")); e != nil {
		return e
	}
	if q.Get("AccessKeyId") != v.AccessKey {
		return Refuse(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	text := StringToSign(q.http.Method, q.Params)
	if !hmac.Equal([]byte(Signature(v.Secret, text)), []byte(q.Get("Signature"))) {
		return mismatch(text)
	}
	return v.useNonce(q.Get("SignatureNonce"))
}

func mismatch(text string) *Error {
	return Refuse(http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:"+text)
}

func (v *Verifier) checkTime(stamp string) *Error {
	at, err := time.Parse(timeLayout, stamp)
	if err != nil {
		return Refuse(http.StatusBadRequest, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	}
	if d := v.Real().Sub(at); d > skew || d < -skew {
		return Refuse(http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	return nil
}

func (v *Verifier) useNonce(nonce string) *Error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.Real()
	if v.nonces == nil {
		v.nonces = map[string]time.Time{}
	}
	if len(v.nonces) > 10_000 {
		for k, at := range v.nonces {
			if now.Sub(at) > 2*skew {
				delete(v.nonces, k)
			}
		}
	}
	if at, used := v.nonces[nonce]; used && now.Sub(at) <= 2*skew {
		return Refuse(http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	v.nonces[nonce] = now
	return nil
}

// StringToSign builds what an HMAC-SHA1 signature covers: method, path and every parameter but the signature itself.
func StringToSign(method string, p url.Values) string {
	return method + "&%2F&" + escape(canonical(p))
}

// Signature signs the text with the secret, as SignatureMethod HMAC-SHA1 does.
func Signature(secret, text string) string {
	m := hmac.New(sha1.New, []byte(secret+"&"))
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func canonical(p url.Values) string {
	keys := make([]string, 0, len(p))
	for k := range p {
		if k != "Signature" {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, k := range keys {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(k) + "=" + escape(p.Get(k)))
	}
	return b.String()
}

// escape is RFC 3986 percent-encoding.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// verifyACS3 checks the signature that newer clients put into the Authorization header.
func (v *Verifier) verifyACS3(q Request) *Error {
	h := q.http.Header
	for _, name := range []string{"x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"} {
		if h.Get(name) == "" {
			return Missing(name)
		}
	}
	if e := v.checkTime(h.Get("x-acs-date")); e != nil {
		return e
	}
	if q.AccessKey() != v.AccessKey {
		return Refuse(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	}
	if sum := hexSum(q.body); sum != h.Get("x-acs-content-sha256") {
		return Refuse(http.StatusBadRequest, "InvalidParameter.ContentSha256", "The specified x-acs-content-sha256 does not match the body.")
	}
	text := acs3Algorithm + "\n" + hexSum([]byte(q.acs3Canonical()))
	if !hmac.Equal([]byte(hexHMAC(v.Secret, text)), []byte(q.acs3Field("Signature"))) {
		return mismatch(text)
	}
	return v.useNonce(h.Get("x-acs-signature-nonce"))
}

func (q Request) acs3Canonical() string {
	path := q.http.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	signed := strings.Split(q.acs3Field("SignedHeaders"), ";")
	var headers strings.Builder
	for _, name := range signed {
		value := q.http.Header.Get(name)
		if name == "host" {
			value = q.Host
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	return strings.Join([]string{
		q.http.Method, path, canonical(q.http.URL.Query()), headers.String(), strings.Join(signed, ";"), q.http.Header.Get("x-acs-content-sha256"),
	}, "\n")
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func hexHMAC(secret, text string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}
