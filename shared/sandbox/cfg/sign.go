package cfg

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm = "TC3-HMAC-SHA256"
	maxSkew   = 5 * time.Minute // https://www.tencentcloud.com/document/api/1252/68119
)

// authorization is a parsed Authorization header.
type authorization struct {
	id, date, service, signature string
	signed                       []string
}

// authenticate checks the signature of a request as signature version 3 prescribes.
func (s *Service) authenticate(r *http.Request, body []byte) *apiError {
	a, ok := parseAuthorization(r.Header.Get("Authorization"))
	if !ok {
		return fail("AuthFailure.InvalidAuthorization", "The Authorization header is missing or malformed.")
	}
	stamp := r.Header.Get("X-TC-Timestamp")
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fail("MissingParameter", "The header X-TC-Timestamp is missing or not a number.")
	}
	at := time.Unix(unix, 0).UTC()
	if skew := s.env.Real().Sub(at); skew > maxSkew || skew < -maxSkew {
		return fail("AuthFailure.SignatureExpire", "The signature has expired: the timestamp is more than 5 minutes off.")
	}
	if a.id != s.env.AccessKey {
		return fail("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
	}
	if a.date != at.Format(time.DateOnly) || !serviceFits(a.service, r.Host) {
		return fail("AuthFailure.InvalidAuthorization", "The credential scope does not fit the request.")
	}
	for _, host := range hosts(r.Host) {
		want := signature(s.env.Secret, a, stamp, canonical(r, host, a.signed, body))
		if hmac.Equal([]byte(want), []byte(a.signature)) {
			return nil
		}
	}
	return fail("AuthFailure.SignatureFailure", "The provided credentials could not be validated. Please check your signature is correct.")
}

func parseAuthorization(h string) (authorization, bool) {
	rest, ok := strings.CutPrefix(h, algorithm+" ")
	if !ok {
		return authorization{}, false
	}
	var a authorization
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch k {
		case "Credential":
			scope := strings.Split(v, "/")
			if len(scope) != 4 || scope[3] != "tc3_request" {
				return a, false
			}
			a.id, a.date, a.service = scope[0], scope[1], scope[2]
		case "SignedHeaders":
			a.signed = strings.Split(v, ";")
		case "Signature":
			a.signature = v
		}
	}
	has := map[string]bool{}
	for _, h := range a.signed {
		has[h] = true
	}
	return a, a.id != "" && a.signature != "" && has["content-type"] && has["host"]
}

// serviceFits accepts the service's name and, because Tencent's Node SDK takes it from the endpoint, the host's first label.
func serviceFits(name, host string) bool {
	label, _, _ := strings.Cut(host, ".")
	bare, _, _ := strings.Cut(hosts(host)[0], ".")
	return name == "cfg" || name == "sts" || name == label || name == bare
}

// hosts are the values of Host that clients sign: with the port, and (Node SDK) without it.
func hosts(host string) []string {
	bare, _, err := net.SplitHostPort(host)
	if err != nil {
		return []string{host}
	}
	return []string{bare, host}
}

func canonical(r *http.Request, host string, signed []string, body []byte) string {
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = host
		}
		headers.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	return strings.Join([]string{r.Method, "/", r.URL.RawQuery, headers.String(), strings.Join(signed, ";"), hashHex(body)}, "\n")
}

func signature(secret string, a authorization, stamp, canonicalRequest string) string {
	scope := a.date + "/" + a.service + "/tc3_request"
	text := strings.Join([]string{algorithm, stamp, scope, hashHex([]byte(canonicalRequest))}, "\n")
	key := sum(sum(sum([]byte("TC3"+secret), a.date), a.service), "tc3_request")
	return hex.EncodeToString(sum(key, text))
}

func sum(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hashHex(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
