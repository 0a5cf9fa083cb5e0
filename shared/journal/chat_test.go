package journal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

func TestChat_TheFirstStays(t *testing.T) {
	n := 0
	j := journal.Open(memory.New(), journal.Options{Now: time.Now, Nonce: func() string { n++; return fmt.Sprint(n) }, Mode: "SANDBOX"})
	ctx := t.Context()
	if id, err := j.ThreadDrill(ctx, "slack:T/C", "1700.1"); id != "" || err != nil {
		t.Errorf("an unknown thread: %q, %v", id, err)
	}
	for _, id := range []string{"first", "second"} {
		if err := j.BindThread(ctx, "slack:T/C", "1700.1", id); err != nil {
			t.Fatal(err)
		}
		if err := j.Press(ctx, "token", "slack:T/U", id); err != nil {
			t.Fatal(err)
		}
	}
	if id, err := j.ThreadDrill(ctx, "slack:T/C", "1700.1"); id != "first" || err != nil {
		t.Errorf("thread: %q, %v", id, err)
	}
	if id, err := j.ThreadDrill(ctx, "slack:T/D", "1700.1"); id != "" || err != nil {
		t.Errorf("the same thread elsewhere: %q, %v", id, err)
	}
	if by, err := j.Pressed(ctx, "token", "slack:T/U"); by != "first" || err != nil {
		t.Errorf("press: %q, %v", by, err)
	}
	if by, err := j.Pressed(ctx, "token", "slack:T/V"); by != "" || err != nil {
		t.Errorf("somebody else's press: %q, %v", by, err)
	}
}

func TestDenials_NewestFirstAndOnceEach(t *testing.T) {
	n := 0
	j := journal.Open(memory.New(), journal.Options{Now: time.Now, Nonce: func() string { n++; return fmt.Sprint(n) }, Mode: "SANDBOX"})
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	for i := range 5 {
		d := journal.Denial{At: at.Add(time.Duration(i) * time.Minute), ID: fmt.Sprint(i), Actor: "slack:T/U", Verb: "start", About: "演练 🔥", Reason: "no role"}
		for range 2 {
			if err := j.Deny(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, err := j.Denials(t.Context(), 3)
	if err != nil || len(all) != 3 || all[0].ID != "4" || all[2].ID != "2" || all[0].About != "演练 🔥" {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := j.Denials(t.Context(), 100); err != nil || len(all) != 5 {
		t.Errorf("%d, %v", len(all), err)
	}
}
