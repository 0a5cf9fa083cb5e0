package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func inMemory(t testing.TB) (*Sandbox, *fake) {
	t.Helper()
	var f *fake
	s := New(Options{Real: func() time.Time { return start }, Services: []func(service.Env) service.Service{newFake("fake", &f)}})
	return s, f
}

func TestTransport_doesNothingOnceTheContextHasEnded(t *testing.T) {
	s, f := inMemory(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://x/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Fake", "Start")
	if _, err := s.Transport().RoundTrip(r); !errors.Is(err, context.Canceled) || f.count() != 0 {
		t.Errorf("RoundTrip = %v with %d live", err, f.count())
	}
}

func TestTransport_requestArrivesAsOverTheWire(t *testing.T) {
	s, _ := inMemory(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://fis.us-east-1.amazonaws.com/tags/a%2Fb?x=1", strings.NewReader("12345"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header["x-fake"] = []string{"Get"} // some SDKs do not write canonical names
	res, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "0" || res.StatusCode != 200 || res.Status != "200 OK" || res.ContentLength != 1 {
		t.Errorf("reply %q %s, %v", b, res.Status, err)
	}
	if got := res.Header.Get("X-Length"); got != "5" {
		t.Errorf("the service saw the length %q", got)
	}
	if len(r.Header) != 1 || r.URL.Host != "fis.us-east-1.amazonaws.com" {
		t.Errorf("the caller's request was changed: %v %v", r.Header, r.URL)
	}
	if got := s.Requests(); len(got) != 1 || got[0].Key != "Get//tags/a/b" {
		t.Errorf("log: %+v", got)
	}
}

func TestTransport_parallelCallsWithFaults(t *testing.T) {
	s, f := inMemory(t)
	if _, err := s.AddFault(Fault{Fault: Throttle, Kind: service.Start, Times: 50}); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: s.Transport()}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("X-Fake", "Start")
				res, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
				s.Faults()
				s.Runs()
			}
		})
	}
	wg.Wait()
	if f.count() != 150 || len(s.Faults()) != 0 {
		t.Errorf("%d of 200 calls took effect with 50 throttled; faults left: %v", f.count(), s.Faults())
	}
}

func TestSandbox_idsAreUniqueAndAsLongAsAsked(t *testing.T) {
	next, again := sequence(), sequence()
	seen := map[string]bool{}
	for n := 1; n < 200; n++ {
		id := next(n)
		if len(id) != n || strings.Trim(id, "0123456789abcdef") != "" || n > 8 && seen[id] || id != again(n) {
			t.Errorf("id of %d characters: %q", n, id)
		}
		seen[id] = true
	}
}

// BenchmarkTransport is one call of the fake service: what the sandbox itself costs.
func BenchmarkTransport(b *testing.B) {
	s, _ := inMemory(b)
	transport := s.Transport()
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://127.0.0.1:8081/experiments/EXP1", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("X-Fake", "Get")
		res, err := transport.RoundTrip(r)
		if err != nil || res.StatusCode != 200 {
			b.Fatal(err, res)
		}
	}
}
