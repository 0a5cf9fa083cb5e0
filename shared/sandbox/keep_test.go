package sandbox

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// shelf is a Keep in memory.
type shelf struct {
	mu     sync.Mutex
	files  map[string][]byte
	saves  map[string]int
	broken error // what Save answers
}

func newShelf() *shelf { return &shelf{files: map[string][]byte{}, saves: map[string]int{}} }

func (s *shelf) Save(name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.files[name] = data
	s.saves[name]++
	return nil
}

func (s *shelf) Load(name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data, ok := s.files[name]; ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

func (s *shelf) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saves[name]
}

// room is a kept sandbox on a clock that the test moves, and a client of its FIS.
type room struct {
	t      *testing.T
	shelf  *shelf
	box    *Sandbox
	clock  *Clock
	real   time.Time
	client *fis.Client
	pushed func()
}

func openRoom(t *testing.T, keep *shelf, at time.Time) *room {
	t.Helper()
	r := &room{t: t, shelf: keep, clock: NewFixed(at), real: time.Now(), pushed: func() {}}
	var err error
	r.box, err = Open(Options{
		Real: func() time.Time { return r.real }, Clock: r.clock, ID: sequence(), Keep: keep, Emit: func(string, []byte) { r.pushed() },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.client = fis.NewFromConfig(vendors{secret: DefaultSecret, host: "sandbox", transport: r.box.Transport()}.aws())
	return r
}

func (r *room) start(token string) (string, error) {
	out, err := r.client.StartExperiment(r.t.Context(), &fis.StartExperimentInput{ClientToken: &token, ExperimentTemplateId: aws.String("EXTa1b2c3d4e5f6g7")})
	if err != nil {
		return "", err
	}
	return *out.Experiment.Id, nil
}

// kept are the experiments that a sandbox would have that opened now.
func (r *room) kept() int {
	r.t.Helper()
	return len(openRoom(r.t, &shelf{files: maps.Clone(r.shelf.files), saves: map[string]int{}}, r.clock.Now()).box.Runs())
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestKeep_aCallIsKeptBeforeItsReplyGoesOut(t *testing.T) {
	for _, effect := range []Effect{Hold, LoseReply, ErrorAfter} {
		t.Run(string(effect), func(t *testing.T) {
			r := openRoom(t, newShelf(), noon)
			if _, err := r.box.AddFault(Fault{ID: "x", Fault: effect, Kind: service.Start, Times: 1}); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { _, err := r.start("one"); done <- err }()
			if effect == Hold {
				for len(r.box.Faults()) == 0 || r.box.Faults()[0].Holding == 0 {
					time.Sleep(time.Millisecond)
				}
			} else if err := <-done; err == nil {
				t.Fatal("the call was answered")
			}
			if n := r.kept(); n != 1 {
				t.Errorf("%d experiments are kept, want one", n)
			}
			r.box.Release("x")
		})
	}
}

func TestKeep_aPushIsKeptBeforeItGoesOut(t *testing.T) {
	r := openRoom(t, newShelf(), noon)
	if _, err := r.start("one"); err != nil {
		t.Fatal(err)
	}
	pushes := 0
	r.pushed = func() {
		pushes++
		if !strings.Contains(string(r.shelf.files["fis"]), `"Status":"running"`) {
			t.Errorf("pushed before it was kept: %s", r.shelf.files["fis"])
		}
	}
	r.clock.Advance(4 * time.Second)
	r.box.Tick()
	if pushes == 0 {
		t.Error("nothing was pushed")
	}
}

func TestKeep_whatCannotBeKeptIsAFailureAndComesLater(t *testing.T) {
	r := openRoom(t, newShelf(), noon)
	r.shelf.broken = errors.New("disk full")
	if _, err := r.start("one"); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("error %v, want a 500", err)
	}
	if _, err := r.box.SetAlarm("a", "firing", ""); err == nil {
		t.Error("an alarm that was not kept is answered well")
	}
	if err := r.box.Reset(); err == nil {
		t.Error("a reset that was not kept is answered well")
	}
	r.shelf.broken = nil
	id, err := r.start("one")
	if err != nil || id == "" || r.kept() != 1 {
		t.Errorf("id %q, %v; %d are kept", id, err, r.kept())
	}
}

func TestKeep_nothingIsWrittenWhereNothingChanges(t *testing.T) {
	r := openRoom(t, newShelf(), noon)
	if _, err := r.start("one"); err != nil {
		t.Fatal(err)
	}
	before := r.shelf.count("fis")
	for range 10 {
		if _, err := r.client.ListExperiments(t.Context(), &fis.ListExperimentsInput{}); err != nil {
			t.Fatal(err)
		}
		r.real = r.real.Add(keepEvery)
		r.box.Tick()
	}
	if n := r.shelf.count("fis"); n != before || r.shelf.count("cfg") != 1 {
		t.Errorf("%d writes of fis, want %d; %d of cfg, want the first alone", n, before, r.shelf.count("cfg"))
	}
	r.clock.Advance(10 * time.Second)
	r.real = r.real.Add(keepEvery)
	r.box.Tick()
	if r.shelf.count("fis") == before {
		t.Error("what a tick changed was not written")
	}
}

func TestKeep_aSandboxCarriesOn(t *testing.T) {
	keep := newShelf()
	r := openRoom(t, keep, noon)
	r.clock.Advance(time.Hour)
	id, err := r.start("one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.box.SetAlarm("checkout-5xx", "firing", "5xx"); err != nil {
		t.Fatal(err)
	}
	next := openRoom(t, keep, noon) // its clock is behind
	if now := next.clock.Now(); now.Before(noon.Add(time.Hour)) {
		t.Errorf("the clock is at %s, before what was kept", now)
	}
	if again, err := next.start("one"); err != nil || again != id {
		t.Errorf("the same token gives %q, %v; want %q", again, err, id)
	}
	if a := next.box.Alarms(); len(a) != 1 || a[0].State != "firing" || a[0].Reason != "5xx" {
		t.Errorf("alarms %+v", a)
	}
	if err := next.box.Reset(); err != nil {
		t.Fatal(err)
	}
	last := openRoom(t, keep, noon).box
	if len(last.Runs()) != 0 || len(last.Alarms()) != 0 {
		t.Errorf("a reset left %+v and %+v", last.Runs(), last.Alarms())
	}
}

func TestOpen_refusesWhatItCannotRead(t *testing.T) {
	good := newShelf()
	r := openRoom(t, good, noon)
	if _, err := r.start("one"); err != nil {
		t.Fatal(err)
	}
	for what, damage := range map[string]func(map[string][]byte){
		"half a file":          func(f map[string][]byte) { f["fis"] = f["fis"][:len(f["fis"])/2] },
		"an empty file":        func(f map[string][]byte) { f["fis"] = nil },
		"another's state":      func(f map[string][]byte) { f["fis"] = []byte(`{"state":{"service":"cfg","version":1,"state":{}}}`) },
		"alarms of a stranger": func(f map[string][]byte) { f["alarms"] = []byte(`{"state":[]}`) },
	} {
		t.Run(what, func(t *testing.T) {
			keep := newShelf()
			keep.files = maps.Clone(good.files)
			damage(keep.files)
			box, err := Open(Options{Real: time.Now, Clock: NewFixed(noon), ID: sequence(), Keep: keep})
			if err == nil || box != nil {
				t.Fatalf("sandbox %v, error %v", box, err)
			}
			if len(keep.saves) != 0 {
				t.Errorf("saved %v", keep.saves)
			}
		})
	}
	if _, err := Open(Options{Real: time.Now, Keep: newShelf()}); err == nil {
		t.Error("a kept sandbox with the fixed sequence of ids opens")
	}
}

func TestNew_keepsNothing(t *testing.T) {
	keep := newShelf()
	box := New(Options{Real: time.Now, Keep: keep})
	box.Tick()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://sandbox/_sandbox/reset", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := box.Transport().RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusOK || len(keep.saves) != 0 {
		t.Errorf("%v, %v, saved %v", res, err, keep.saves)
	}
	_ = res.Body.Close()
}

// BenchmarkTick_kept is a tick that looks for something to keep among a hundred runs and finds nothing.
func BenchmarkTick_kept(b *testing.B) {
	real, pace := time.Now(), time.Duration(0)
	clock := NewFixed(noon)
	keep := newShelf()
	box, err := Open(Options{Real: func() time.Time { real = real.Add(pace); return real }, Clock: clock, ID: sequence(), Keep: keep})
	if err != nil {
		b.Fatal(err)
	}
	r := &room{box: box, clock: clock}
	r.client = fis.NewFromConfig(vendors{secret: DefaultSecret, host: "sandbox", transport: box.Transport()}.aws())
	for n := range 100 {
		token := strings.Repeat("x", n+1)
		if _, err := r.client.StartExperiment(b.Context(), &fis.StartExperimentInput{ClientToken: &token, ExperimentTemplateId: aws.String("EXTa1b2c3d4e5f6g7")}); err != nil {
			b.Fatal(err)
		}
		clock.Advance(10 * time.Minute)
	}
	pace = keepEvery
	box.Tick()
	for b.Loop() {
		box.Tick()
	}
	b.ReportMetric(float64(len(keep.files["fis"])), "bytes")
}
