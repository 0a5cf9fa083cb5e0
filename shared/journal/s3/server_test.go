package s3_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/s3"
)

const (
	bucket    = "drills"
	accessKey = "AKIDEXAMPLE"
	secret    = "wJalrXUtnFEMI-this-never-shows"
	token     = "FwoGZXIvYXdz-nor-does-this"
)

// waits records the pauses that a store asked for, and returns at once.
type waits struct {
	mu    sync.Mutex
	asked []time.Duration
	err   error
}

func (w *waits) wait(_ context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, d)
	return w.err
}

func credentials(context.Context) (s3.Credentials, error) {
	return s3.Credentials{AccessKey: accessKey, Secret: secret, Token: token}, nil
}

// config is for a server on this machine; connections are kept, so that many writers at once do not use up its ports.
func config(t *testing.T, endpoint string) s3.Config {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return s3.Config{
		Bucket: bucket, Prefix: "firedrill/test", Region: "eu-west-1", Endpoint: endpoint, PathStyle: true,
		Credentials: credentials, Wait: (&waits{}).wait, Transport: transport,
	}
}

func open(t *testing.T, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fake is an S3 server in this process that somebody else wrote. A test may put a handler before it.
type fake struct {
	*httptest.Server
	inner http.Handler

	mu     sync.Mutex
	before func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	seen   []string
}

func newFake(t *testing.T) *fake {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	f := &fake{inner: gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// ServeHTTP records the call and answers it.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.seen = append(f.seen, r.Method+" "+r.URL.Path)
	before := f.before
	f.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	f.inner.ServeHTTP(w, r)
}

// answering puts a handler before the server.
func (f *fake) answering(before func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.seen = before, nil
}

func (f *fake) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.seen...)
}

// losingReplies lets the server act on every PUT and cuts the connection instead of answering.
func (f *fake) losingReplies(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPut {
		return false
	}
	f.inner.ServeHTTP(httptest.NewRecorder(), r)
	hang(w)
	return true
}

// hang closes the connection without an answer.
func hang(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// reply writes an error as S3 does.
func reply(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("x-amz-request-id", "4442587FB7D0A2F9")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Error><Code>"+code+"</Code><Message>"+message+
		"</Message><RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>")
}

func newJournal(store journal.Store) *journal.Journal {
	var mu sync.Mutex
	n := 0
	return journal.Open(store, journal.Options{
		Now: func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }, Mode: "SANDBOX",
		Nonce: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return "nonce-" + strings.Repeat("x", n)
		},
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantPlain wants an error that says nothing about whether a key is there, holds these words and no secret.
func wantPlain(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil || errors.Is(err, journal.ErrExists) || errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("error is %v, want one that is neither exists nor not found", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	for _, w := range []string{secret, token} {
		if strings.Contains(err.Error(), w) {
			t.Errorf("error %q holds a secret", err)
		}
	}
}
