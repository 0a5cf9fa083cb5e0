package chatops_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

const mine = "q2345672345ab"

// inThread is a room whose thread 17.1 is about a drill of its own that waits for an approval; three others are active, and one is over.
func inThread(t testing.TB) (*world, *plainly) {
	t.Helper()
	w, p := room(t)
	d := *w.drills[2]
	d.ID = mine
	over := drill.Drill{ID: "overoveroverb", Status: drill.Concluded, Plan: drill.Plan{Name: "cart-cpu"}}
	w.drills = append(w.drills, &d, &over)
	w.threads["slack:T/C 17.1"] = mine
	p.in.Thread = "17.1"
	return w, p
}

func TestThread_ANamedDrillIsTheOneThatIsMeant(t *testing.T) {
	for text, want := range map[string]string{ // the drill that is approved, or what is said where none is
		"approve":                            mine,
		"approve looks good":                 mine,
		"approve, looks good":                "no such command",
		"approve checkout is fine":           mine,
		"approve q234":                       mine,
		"approve abcd":                       third,
		"approve ABCD":                       third,
		"approve abcdefgh, looks fine":       third,
		"approve abcdefgh,looks fine":        third,
		"approve `abcdefgh`":                 third,
		"approve #abcdefgh":                  third,
		"approve (abcdefgh)":                 third,
		"approve <abcdefgh>: fine":           third,
		"approve “abcdefgh” fine":            third,
		"批准 abcdefgh，没问题":                    third,
		"approve drill abcd":                 third,
		"approve k9zzz4x9, fine":             "no drill's id begins",
		"approve abcdefghijkl2x":             "no drill's id begins",
		"approve " + third + "abcdefghijklm": "no drill's id begins",
		"approve k7m2 fine":                  first,
		"approve k7":                         mine, // a remark: too short for an id here
		"approve http2 is fine":              "no drill's id begins",
		"approve overoverove":                "overoveroverb",
		"approve abcdefgh?":                  "no id of a drill",
	} {
		w, p := inThread(t)
		w.policy.Bindings[1].Role = "admin"
		_, text2 := w.as(p, "BOB", "1", text, "")
		switch {
		case len(want) == 13:
			if len(w.inputs) != 1 || !strings.HasPrefix(w.inputs[0], "approve "+want+" ") {
				t.Errorf("%s: %v, %s", text, w.inputs, text2)
			}
		case len(w.inputs)+len(w.published) != 0 || !strings.Contains(text2, want):
			t.Errorf("%s: %v, %s", text, w.inputs, text2)
		}
	}
}

func TestThread_AStopIsNeverRefusedOverItsWords(t *testing.T) {
	for text, want := range map[string]string{ // the drill that is stopped, and the reason
		"stop":                          mine + "|",
		"stop！":                         mine + "|",
		"/stop":                         mine + "|",
		"stop 5xxs rising":              mine + "|5xxs rising",
		"stop http2 errors everywhere":  mine + "|http2 errors everywhere",
		"stop k9zzz4x9, slow":           mine + "|k9zzz4x9, slow",
		"stop everythingnow":            mine + "|everythingnow",
		"stop abcd":                     third + "|",
		"stop k7zzz4x9, slow":           second + "|slow",
		"stop (k7zzz4x9)":               second + "|",
		"stop k7zzz4x9a3bcdx":           second + "|",
		"停止 k7zzz4x9太慢了":                second + "|太慢了",
		"stop 全部":                       "all|",
		"停止 所有":                         "all|",
		"停止 所有演练，着火了":                   "all|着火了",
		"“stop all”":                    "all|",
		"stop zzzzzzzzzzzz2 not there ": "zzzzzzzzzzzz2|not there",
	} {
		w, p := inThread(t)
		_, said := w.as(p, "EVE", "1", text, "")
		id, reason, _ := strings.Cut(want, "|")
		if len(w.inputs) != 1 || w.inputs[0] != "stop "+id+" slack:T/EVE "+reason || len(w.published) != 1 {
			t.Errorf("%s: %q, %s", text, w.inputs, said)
		}
		if id != "all" && !strings.Contains(said, id) {
			t.Errorf("%s: it is not said which drill: %s", text, said)
		}
	}
	w, p := inThread(t)
	p.in.Thread = ""
	for text, want := range map[string]string{"stop k7zz, slow": second, "stop k7zz.": second, "stop all!": "all", "停止 全部": "all", ": stop all": "all", "，停止 k7zz": second} {
		w.inputs = nil
		if _, said := w.as(p, "EVE", text, text, ""); len(w.inputs) != 1 || !strings.HasPrefix(w.inputs[0], "stop "+want+" ") {
			t.Errorf("%s: %q, %s", text, w.inputs, said)
		}
	}
}

func TestThread_WhereTheActiveDrillsCannotBeRead(t *testing.T) {
	for _, text := range []string{"approve looks good", "reject later please", "advance abcd", "skip abcd", "retry abcd", "conclude expected fine", "answer abcd yes"} {
		w, p := inThread(t)
		w.read = errors.New("journal is slow")
		if _, said := w.as(p, "BOB", "1", text, ""); len(w.inputs)+len(w.published) != 0 || !strings.Contains(said, "write the drill's id first, such as "+mine) {
			t.Errorf("%s: %v, %s", text, w.inputs, said)
		}
	}
	for text, want := range map[string]string{"stop": mine, "stop checkout is slow": mine, "stop k7zz": mine, "stop abcdefghijklm": "abcdefghijklm"} {
		w, p := inThread(t)
		w.read = errors.New("journal is slow")
		if _, said := w.as(p, "EVE", "1", text, ""); len(w.inputs) != 1 || !strings.HasPrefix(w.inputs[0], "stop "+want+" ") {
			t.Errorf("%s: %v, %s", text, w.inputs, said)
		}
	}
}

// lost is a memory that does not answer.
type lost struct {
	*world
	asked int
}

func (l *lost) ThreadDrill(ctx context.Context, _, _ string) (string, error) {
	l.asked++
	<-ctx.Done()
	return "", ctx.Err()
}

func TestThread_ThatCannotBeFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := inThread(t)
		memory := &lost{world: w}
		w.f.Memory = memory
		for _, text := range []string{"stop all", "停止 全部！", "stop " + second, "halt", "help"} {
			begin := time.Now()
			if w.as(p, "BOB", text, text, ""); memory.asked != 0 || time.Since(begin) != 0 {
				t.Errorf("%s waits for the thread: %d, %s", text, memory.asked, time.Since(begin))
			}
		}
		w.inputs = nil
		begin := time.Now()
		if _, said := w.as(p, "EVE", "1", "stop k7zz", ""); len(w.inputs) != 1 || time.Since(begin) > time.Second {
			t.Errorf("%v after %s: %s", w.inputs, time.Since(begin), said)
		}
		if code, said := w.as(p, "EVE", "2", "stop", ""); code != http.StatusOK || !strings.Contains(said, "send it again") {
			t.Errorf("%d %s", code, said)
		}
	})
}

func TestResolve_ActiveDrillsComeFirst(t *testing.T) {
	w, p := room(t)
	over := drill.Drill{ID: "k7zz22222222b", Status: drill.Concluded, Plan: drill.Plan{Name: "cart-cpu"}}
	gone := drill.Drill{ID: "gonegonegone2", Status: drill.Concluded, Plan: drill.Plan{Name: "cart-cpu", Environment: "staging"}}
	w.drills = append(w.drills, &over, &gone)
	for _, text := range []string{"stop k7zz", "advance k7zz", "note k7zz x"} {
		if _, said := w.as(p, "BOB", text, text, ""); len(w.published) != 1 || w.published[0].Subject() != second || w.newest != 0 {
			t.Errorf("%s: %v, the index was read %d times: %s", text, w.published, w.newest, said)
		}
		w.published = nil
	}
	if w.as(p, "BOB", "4", "note gone x", ""); len(w.published) != 1 || w.published[0].Subject() != gone.ID || w.newest != 1 {
		t.Errorf("%v, the index was read %d times", w.published, w.newest)
	}
	w.inputs, w.published = nil, nil
	if _, said := w.as(p, "EVE", "5", "stop k7", ""); len(w.inputs) != 0 || !strings.Contains(said, second+" (cart-cpu, waiting)") || strings.Contains(said, over.ID) {
		t.Errorf("%v, %s", w.inputs, said)
	}
	if _, said := w.as(p, "EVE", "6", "stop everything", ""); len(w.inputs) != 0 || !strings.Contains(said, "/drill stop all stops every one") {
		t.Errorf("%v, %s", w.inputs, said)
	}
}

func TestAnswer_IsAboutAClaimOfTheDrill(t *testing.T) {
	w, p := room(t)
	w.drills[2].Plan.Expect = append(w.drills[2].Plan.Expect, drill.Claim{ID: "c2", Claim: "it answers"})
	w.drills[2].Claims = append(w.drills[2].Claims, drill.ClaimState{ID: "c2"})
	for text, want := range map[string]string{"answer abcd c9 yes": "has no claim \"c9\": it asks about c1", "answer abcd c2 yes": "is measured", "answer k7zz c1 yes": "asks nobody"} {
		if _, said := w.as(p, "BOB", text, text, ""); len(w.published) != 0 || !strings.Contains(said, want) {
			t.Errorf("%s: %s", text, said)
		}
	}
	w.as(p, "BOB", "9", "answer abcd C1 no", "")
	if _, e := payload[events.Answer](t, w); e.Drill != third || e.Holds {
		t.Errorf("%+v", e)
	}
}
