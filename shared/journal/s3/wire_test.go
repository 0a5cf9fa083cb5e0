package s3_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/s3"
)

// call is one request as it came over the wire.
type call struct {
	method, path string
	query        map[string]string
	header       http.Header
	body         string
}

// scripted is a server that answers each call with the next handler, and records the calls.
func scripted(t *testing.T, answers ...http.HandlerFunc) (*s3.Store, *[]call) {
	t.Helper()
	var calls []call
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c := call{method: r.Method, path: r.URL.Path, query: map[string]string{}, header: r.Header, body: string(body)}
		for k := range r.URL.Query() {
			c.query[k] = r.URL.Query().Get(k)
		}
		calls = append(calls, c)
		if len(calls) > len(answers) {
			reply(w, http.StatusForbidden, "AccessDenied", "one call too many")
			return
		}
		answers[len(calls)-1](w, r)
	}))
	t.Cleanup(server.Close)
	return open(t, config(t, server.URL)), &calls
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("ETag", `"900150983cd24fb0d6963f7d28e17f72"`)
	w.Header().Set("x-amz-version-id", "3HL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY") // a versioned bucket
}

func refusing(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, status, code, message) }
}

func TestWire_Requests(t *testing.T) {
	s, calls := scripted(t, ok, ok, ok, ok)
	body := "演练 \r\n"
	must(t, s.Create(t.Context(), "drills/d1/9999999998", []byte(body)))
	must(t, s.Put(t.Context(), "objects/d1/report.html", []byte("<p>")))
	_, err := s.Get(t.Context(), "active/d1")
	must(t, err)
	must(t, s.Delete(t.Context(), "active/d1"))
	sum := sha256.Sum256([]byte(body))
	want := []struct{ call, condition, sum, kind, body string }{
		{"PUT /drills/firedrill/test/drills/d1/9999999998", "*", hex.EncodeToString(sum[:]), "application/octet-stream", body},
		{"PUT /drills/firedrill/test/objects/d1/report.html", "", "", "text/html; charset=utf-8", "<p>"},
		{"GET /drills/firedrill/test/active/d1", "", "", "", ""},
		{"DELETE /drills/firedrill/test/active/d1", "", "", "", ""},
	}
	for i, w := range want {
		c := (*calls)[i]
		if got := c.method + " " + c.path; got != w.call {
			t.Errorf("call is %s, want %s", got, w.call)
		}
		if got := c.header.Get("If-None-Match"); got != w.condition {
			t.Errorf("%s: If-None-Match is %q, want %q", w.call, got, w.condition)
		}
		if got := c.header.Get("X-Amz-Content-Sha256"); w.sum != "" && got != w.sum {
			t.Errorf("%s: the signed sum is %q, want that of the body", w.call, got)
		}
		if got := c.header.Get("Content-Type"); got != w.kind {
			t.Errorf("%s: content type is %q, want %q", w.call, got, w.kind)
		}
		if c.body != w.body {
			t.Errorf("%s: body is %q, want %q", w.call, c.body, w.body)
		}
		auth := c.header.Get("Authorization")
		if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential="+accessKey+"/") || !strings.Contains(auth, "/eu-west-1/s3/aws4_request") {
			t.Errorf("%s: authorization is %q", w.call, auth)
		}
		if w.condition != "" && !strings.Contains(auth, "if-none-match") {
			t.Errorf("%s: the condition is not signed: %s", w.call, auth)
		}
		if c.header.Get("X-Amz-Security-Token") != token || c.header.Get("Expect") != "" || c.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: headers are %v", w.call, c.header)
		}
		for name := range c.header {
			if strings.Contains(strings.ToLower(name), "checksum") {
				t.Errorf("%s: header %s is one that other servers may not know", w.call, name)
			}
		}
	}
}

func TestWire_Refusals(t *testing.T) {
	moved := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-amz-bucket-region", "us-east-1")
		w.Header().Set("Location", "http://127.0.0.1:1/") // nobody goes there
		reply(w, http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")
	}
	cases := []struct {
		name   string
		answer http.HandlerFunc
		words  []string
	}{
		{"no bucket", refusing(404, "NoSuchBucket", "The specified bucket does not exist"), []string{"bucket drills does not exist"}},
		{"no permission", refusing(403, "AccessDenied", "Access Denied"), []string{"AccessDenied", "s3:ListBucket"}},
		{"an unknown key", refusing(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."), []string{"InvalidAccessKeyId"}},
		{"a wrong secret", refusing(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."), []string{"SignatureDoesNotMatch"}},
		{"an expired token", refusing(400, "ExpiredToken", "The provided token has expired."), []string{"ExpiredToken"}},
		{"another region", moved, []string{"bucket drills is in region us-east-1, not in eu-west-1"}},
		{"a server without the condition", refusing(501, "NotImplemented", "A header you provided implies functionality that is not implemented"), []string{"lacks"}},
		{"a page that is not S3's", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<html>no such page")
		}, nil},
	}
	for _, c := range cases {
		for op, do := range everyCall(t) {
			t.Run(c.name+", "+op, func(t *testing.T) {
				s, calls := scripted(t, c.answer, c.answer, c.answer)
				wantPlain(t, do(s), append(c.words, op)...)
				if len(*calls) != 1 {
					t.Errorf("%d calls, want 1: a second cannot help", len(*calls))
				}
			})
		}
	}
}

func everyCall(t *testing.T) map[string]func(*s3.Store) error {
	return map[string]func(*s3.Store) error{
		"create": func(s *s3.Store) error { return s.Create(t.Context(), "a/1", []byte("x")) },
		"put":    func(s *s3.Store) error { return s.Put(t.Context(), "a/1", []byte("x")) },
		"get":    func(s *s3.Store) error { _, err := s.Get(t.Context(), "a/1"); return err },
		"list":   func(s *s3.Store) error { _, err := s.List(t.Context(), "a/", "", 0); return err },
		"delete": func(s *s3.Store) error { return s.Delete(t.Context(), "a/1") },
	}
}

func TestWire_NoCredentials(t *testing.T) {
	server := httptest.NewServer(refusing(200, "", ""))
	defer server.Close()
	c := config(t, server.URL)
	c.Credentials = func(context.Context) (s3.Credentials, error) { return s3.Credentials{}, errors.New("the role is gone") }
	s := open(t, c)
	for op, do := range everyCall(t) {
		wantPlain(t, do(s), op, "get credentials: the role is gone")
	}
	_, err := s.Presign(t.Context(), "a/1", time.Minute)
	wantPlain(t, err, "sign a link", "the role is gone")
}

func TestWire_NothingListens(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	c := config(t, server.URL)
	w := &waits{}
	c.Wait = w.wait
	s := open(t, c)
	for op, do := range everyCall(t) {
		w.asked = nil
		wantPlain(t, do(s), op)
		if want := map[bool]int{true: 0, false: 2}[op == "create"]; len(w.asked) != want {
			t.Errorf("%s: %d pauses, want %d", op, len(w.asked), want)
		}
	}
}

func TestWire_NoAnswerInTime(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	c := config(t, server.URL)
	c.Timeout = 20 * time.Millisecond
	for op, do := range everyCall(t) {
		err := do(open(t, c))
		wantPlain(t, err, op)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error is %v", op, err)
		}
	}
}

// TestWire_AnAttemptWithoutAnAnswerIsRepeated: all but a create, of which nobody knows whether it was done. Nothing is repeated for a caller who has
// no time left.
func TestWire_AnAttemptWithoutAnAnswerIsRepeated(t *testing.T) {
	var calls atomic.Int32
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			<-release
			return
		}
		if r.URL.Query().Has("list-type") {
			listing("")(w, r)
			return
		}
		ok(w, r)
	}))
	defer server.Close()
	defer close(release)
	c := config(t, server.URL)
	c.Timeout = 200 * time.Millisecond
	s := open(t, c)
	for op, do := range everyCall(t) {
		calls.Store(0)
		err, want := do(s), int32(2)
		if op == "create" {
			want = 1
		}
		if n := calls.Load(); (err != nil) != (op == "create") || n != want {
			t.Errorf("%s: %v after %d calls, want %d", op, err, n, want)
		}
	}
	calls.Store(0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, "a/1"); !errors.Is(err, context.DeadlineExceeded) || calls.Load() != 1 {
		t.Errorf("for a caller without time: %v after %d calls", err, calls.Load())
	}
}

func TestWire_HalfAnObject(t *testing.T) {
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
	}
	s, calls := scripted(t, half, half, half)
	data, err := s.Get(t.Context(), "a/1")
	wantPlain(t, err, "get a/1")
	if data != nil || len(*calls) != 3 {
		t.Errorf("data is %q after %d calls, want none after 3", data, len(*calls))
	}
	s, _ = scripted(t, half, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the whole") })
	if data, err = s.Get(t.Context(), "a/1"); err != nil || string(data) != "the whole" {
		t.Errorf("data is %q, error %v", data, err)
	}
}

// listing answers with a page of keys; next is the token of the next one.
func listing(next string, keys ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var b strings.Builder
		for _, k := range keys {
			fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>1</Size></Contents>", k)
		}
		more := ""
		if next != "" {
			more = "<NextContinuationToken>" + next + "</NextContinuationToken>"
		}
		_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`+
			"<Name>drills</Name><KeyCount>%d</KeyCount><IsTruncated>%t</IsTruncated>%s%s</ListBucketResult>", len(keys), next != "", more, b.String())
	}
}

func TestWire_List(t *testing.T) {
	const root = "firedrill/test/"
	s, calls := scripted(t, listing("t1", root, root+"a/1"), listing("t2"), listing("t3", root+"a/2", root+"a/3"))
	keys, err := s.List(t.Context(), "", "a/0", 3)
	must(t, err)
	if !slices.Equal(keys, []string{"a/1", "a/2", "a/3"}) {
		t.Errorf("keys are %v", keys)
	}
	want := []map[string]string{
		{"list-type": "2", "prefix": root, "start-after": root + "a/0", "max-keys": "3"},
		{"list-type": "2", "prefix": root, "continuation-token": "t1", "max-keys": "2"},
		{"list-type": "2", "prefix": root, "continuation-token": "t2", "max-keys": "2"},
	}
	for i, w := range want {
		for _, name := range []string{"list-type", "prefix", "start-after", "continuation-token", "max-keys"} {
			if got := (*calls)[i].query[name]; got != w[name] {
				t.Errorf("page %d: %s is %q, want %q", i+1, name, got, w[name])
			}
		}
	}
}

func TestWire_ListThatCannotGoOn(t *testing.T) {
	s, _ := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")
	})
	_, err := s.List(t.Context(), "a/", "", 0)
	wantPlain(t, err, "list a/", "there is more")
}

func TestStore_KeysThatCannotBe(t *testing.T) {
	s, calls := scripted(t)
	for _, key := range []string{"", strings.Repeat("k", 1024)} {
		_, getErr := s.Get(t.Context(), key)
		_, signErr := s.Presign(t.Context(), key, time.Minute)
		for _, err := range []error{s.Create(t.Context(), key, nil), s.Put(t.Context(), key, nil), s.Delete(t.Context(), key), getErr, signErr} {
			wantPlain(t, err, "the key")
		}
	}
	if len(*calls) != 0 {
		t.Errorf("calls are %v, want none", *calls)
	}
	var _ journal.Store = s
}
