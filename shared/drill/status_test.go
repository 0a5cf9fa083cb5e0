package drill

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func statuses() []Status {
	return []Status{Requested, Previewing, Waiting, Starting, Running, Stopping, Stopped, Completed, Failed, Concluding, Concluded, Refused}
}

// TestStatus_EveryPair holds the whole table against DESIGN section 5, written down a second time.
func TestStatus_EveryPair(t *testing.T) {
	want := map[Status]string{
		Requested:  "previewing waiting starting stopping refused completed", // completed: a dry run
		Previewing: "waiting starting stopping refused completed",
		Waiting:    "starting running stopping refused stopped completed failed",
		Starting:   "running waiting stopping refused stopped completed failed",
		Running:    "waiting stopping stopped completed failed",
		Stopping:   "stopped completed failed",
		Stopped:    "concluding concluded",
		Completed:  "concluding concluded",
		Failed:     "concluding concluded",
		Concluding: "concluded",
		Concluded:  "",
		Refused:    "",
	}
	for _, from := range statuses() {
		for _, to := range statuses() {
			legal := slices.Contains(strings.Fields(want[from]), string(to))
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
				if Legal(from, to) != legal {
					t.Errorf("legal is %v, want %v", !legal, legal)
				}
				d := &Drill{ID: "d1", Status: from}
				err := d.to(to)
				if legal {
					if err != nil || d.Status != to {
						t.Errorf("status %s, error %v", d.Status, err)
					}
					return
				}
				wantErr(t, err, ErrTransition, string(from), string(to), "d1")
				if d.Status != from {
					t.Errorf("an illegal move changed the status to %s", d.Status)
				}
			})
		}
	}
}

func TestStatus_Kinds(t *testing.T) {
	for _, s := range statuses() {
		if got, want := s.Final(), s == Refused || s == Concluded; got != want {
			t.Errorf("%s final: %v", s, got)
		}
		if got, want := s.Live(), s == Starting || s == Running || s == Stopping; got != want {
			t.Errorf("%s live: %v", s, got)
		}
		if s.Live() && s.Ended() {
			t.Errorf("%s is both live and ended", s)
		}
	}
}

func TestNext_EveryStatus(t *testing.T) {
	waiting := func(*testing.T) *Drill {
		d := asked(func(p *Plan) { p.Approval = Approval{Need: 1} })
		if _, err := d.AskApproval(at(0)); err != nil {
			panic(err)
		}
		return d
	}
	stopping := func(t *testing.T) *Drill {
		d := running(t)
		ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(2)))
		return d
	}
	tests := []struct {
		name  string
		drill func(t *testing.T) *Drill
		at    float64
		want  string
	}{
		{"requested", func(*testing.T) *Drill { return asked() }, 1, "start"},
		{"requested too long ago", func(*testing.T) *Drill { return asked() }, 16, "expire"},
		{"previewing", func(t *testing.T) *Drill { d := asked(); ok(t)(d.BeginPreview(at(0))); return d }, 9, "start"},
		{"previewing too long", func(t *testing.T) *Drill { d := asked(); ok(t)(d.BeginPreview(at(0))); return d }, 11, "expire"},
		{"waiting for approval", waiting, 29, ""},
		{"waiting for approval too long", waiting, 31, "expire"},
		{"approved", func(t *testing.T) *Drill { d := waiting(t); ok(t)(d.Approve("bob", "", at(20))); return d }, 34, "start"},
		{"approved, and not started for long", func(t *testing.T) *Drill { d := waiting(t); ok(t)(d.Approve("bob", "", at(20))); return d }, 36, "expire"},
		{"starting, the author may still call", func(t *testing.T) *Drill { d := asked(); ok(t)(d.Intend(Main, "me", nil, 0, at(0))); return d }, 0.9, ""},
		{"starting, the lease is over", func(t *testing.T) *Drill { d := asked(); ok(t)(d.Intend(Main, "me", nil, 0, at(0))); return d }, 1, "lookup"},
		{"starting, just looked up", func(t *testing.T) *Drill {
			d := asked()
			ok(t)(d.Intend(Main, "me", nil, 0, at(0)))
			d.FoundNothing(Main, at(1))
			return d
		}, 1.4, ""},
		{"starting for too long", func(t *testing.T) *Drill { d := asked(); ok(t)(d.Intend(Main, "me", nil, 0, at(0))); return d }, 3.1, "lookup escalate"},
		{"running", func(t *testing.T) *Drill { return running(t) }, 2, "observe"},
		{"running past max_duration", func(t *testing.T) *Drill { return running(t) }, 31.1, "observe overdue"},
		{"running with an answer that was left", func(t *testing.T) *Drill {
			d := running(t)
			_, _, err := d.Answer(Move{Action: PauseRun}, "bob", "me", at(2))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}, 3, "observe advance"},
		{"waiting at a step", func(t *testing.T) *Drill { d := running(t); gated(t, d, at(2)); return d }, 3, "observe"},
		{"stopping", stopping, 3, "stop observe"},
		{"stopping for too long", stopping, 8, "stop observe escalate"},
		{"stopping while the author may still call", func(t *testing.T) *Drill {
			d := asked()
			ok(t)(d.Intend(Main, "me", nil, 0, at(0)))
			ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(0.5)))
			return d
		}, 0.9, ""},
		{"stopping, the run is not known", func(t *testing.T) *Drill {
			d := asked()
			ok(t)(d.Intend(Main, "me", nil, 0, at(0)))
			ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(0.5)))
			return d
		}, 1, "lookup"},
		{"stopping, only an inert task is known", func(t *testing.T) *Drill {
			d := asked()
			ok(t)(d.Intend(Main, "me", nil, 0, at(0)))
			ok(t)(d.SetPrepared(Main, "task-1"))
			ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(0.5)))
			return d
		}, 1, "observe"},
		{"completed, faults not shown undone", func(t *testing.T) *Drill { d := running(t); ok(t)(d.Observe(seen(PhaseCompleted), at(2))); return d }, 3, "restore observe"},
		{"completed, not undone for long", func(t *testing.T) *Drill { d := running(t); ok(t)(d.Observe(seen(PhaseCompleted), at(2))); return d }, 8, "restore observe escalate"},
		{"completed, only a recovery run undoes it", func(t *testing.T) *Drill {
			d := running(t)
			d.Recovers = true
			ok(t)(d.Observe(seen(PhaseCompleted, func(o *Observation) { o.Restoration = RestoreUnproven }), at(2)))
			return d
		}, 3, "recover"},
		{"completed and restored", func(t *testing.T) *Drill {
			d := running(t)
			ok(t)(d.Observe(seen(PhaseCompleted, quiet), at(2)))
			return d
		}, 3, "conclude"},
		{"concluding, people are asked", func(t *testing.T) *Drill { return concluding(t) }, 5, ""},
		{"concluding, nobody answered in time", func(t *testing.T) *Drill { return concluding(t) }, 40, "conclude"},
		{"concluded", func(t *testing.T) *Drill { return concluded(t) }, 60, ""},
		{"concluded with something pending", func(t *testing.T) *Drill {
			d := concluded(t)
			d.AddStray("run-9", at(50))
			return d
		}, 60, "attend"},
		{"refused", func(t *testing.T) *Drill { d := asked(); ok(t)(d.Refuse("halt", "no", at(0))); return d }, 60, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := reload(t, tt.drill(t))
			got := ""
			for i, a := range Next(d, at(tt.at)) {
				if i > 0 {
					got += " "
				}
				got += string(a)
			}
			if got != tt.want {
				t.Errorf("acts %q, want %q", got, tt.want)
			}
		})
	}
}

// concluding is a drill whose asked claim waits for its answer; people were asked at minute 4.
func concluding(t *testing.T) *Drill {
	t.Helper()
	d := running(t, func(p *Plan) { p.Expect = []Claim{{ID: "c1", Claim: "no order is lost", Ask: "owner"}} })
	ok(t)(d.Observe(seen(PhaseCompleted, quiet), at(3)))
	ok(t)(d.BeginConclude(at(4)))
	return d
}

func concluded(t *testing.T) *Drill {
	t.Helper()
	d := concluding(t)
	ok(t)(d.Decide(d.Judge(at(40)), at(40)))
	ok(t)(d.Conclude(true, "/r/d1", at(40)))
	return d
}

// gated opens the gate of step s1.
func gated(t testing.TB, d *Drill, now time.Time) Change {
	t.Helper()
	return ok(t)(d.Observe(seen(PhaseWaiting, func(o *Observation) {
		o.Steps = []Step{{ID: "s1", Name: "burn CPU", Kind: FaultStep, State: StepReady}}
		o.Gates = []Gate{{Step: "s1", Name: "burn CPU", Kind: ManualGate, Choices: []Choice{{Action: Execute}, {Action: Skip}}}}
	}), now))
}
