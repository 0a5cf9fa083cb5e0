package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestFault_throttleAndErrorBeforeDoNothing(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.knob(t, 201, "POST", "faults", `{"fault": "throttle", "times": 1}`)
		b.knob(t, 201, "POST", "faults", `{"fault": "error-before", "times": 2}`)
		b.expect(t, "Start", 429, "throttled", 0)
		b.expect(t, "Start", 500, "internal", 0)
		b.expect(t, "Start", 500, "internal", 0)
		b.expect(t, "Start", 200, "1", 1)
	})
}

func TestFault_errorAfterTakesEffect(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.knob(t, 201, "POST", "faults", `{"fault": "error-after", "kind": "start", "times": 1}`)
		b.expect(t, "Get", 200, "0", 0)
		b.expect(t, "Start", 500, "internal", 1)
		b.expect(t, "Start", 200, "2", 2)
	})
}

func TestFault_loseReplyTakesEffectOnceAndBreaksTheConnection(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.expect(t, "Get", 200, "0", 0) // the connection is kept and used again
		b.knob(t, 201, "POST", "faults", `{"fault": "lose-reply", "times": 1}`)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, b.base+"/runs/r1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Fake", "Start")
		if _, _, err := b.send(t, r); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the lost reply gave %v, want an unexpected EOF", err)
		}
		if n := b.fake.count(); n != 1 {
			t.Errorf("the call took effect %d times, want once", n)
		}
		last := b.Requests()[len(b.Requests())-1]
		if last.Status != 0 || last.Op != "Start" || len(last.Faults) != 1 || last.Faults[0] != "f1:lose-reply" {
			t.Errorf("the log says %+v", last)
		}
	})
}

func TestFault_lieIsForStopsAlone(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.knob(t, 201, "POST", "faults", `{"id": "liar", "fault": "lie"}`)
		b.expect(t, "Start", 200, "1", 1)
		if f := b.Faults(); len(f) != 1 || f[0].Played != 0 {
			t.Errorf("a start was lied about: %+v", f)
		}
		b.expect(t, "Stop", 200, "1", 1)
		if live := b.Live(); len(live) != 1 {
			t.Errorf("after a stop that lied %v are live", live)
		}
		b.knob(t, 200, "DELETE", "faults/liar", "")
		b.expect(t, "Stop", 200, "0", 0)
		if live := b.Live(); len(live) != 0 {
			t.Errorf("after a true stop %v are live", live)
		}
	})
}

func TestFault_staleReadsAnswerFromThePast(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.expect(t, "Get", 200, "0", 0)
		b.expect(t, "Start", 200, "1", 1)
		b.clock.Advance(20 * time.Second)
		b.expect(t, "Get", 200, "1", 1)
		b.expect(t, "Start", 200, "2", 2)
		b.clock.Advance(20 * time.Second)
		b.knob(t, 201, "POST", "faults", `{"id": "s", "fault": "stale", "age": "20s"}`)
		b.expect(t, "Get", 200, "1", 2)
		b.expect(t, "Start", 200, "3", 3)
		b.clock.Advance(20 * time.Second)
		b.expect(t, "Get", 200, "2", 3) // reads go on being remembered while they are stale
		b.knob(t, 201, "POST", "faults", `{"id": "s", "fault": "stale", "age": "1h"}`)
		b.expect(t, "Get", 200, "0", 3)
		b.knob(t, 200, "DELETE", "faults", "")
		b.expect(t, "Get", 200, "3", 3)
	})
}

func TestFault_staleWithoutAHistoryAnswersTheTruth(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.expect(t, "Start", 200, "1", 1)
		b.knob(t, 201, "POST", "faults", `{"fault": "stale", "age": "20s"}`)
		b.expect(t, "Get", 200, "1", 1)
	})
}

func TestFault_latencyWaitsBeforeTheCallAndHeedsTheContext(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.knob(t, 201, "POST", "faults", `{"fault": "latency", "delay": "1h", "times": 1}`)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+"/runs/r1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Fake", "Start")
		if _, _, err := b.send(t, r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("send = %v, want the deadline", err)
		}
		b.expect(t, "Get", 200, "0", 0)
		b.knob(t, 201, "POST", "faults", `{"fault": "latency", "delay": "1ms", "times": 1}`)
		b.expect(t, "Start", 200, "1", 1)
	})
}

func TestFault_holdKeepsTheReplyUntilReleased(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		for effect, live := range map[string]int{"hold": 1, "hold-before": 0} {
			b.fake.Reset()
			b.knob(t, 201, "POST", "faults", `{"id": "h", "fault": "`+effect+`", "kind": "start", "times": 1}`)
			done := make(chan string)
			go func() {
				_, text, err := b.call(t, "Start", "")
				if err != nil {
					text = err.Error()
				}
				done <- text
			}()
			b.await(t, func() bool { f := b.Faults(); return len(f) == 1 && f[0].Holding == 1 })
			if n := b.fake.count(); n != live {
				t.Errorf("%s: while held %d are live, want %d", effect, n, live)
			}
			select {
			case text := <-done:
				t.Fatalf("%s: the reply %q came before the release", effect, text)
			default:
			}
			if got := b.knob(t, 200, "POST", "release/h", ""); !strings.Contains(got, `"released": 1`) {
				t.Errorf("%s: release answers %s", effect, got)
			}
			if text := <-done; text != "1" {
				t.Errorf("%s: the released reply is %q", effect, text)
			}
			b.await(t, func() bool { return len(b.Faults()) == 0 })
		}
	})
}

func TestFault_removalAndResetLetGo(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		for _, free := range []func(){
			func() { b.RemoveFault("h") },
			func() { b.Reset() },
			func() { b.knob(t, 201, "POST", "faults", `{"id": "h", "fault": "throttle", "op": "Nothing"}`) },
			func() { b.knob(t, 200, "PUT", "faults", `[]`) },
		} {
			b.knob(t, 200, "PUT", "faults", `[{"id": "h", "fault": "hold", "kind": "start"}]`)
			done := make(chan error)
			go func() {
				_, _, err := b.call(t, "Start", "")
				done <- err
			}()
			b.await(t, func() bool { f := b.Faults(); return len(f) == 1 && f[0].Holding == 1 })
			free()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestFault_heldCallHeedsTheContext(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.knob(t, 201, "POST", "faults", `{"id": "h", "fault": "hold", "kind": "start"}`)
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+"/runs/r1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Fake", "Start")
		done := make(chan error)
		go func() {
			_, _, err := b.send(t, r)
			done <- err
		}()
		b.await(t, func() bool { f := b.Faults(); return len(f) == 1 && f[0].Holding == 1 })
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("send = %v, want the cancellation", err)
		}
		b.await(t, func() bool { return b.Faults()[0].Holding == 0 })
	})
}

// await waits, bounded, for what another goroutine is about to do.
func (b *bench) await(t *testing.T, reached func() bool) {
	t.Helper()
	for range 2000 {
		if reached() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("it did not happen")
}

func TestFault_selectors(t *testing.T) {
	c := service.Call{Service: "fis", Op: "StopExperiment", Kind: service.Stop, Key: "StopExperiment/EXP1"}
	for name, row := range map[string]struct {
		fault Fault
		want  bool
	}{
		"another service":           {Fault{Fault: Throttle, Service: "cfg"}, false},
		"another operation":         {Fault{Fault: Throttle, Op: "StartExperiment"}, false},
		"another kind":              {Fault{Fault: Throttle, Kind: service.Start}, false},
		"another resource":          {Fault{Fault: Throttle, Match: "EXP2"}, false},
		"one selector of two wrong": {Fault{Fault: Throttle, Service: "fis", Match: "EXP2"}, false},
		"stale on a stop":           {Fault{Fault: Stale}, false},
		"a stop's kind on a lie":    {Fault{Fault: Lie}, true},
		"no selector":               {Fault{Fault: Throttle}, true},
		"every selector":            {Fault{Fault: Lie, Service: "fis", Op: "StopExperiment", Kind: service.Stop, Match: "EXP1"}, true},
		"a part of the body":        {Fault{Fault: Throttle, Match: "演练"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := row.fault.matches(c, `{"title":"演练"}`); got != row.want {
				t.Errorf("matches = %v", got)
			}
		})
	}
}

func TestFault_mistakesAreNamed(t *testing.T) {
	b := New(Options{Real: func() time.Time { return start }, Services: []func(service.Env) service.Service{newFake("fake", new(*fake))}})
	for field, f := range map[string]Fault{
		"fault":   {Fault: "explode"},
		"kind":    {Fault: Throttle, Kind: "begin"},
		"times":   {Fault: Throttle, Times: -1},
		"delay":   {Fault: Latency},
		"delay: ": {Fault: Throttle, Delay: drill.Duration(time.Second)},
		"age":     {Fault: Hold, Age: drill.Duration(time.Second)},
		"service": {Fault: Throttle, Service: "gremlin"},
	} {
		if id, err := b.AddFault(f); err == nil || id != "" || !strings.Contains(err.Error(), strings.TrimSuffix(field, ": ")+": ") {
			t.Errorf("AddFault(%+v) = %q, %v; want an error that names %s", f, id, err, field)
		}
	}
	if got := b.Faults(); len(got) != 0 {
		t.Errorf("wrong faults are in force: %v", got)
	}
}

func TestHistory_isBounded(t *testing.T) {
	var h history
	big := newReply()
	_, _ = big.Write(make([]byte, 1<<20))
	for range 100 {
		h.add(answer{"k", start, big})
	}
	if h.bytes > maxAnswerBytes || len(h.answers) > 16 {
		t.Errorf("the history holds %d answers of %d bytes", len(h.answers), h.bytes)
	}
	for range maxAnswers + 100 {
		h.add(answer{"k", start, newReply()})
	}
	if len(h.answers) != maxAnswers {
		t.Errorf("the history holds %d answers", len(h.answers))
	}
}
