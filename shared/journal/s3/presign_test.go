package s3_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal/s3"
)

func TestPresign_WrongTimes(t *testing.T) {
	s := open(t, config(t, "http://127.0.0.1:1"))
	for _, ttl := range []time.Duration{-time.Hour, 0, time.Millisecond, s3.MaxTTL + time.Second} {
		_, err := s.Presign(t.Context(), "objects/d1/report.html", ttl)
		wantPlain(t, err, "sign a link to objects/d1/report.html", "allowed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Presign(ctx, "objects/d1/report.html", time.Hour)
	wantPlain(t, err, "canceled")
}

func TestPresign_AnybodyReadsTheReport(t *testing.T) {
	f := newFake(t)
	s := open(t, config(t, f.URL))
	must(t, s.Put(t.Context(), "objects/d1/%E6%BC%94.html", []byte("<p>演练")))
	f.answering(nil)
	link, err := s.Presign(t.Context(), "objects/d1/%E6%BC%94.html", 6*time.Hour)
	must(t, err)
	if got := f.calls(); len(got) != 0 {
		t.Errorf("signing made the calls %v", got)
	}
	u, err := url.Parse(link)
	must(t, err)
	q := u.Query()
	for name, want := range map[string]string{"X-Amz-Expires": "21600", "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-SignedHeaders": "host", "X-Amz-Security-Token": token} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(q.Get("X-Amz-Credential"), accessKey+"/") || q.Get("X-Amz-Signature") == "" || strings.Contains(link, secret) {
		t.Errorf("link is %s", link)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode != http.StatusOK || string(body) != "<p>演练" || response.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("reply is %s %q of type %q", response.Status, body, response.Header.Get("Content-Type"))
	}
}

func TestPresign_OnAWS(t *testing.T) {
	c := config(t, "")
	c.PathStyle = false
	link, err := open(t, c).Presign(t.Context(), "objects/d1/report.html", time.Hour)
	must(t, err)
	if want := "https://drills.s3.eu-west-1.amazonaws.com/firedrill/test/objects/d1/report.html?"; !strings.HasPrefix(link, want) {
		t.Errorf("link is %s, want one that begins with %s", link, want)
	}
}
