package awsapi

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// said answers every request with the same bytes.
type said struct {
	status int
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (s said) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s.body)), Request: r}, nil
}

// FuzzReplies reads any answer as that of every operation: no panic, nothing secret in an error, and no success without what was asked for.
func FuzzReplies(f *testing.F) {
	for _, body := range []string{"", "{", `{"Entries":[{"EventId":"1"}]}`, `{"__type":"a#b","message":"c"}`, "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>",
		"<ListBucketResult><Contents><Key>a</Key></Contents><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
		"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
		"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken>" +
			"<Expiration>2026-11-21T10:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"} {
		f.Add(200, []byte(body))
		f.Add(400, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		o := Options{Service: "sts", Region: region, Endpoint: "https://example.com", Credentials: fixed, Transport: said{status, body}}
		c := New(o)
		b, err := NewBucket(o, "drills", true)
		must(t, err)
		id, errID := c.GetCallerIdentity(t.Context())
		role, errRole := c.AssumeRole(t.Context(), "arn:aws:iam::1:role/r", "s")
		_, errList := b.ListObjectsV2(t.Context(), "a/", "", "", 1)
		var out struct{ Entries []struct{ EventID string } }
		errs := []error{errID, errRole, errList, c.PutEvents(t.Context(), struct{}{}, &out), c.SendMessage(t.Context(), struct{}{}), b.PutObject(t.Context(), "k", "a/b", "*", nil)}
		if errID == nil && (id == "" || status != http.StatusOK) || errRole == nil && (role.Secret == "" || role.Expires.IsZero() || status != http.StatusOK) {
			t.Errorf("status %d gives account %q and %d bytes of a secret", status, id, len(role.Secret))
		}
		for _, err := range errs {
			if status/100 != 2 && err == nil {
				t.Errorf("status %d is no error", status)
			}
			if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), token)) {
				t.Errorf("error %q holds a secret", err)
			}
		}
	})
}
