package functions

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// TestHandlers_MalformedPayloadsAreNeverDeliveredAgain gives every function rubbish of every type that it handles.
func TestHandlers_MalformedPayloadsAreNeverDeliveredAgain(t *testing.T) {
	bodies := map[string]string{
		"no JSON": "not json", "nothing": "", "an empty object": "{}", "a list": "[]", "null": "null", "wrong kinds": `{"drill":1,"plan":{},"at":"yesterday"}`,
		"a key twice": `{"drill":"a","drill":"b","actor":"x"}`, "too large": `{"drill":"` + strings.Repeat("x", 70_000) + `"}`,
		"not UTF-8": "{\"drill\":\"\xff\xfe\"}",
	}
	bubble(t, nil, func(r *rig) {
		for _, f := range r.funcs {
			for _, typ := range f.Types {
				for name, body := range bodies {
					e := event.New()
					e.SetID("bad-" + r.hex(8))
					e.SetType(typ)
					e.SetSource("/test")
					e.SetSubject("nosuchdrill12")
					e.SetTime(time.Now())
					e.DataEncoded = []byte(body)
					_ = e.SetData(event.ApplicationJSON, json.RawMessage(body))
					e.DataEncoded = []byte(body)
					if _, err := f.Handle(r.Context(), e); err != nil {
						t.Errorf("%s, %s with %s: %v", f.Name, typ, name, err)
					}
				}
			}
		}
		if ids, _ := r.journal.ActiveIDs(r.Context()); len(ids) > 0 {
			t.Errorf("it left drills %v", ids)
		}
	})
}

// TestHandlers_DrillsThatCannotBe: ids that no drill can have, and facts about drills of another root, are answered, not delivered again.
func TestHandlers_DrillsThatCannotBe(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		for _, id := range []string{"nosuchdrill12", "../identity", "a/b", ".", "drill with blanks", "演练", strings.Repeat("x", 500)} {
			for name, p := range map[string]events.Payload{
				"advance": events.Advance{Drill: id, Action: "execute", Actor: "a:b/c"}, "abort": events.Stop{Drill: id, Actor: "a:b/c"},
				"conclude": events.Conclude{Drill: id, Verdict: "expected", Summary: "x", Actor: "a:b/c"},
			} {
				out, err := r.give(name, r.event(p))
				if err != nil || r.refusal(out).Reason == "" {
					t.Errorf("%s of %q: %s, %v", name, id, words(out), err)
				}
			}
			for name, p := range map[string]events.Payload{
				"advance": events.Approve{Drill: id, Actor: "a:b/c"}, "conclude": events.Note{Drill: id, Text: "x", Actor: "a:b/c"},
			} {
				if _, err := r.give(name, r.event(p)); err != nil {
					t.Errorf("%s of %q: %v", name, id, err)
				}
			}
		}
		about := events.About{Drill: "elsewhere", Plan: "p", Mode: "LIVE", Status: "completed", At: time.Now()}
		for _, p := range []events.Payload{events.Completed{About: about}, events.Stopped{About: about, StoppedAt: time.Now()}, events.Attached{About: about, What: "x"}} {
			e := r.event(p)
			e.SetSubject("elsewhere")
			if _, err := r.give("conclude", e); err != nil {
				t.Errorf("%s: %v", e.Type(), err)
			}
		}
	})
}

func TestHandlers_ExpiredCommandsAreRefused(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		for _, p := range []events.Payload{
			events.Advance{Drill: id, Action: "pause", Actor: "a:b/c"}, events.Approve{Drill: id, Actor: "a:b/c"}, events.Reject{Drill: id, Actor: "a:b/c"},
		} {
			e := r.event(p)
			time.Sleep(16 * time.Minute)
			out, err := r.give("advance", e)
			if err != nil || r.refusal(out).Check != "expired" {
				t.Errorf("%s: %s, %v", e.Type(), words(out), err)
			}
		}
		old := r.event(events.Stop{Drill: id, Actor: "a:b/c"})
		time.Sleep(3 * time.Hour)
		if _, err := r.give("abort", old); err != nil || r.load(id).Stop == nil {
			t.Errorf("a stop must never expire: %v", err)
		}
	})
}

// TestHandlers_ADuplicateIsNoRefusal: a command that was carried out comes once more, when the drill is long over.
func TestHandlers_ADuplicateIsNoRefusal(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("by-hand", nil)
		d := r.until(id, 5, func(d *drill.Drill) bool { return len(d.Gates) > 0 })
		push := r.event(events.Advance{Drill: id, Gate: d.Gates[0].ID, Action: "execute", Actor: bob})
		stop := r.event(events.Stop{Drill: id, Actor: bob})
		for _, e := range []events.Event{push, stop} {
			_ = r.Publish(r.Context(), e)
			r.drain()
		}
		r.until(id, 30, func(d *drill.Drill) bool { return d.Status.Final() })
		time.Sleep(time.Hour)
		for name, e := range map[string]events.Event{"advance": push, "abort": stop} {
			if out, err := r.give(name, e); err != nil || len(out) > 0 {
				t.Errorf("%s delivered again: %s, %v", e.Type(), words(out), err)
			}
		}
	})
}
