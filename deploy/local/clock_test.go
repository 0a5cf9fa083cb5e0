package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// ahead starts an 'up' whose clock is a day ahead of the world's, as it is after a while with --speed.
func ahead(t *testing.T) *world {
	t.Helper()
	w := start(t, withAnn(t))
	w.s.clock.Advance(24 * time.Hour)
	return w
}

func TestClock_commandsOfTheRealTimeAreNotLate(t *testing.T) {
	w := ahead(t)
	id := w.ask("cart-empty", "{}")
	w.until("the gate is open", func() bool { v, ok := w.drill(id); return ok && len(v.Gates) == 1 })
	v, _ := w.drill(id)
	soon := time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	w.post("command.advance", fmt.Sprintf(`{"drill":%q,"gate":%q,"action":"execute","actor":"local:test/bob","expires_at":%q}`, id, v.Gates[0].ID, soon))
	w.until("the gate is answered", func() bool { now, _ := w.drill(id); return len(now.Gates) == 0 || now.Gates[0].ID != v.Gates[0].ID })
	if at := *v.RequestedAt; at.Before(time.Now().Add(23 * time.Hour)) {
		t.Errorf("requested at %s: that is not the system's clock", at)
	}
}

func TestClock_lateCommandsAreStillLate(t *testing.T) {
	w := ahead(t)
	old := time.Now().Add(-16 * time.Minute).UTC().Format(time.RFC3339)
	body := strings.Replace(structured("late", "command.start", `{"plan":"smoke-wait","actor":"local:test/ann"}`),
		`"time":"`, `"time":"`+old+`","x":"`, 1)
	w.do("POST", "/events", ceJSON, body).want(t, http.StatusAccepted)
	over := structured("over", "command.start", fmt.Sprintf(`{"plan":"smoke-wait","actor":"local:test/ann","expires_at":%q}`, old))
	w.do("POST", "/events", ceJSON, over).want(t, http.StatusAccepted)
	w.until("both are refused", func() bool { return strings.Count(w.out.String(), "refused     expired: ") == 2 })
	if n := len(w.s.box.Runs()); n != 0 {
		t.Errorf("%d runs", n)
	}
}

func TestClock_chatAndAlarms(t *testing.T) {
	w := ahead(t)
	var got struct{ Drill string }
	w.chat(time.Now(), w.secrets(), "/drill start cart-cpu").want(t, 200).into(t, &got)
	w.until("the gate is open", func() bool { v, ok := w.drill(got.Drill); return ok && len(v.Gates) == 1 })
	if code, _, errs := cli(t, "send", "--to", w.url, "alarm", "cart-errors"); code != 0 {
		t.Fatal(errs)
	}
	v := w.reaches(got.Drill, string(drill.Concluding))
	if v.Outcome != string(drill.Stopped) || !strings.HasPrefix(v.Stop.By, "alarm:local/") {
		t.Errorf("outcome %q, stop %+v", v.Outcome, v.Stop)
	}
}

func TestClock_movesEveryTimeOnce(t *testing.T) {
	w := ahead(t)
	ch, end := w.s.facts.listen()
	defer end()
	now := time.Now()
	at := now.Add(-10 * time.Second).UTC().Format(time.RFC3339Nano)
	w.post("signal.alarm", fmt.Sprintf(`{"source":"local","name":"nobody","id":"1","state":"firing","labels":{"at":"kept"},"at":%q}`, at))
	w.post("signal.alarm", fmt.Sprintf(`{"source":"local","name":"future","id":"2","state":"firing","at":%q}`, now.Add(48*time.Hour).UTC().Format(time.RFC3339Nano)))
	seen := 0
	for seen < 2 {
		e := <-ch
		if e.Type() != events.TypeAlarm {
			continue
		}
		seen++
		a, err := events.Decode[events.Alarm](e)
		if err != nil {
			t.Fatal(err)
		}
		age := w.s.clock.Now().Sub(a.At)
		if a.Name == "nobody" && (age < 10*time.Second || age > 10*time.Minute || a.Labels["at"] != "kept") {
			t.Errorf("the alarm is %s old, want a little over 10 s: %s", age, e.Data())
		}
		if a.Name == "future" && (age < 0 || age > 10*time.Minute) {
			t.Errorf("an alarm from the future is %s old", age)
		}
	}
}

func TestClock_factsAndRealTimeAreLeftAlone(t *testing.T) {
	w := start(t, func(set *settings, _ *screen) { set.speed = 1 })
	ch, end := w.s.facts.listen()
	defer end()
	body := structured("kept", "signal.tick", `{"at":"2026-01-02T03:04:05Z"}`)
	w.do("POST", "/events", ceJSON, body).want(t, http.StatusAccepted)
	for e := range ch {
		if e.ID() != "kept" {
			continue
		}
		var got struct{ At string }
		if err := json.Unmarshal(e.Data(), &got); err != nil || got.At != "2026-01-02T03:04:05Z" {
			t.Errorf("the tick's time was moved: %s", e.Data())
		}
		return
	}
}
