// Package probe measures the claims of a drill that can be measured: an HTTP answer with the right status, in time.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// maxBody is how much of an answer is read, in bytes; the rest does not matter.
const maxBody = 64 << 10

// Prober measures claims. It follows no redirect: a claim names the address that must answer.
type Prober struct {
	client *http.Client
	now    func() time.Time
}

// New returns a prober over a transport; nil means http.DefaultTransport.
func New(rt http.RoundTripper, now func() time.Time) *Prober {
	return &Prober{now: now, client: &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Measure asks once. It never fails: what goes wrong is the measurement. A sample that the caller's own ctx cut short says nothing
// about the claim: it has no time, and counts for nothing.
func (p *Prober) Measure(ctx context.Context, c drill.Claim) drill.Sample {
	within := c.Within.D()
	if within <= 0 {
		within = 5 * time.Second
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s := drill.Sample{Claim: c.ID, At: p.now()}
	status, err := p.get(limited, c.HTTP)
	if err != nil && ctx.Err() != nil {
		return drill.Sample{Claim: c.ID, Detail: "not measured: there was no time left"}
	}
	took := p.now().Sub(s.At).Round(time.Millisecond)
	want := c.Status
	if want == 0 {
		want = http.StatusOK
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		s.Detail = fmt.Sprintf("no answer within %s", within)
	case err != nil:
		s.Detail = err.Error()
	case status != want:
		s.Detail = fmt.Sprintf("%d in %s, want %d", status, took, want)
	case took > within:
		s.Detail = fmt.Sprintf("%d in %s, want it within %s", status, took, within)
	default:
		s.Good, s.Detail = true, fmt.Sprintf("%d in %s", status, took)
	}
	return s
}

func (p *Prober) get(ctx context.Context, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, fmt.Errorf("the claim's address is not a URL")
	}
	req.Header.Set("User-Agent", "firedrill-probe")
	resp, err := p.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address may hold a secret
		}
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, err
}
