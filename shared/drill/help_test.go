package drill

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
)

func at(minutes float64) time.Time {
	return time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC).Add(time.Duration(minutes * float64(time.Minute)))
}

func plan() Plan {
	return Plan{
		Name: "cart-cpu", Title: "购物车 \"CPU\" 🛒", Owner: "team-cart", Environment: "staging", Service: CFG,
		Account:     Account{Name: "tx", Cloud: "tencent", ID: "1", Region: "ap-guangzhou"},
		Block:       map[string]any{"template": float64(626)},
		MaxDuration: Duration(30 * time.Minute),
	}
}

// asked is a drill that was just asked for; edit changes its plan.
func asked(edit ...func(*Plan)) *Drill {
	p := plan()
	for _, f := range edit {
		f(&p)
	}
	d, _ := New(Ask{ID: "d1", Mode: "SANDBOX", Root: "root", Plan: p, Block: p.Block, Actor: "local:x/alice"}, at(0))
	d.Rev = 1
	return d
}

// running is a drill whose main run exists.
func running(t testing.TB, edit ...func(*Plan)) *Drill {
	t.Helper()
	d := asked(edit...)
	ok(t)(d.Intend(Main, "me", nil, 0, at(1)))
	ok(t)(d.SetRun(Main, "run-1", false, at(1)))
	d.Rev = 3
	return d
}

func ok(t testing.TB) func(Change, error) Change {
	t.Helper()
	return func(c Change, err error) Change {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func seen(phase Phase, edit ...func(*Observation)) Observation {
	o := Observation{Run: Run{Service: CFG, ID: "run-1", Role: Main}, Phase: phase, Vendor: string(phase), Injected: true}
	for _, f := range edit {
		f(&o)
	}
	return o
}

func quiet(o *Observation) {
	o.Quiet, o.Restoration, o.Evidence = true, RestoreDone, []string{"every recovery is done"}
}

func facts(c Change) string {
	var names []string
	for _, p := range c.Facts {
		parts := strings.Split(p.EventType(), ".")
		names = append(names, parts[3])
	}
	return strings.Join(names, " ")
}

// publishable fails the test if a fact of the change could not be published.
func publishable(t testing.TB, c Change) {
	t.Helper()
	for _, p := range c.Facts {
		if _, err := events.New(events.Envelope{ID: "x", Source: "/test", Subject: "d1", Time: at(0)}, p); err != nil {
			t.Errorf("%s cannot be published: %v", p.EventType(), err)
		}
	}
}

func wantErr(t testing.TB, err, want error, parts ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

func reload(t testing.TB, d *Drill) *Drill {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	out := new(Drill)
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
	out.Rev, out.Head = d.Rev, d.Head
	return out
}
