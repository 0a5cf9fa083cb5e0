package plans

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/firedrill/firedrill/shared/setup"
)

// shelf is a bucket of a server that somebody else wrote, and a book that reads it.
type shelf struct {
	t       *testing.T
	backend gofakes3.Backend
	server  *httptest.Server
	away    bool
	now     time.Time
	logs    bytes.Buffer
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	s := &shelf{t: t, backend: s3mem.New(), now: time.Unix(2e9, 0)}
	if err := s.backend.CreateBucket("drills"); err != nil {
		t.Fatal(err)
	}
	inner := gofakes3.New(s.backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.away {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	return s
}

func (s *shelf) put(name, text string) {
	s.t.Helper()
	if _, err := s.backend.PutObject("drills", name, nil, strings.NewReader(text), int64(len(text)), nil); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) open() (*Book, error) {
	s.t.Helper()
	p, err := s.setup()
	if err != nil {
		s.t.Fatal(err)
	}
	return Open(s.t.Context(), p)
}

func (s *shelf) setup() (*setup.Setup, error) {
	settings, err := setup.Read([]string{"FIREDRILL_JOURNAL=dir:///j", "FIREDRILL_BUS=https://b.example.com", "FIREDRILL_DEPLOYMENT=t",
		"FIREDRILL_CATALOG=s3://drills/catalog/drills.yaml?region=us-east-1&path_style=true&endpoint=" + s.server.URL}, Need())
	return &setup.Setup{
		Settings: settings, Now: func() time.Time { return s.now }, Log: slog.New(slog.NewTextHandler(&s.logs, nil)),
		Wait: func(context.Context, time.Duration) error { return nil }, Transport: http.DefaultTransport.(*http.Transport).Clone(),
		Getenv: func(string) string { return "sandbox" },
	}, err
}

func TestNeed_WrongPlaces(t *testing.T) {
	for _, wrong := range []string{"drills.yaml", "s3://drills/catalog/drills.yaml", "s3://drills/catalog?region=us-east-1", "s3://drills?region=us-east-1", "s3://u:p@drills/d.yaml?region=us-east-1"} {
		if Need().Check(wrong) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestOpen_ABucketThatDoesNotAnswer(t *testing.T) {
	s := newShelf(t)
	s.put("catalog/drills.yaml", one)
	s.away = true
	if _, err := s.open(); err == nil || !strings.Contains(err.Error(), Variable) || strings.Contains(err.Error(), "path_style") {
		t.Errorf("got %v", err)
	}
}

func TestOpen_ABucketWithoutACatalogueYet(t *testing.T) {
	s := newShelf(t)
	b, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Catalog().Plan("first"); ok || len(b.Catalog().Plans()) != 0 || !strings.Contains(s.logs.String(), "no catalogue yet") {
		t.Errorf("got %v:\n%s", b.Catalog().Plans(), &s.logs)
	}
	s.put("catalog/drills.yaml", strings.ReplaceAll(one, "include: [ more.yaml ]\n", ""))
	s.now = s.now.Add(lookEvery)
	if b.Look(t.Context()); len(b.Catalog().Plans()) != 1 {
		t.Errorf("%d plans after it was put there, want 1:\n%s", len(b.Catalog().Plans()), &s.logs)
	}
}

func TestOpen_ABucketWithMistakesOffersTheOthers(t *testing.T) {
	s := newShelf(t)
	s.put("catalog/drills.yaml", strings.ReplaceAll(one, "more.yaml", "teams/*.yaml"))
	s.put("catalog/teams/a.yaml", strings.ReplaceAll(more, "title: Second", "titel: Second"))
	b, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(b.Catalog().Plans()); n != 1 || !strings.Contains(s.logs.String(), "only plans without any") {
		t.Errorf("%d plans are offered, want 1:\n%s", n, &s.logs)
	}
}

func TestBook_InABucket(t *testing.T) {
	s := newShelf(t)
	s.put("catalog/drills.yaml", strings.ReplaceAll(one, "more.yaml", "teams/*.yaml"))
	s.put("catalog/teams/a.yaml", more)
	s.put("catalog/teams/deep/b.yaml", "no catalogue at all")
	b, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	plans := func() int { return len(b.Catalog().Plans()) }
	look := func() { s.now = s.now.Add(lookEvery); b.Look(t.Context()) }
	s.put("catalog/teams/b.yaml", strings.ReplaceAll(more, "second", "third"))
	if b.Look(t.Context()); plans() != 2 {
		t.Error("it looked too soon")
	}
	if look(); plans() != 3 {
		t.Errorf("%d plans after a new file, want 3:\n%s", plans(), &s.logs)
	}
	s.put("catalog/teams/b.yaml", "nonsense: true\n")
	look()
	if look(); plans() != 3 || strings.Count(s.logs.String(), "the last good one stays") != 1 {
		t.Errorf("%d plans after a mistake:\n%s", plans(), &s.logs)
	}
	s.away = true
	if look(); plans() != 3 || !strings.Contains(s.logs.String(), "cannot be read") {
		t.Errorf("%d plans while the bucket is away:\n%s", plans(), &s.logs)
	}
	s.away = false
	s.put("catalog/teams/b.yaml", "# empty for now\n")
	s.put("catalog/teams/b.yaml", strings.ReplaceAll(more, "second", "fourth"))
	if look(); plans() != 3 {
		t.Errorf("%d plans after the repair, want 3", plans())
	}
	if _, ok := b.Catalog().Plan("fourth"); !ok {
		t.Error("the new plan is missing")
	}
}

// TestBook_NobodyWaitsForASilentBucket: a stop must not wait for a catalogue. What the bucket says in the end is used.
func TestBook_NobodyWaitsForASilentBucket(t *testing.T) {
	s := newShelf(t)
	alone := strings.ReplaceAll(one, "include: [ more.yaml ]\n", "")
	s.put("catalog/drills.yaml", alone)
	b, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan struct{})
	inner := s.server.Config.Handler
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-answers; inner.ServeHTTP(w, r) })
	s.put("catalog/drills.yaml", strings.ReplaceAll(alone, "first", "another"))
	s.now = s.now.Add(lookEvery)
	b.Look(t.Context())
	b.Look(t.Context()) // somebody else, meanwhile
	if _, ok := b.Catalog().Plan("first"); !ok {
		t.Error("the last good catalogue is gone")
	}
	close(answers)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, ok := b.Catalog().Plan("another"); ok {
			break
		}
		if time.Now().After(end) {
			t.Fatal("what the bucket said in the end is not used")
		}
	}
}
