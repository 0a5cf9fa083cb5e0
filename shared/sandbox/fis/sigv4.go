package fis

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	stamp      = "20060102T150405Z"
	maxSkew    = 5 * time.Minute
	mismatch   = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	badToken   = "The security token included in the request is invalid."
	noAuth     = "Missing Authentication Token"
	noUnsigned = "UNSIGNED-PAYLOAD"
)

// authorization is the parsed header of a signed request.
type authorization struct {
	key, date, region, service string
	headers                    []string
	signature                  string
}

// scope is what the credential of the request says it is for; ok is false when the request is not signed.
func scope(r *http.Request) (authorization, bool) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm)
	if !ok {
		return authorization{}, false
	}
	var a authorization
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			f := strings.Split(value, "/")
			if len(f) != 5 || f[4] != "aws4_request" {
				return authorization{}, false
			}
			a.key, a.date, a.region, a.service = f[0], f[1], f[2], f[3]
		case "SignedHeaders":
			a.headers = strings.Split(value, ";")
		case "Signature":
			a.signature = value
		}
	}
	return a, a.key != ""
}

// verify checks the request's signature against the only key that the sandbox knows.
func (s *Service) verify(r *http.Request, body []byte, name string) *failure {
	if r.Header.Get("Authorization") == "" {
		return fail(http.StatusForbidden, "MissingAuthenticationTokenException", noAuth)
	}
	a, ok := scope(r)
	if !ok || a.signature == "" || !slices.Contains(a.headers, "host") {
		return fail(http.StatusForbidden, "IncompleteSignatureException",
			"Authorization header requires 'Credential', 'SignedHeaders' with 'host', and 'Signature' parameters.")
	}
	if a.key != s.env.AccessKey {
		return fail(http.StatusForbidden, "UnrecognizedClientException", badToken)
	}
	if a.service != name {
		return fail(http.StatusForbidden, "InvalidSignatureException",
			fmt.Sprintf("Credential should be scoped to correct service: '%s'. ", name))
	}
	at, err := time.Parse(stamp, r.Header.Get("X-Amz-Date"))
	if err != nil || !slices.Contains(a.headers, "x-amz-date") || !strings.HasPrefix(r.Header.Get("X-Amz-Date"), a.date) {
		return fail(http.StatusForbidden, "IncompleteSignatureException",
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	}
	if f := skewed(at, s.env.Real()); f != nil {
		return f
	}
	if !hmac.Equal([]byte(a.signature), []byte(sign(r, body, a, at, s.env.Secret))) {
		return fail(http.StatusForbidden, "InvalidSignatureException", mismatch)
	}
	return nil
}

// skewed refuses a signature whose time is more than five minutes off.
func skewed(at, now time.Time) *failure {
	now = now.UTC()
	switch {
	case at.Before(now.Add(-maxSkew)):
		return fail(http.StatusForbidden, "InvalidSignatureException", fmt.Sprintf(
			"Signature expired: %s is now earlier than %s (%s - 5 min.)", at.Format(stamp), now.Add(-maxSkew).Format(stamp), now.Format(stamp)))
	case at.After(now.Add(maxSkew)):
		return fail(http.StatusForbidden, "InvalidSignatureException", fmt.Sprintf(
			"Signature not yet current: %s is still later than %s (%s + 5 min.)", at.Format(stamp), now.Add(maxSkew).Format(stamp), now.Format(stamp)))
	}
	return nil
}

// sign computes the signature that the request ought to have.
func sign(r *http.Request, body []byte, a authorization, at time.Time, secret string) string {
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload != noUnsigned {
		payload = hexSum(body)
	}
	var head strings.Builder
	for _, name := range a.headers {
		fmt.Fprintf(&head, "%s:%s\n", name, headerValue(r, name))
	}
	canonical := strings.Join([]string{
		r.Method, escape(r.URL.EscapedPath(), true), query(r.URL.Query()), head.String(), strings.Join(a.headers, ";"), payload,
	}, "\n")
	where := strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
	toSign := strings.Join([]string{algorithm, at.Format(stamp), where, hexSum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request", toSign} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// query is the canonical form of the query: sorted by encoded name, then by encoded value.
func query(q url.Values) string {
	encoded := map[string][]string{}
	for name, values := range q {
		for _, v := range values {
			encoded[escape(name, false)] = append(encoded[escape(name, false)], escape(v, false))
		}
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(encoded)) {
		for _, v := range slices.Sorted(slices.Values(encoded[name])) {
			pairs = append(pairs, name+"="+v)
		}
	}
	return strings.Join(pairs, "&")
}

// escape encodes every byte that RFC 3986 does not call unreserved.
func escape(s string, slash bool) string {
	var out strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0, slash && c == '/':
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
