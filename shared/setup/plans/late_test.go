package plans

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/setup"
)

const bound = one + `bindings: [ { role: operator, to: "slack:T1/U1", environments: [ staging ] } ]
`

func (s *shelf) later() *Late {
	s.t.Helper()
	b, err := s.setup()
	if err != nil {
		s.t.Fatal(err)
	}
	return Later(b)
}

func TestLate_WithoutAVariable(t *testing.T) {
	l := Later(&setup.Setup{Settings: &setup.Settings{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if p, ok := l.Access(t.Context()); ok || len(p.Bindings) > 0 {
		t.Errorf("somebody is known without a catalogue: %+v", p)
	}
	if _, ok := l.Environment("first"); ok {
		t.Error("a plan is known without a catalogue")
	}
}

func TestLate_ReadsWhenItIsAsked(t *testing.T) {
	s := newShelf(t)
	l := s.later()
	s.away = true
	if _, ok := l.Access(t.Context()); ok || !strings.Contains(s.logs.String(), "nobody is known") {
		t.Errorf("a bucket that does not answer says who may do what:\n%s", &s.logs)
	}
	s.away = false
	if _, ok := l.Access(t.Context()); ok {
		t.Error("a bucket without a catalogue says who may do what")
	}
	s.put("catalog/drills.yaml", strings.ReplaceAll(bound, "include: [ more.yaml ]\n", ""))
	s.now = s.now.Add(lookEvery)
	p, ok := l.Access(t.Context())
	if !ok || p.May("slack:T1/U1", "start", "staging") != nil {
		t.Errorf("%v, %+v:\n%s", ok, p, &s.logs)
	}
	if e, ok := l.Environment("first"); !ok || e != "staging" {
		t.Errorf("the plan is in %q, %v", e, ok)
	}
	if _, ok := l.Environment("nothing"); ok {
		t.Error("a plan that is not there has an environment")
	}
	s.away = true
	s.now = s.now.Add(lookEvery)
	if p, ok := l.Access(t.Context()); !ok || p.May("slack:T1/U1", "start", "staging") != nil {
		t.Error("the last good one does not stay")
	}
}
