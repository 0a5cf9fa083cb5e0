package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
)

func entryCases() []testCase {
	return []testCase{
		{"a drill without entries is not found", noEntries},
		{"a rev that is taken is a conflict", takenRev},
		{"a rev after a gap is a conflict", gapRev},
		{"bad drill ids are refused", badIDs},
		{"an oversized entry is refused before it is written", oversized},
		{"a state that is no JSON is refused before it is written", notJSON},
		{"a cancelled append writes nothing", cancelledAppend},
		{"of 50 who append one rev exactly one wins", appendRace},
		{"50 who append to one drill lose nothing", appendCrowd},
		{"append fills the envelope", envelope},
		{"time never runs backwards", monotone},
		{"the newest entry is listed first", newestFirst},
		{"head finds the newest of 100", headOfMany},
		{"the walk from a known entry finds the newest", headAfter},
		{"CJK, emoji and quotes survive", anyText},
		{"drills whose ids begin alike stay apart", alikeIDs},
	}
}

func noEntries(t *testing.T, f *fixture) {
	j := f.journal()
	write(t, j, "d10", 1)
	_, err := j.Head(t.Context(), "d1")
	wantError(t, err, journal.ErrNotFound)
	_, err = j.Entries(t.Context(), "d1")
	wantError(t, err, journal.ErrNotFound)
	_, err = j.Entry(t.Context(), "d10", 2)
	wantError(t, err, journal.ErrNotFound)
	_, err = j.Entry(t.Context(), "d10", 0)
	wantError(t, err, journal.ErrNotFound)
	wantError(t, j.Verify(t.Context(), "d1"), journal.ErrNotFound)
}

func takenRev(t *testing.T, f *fixture) {
	write(t, f.journal(), "d1", 2)
	other := f.journal()
	for _, rev := range []int{1, 2} {
		_, err := other.Append(t.Context(), "d1", change(rev, "mine"))
		wantError(t, err, journal.ErrConflict)
	}
	_, err := other.Append(t.Context(), "d1", change(3, "mine"))
	must(t, err)
	must(t, other.Verify(t.Context(), "d1"))
}

func gapRev(t *testing.T, f *fixture) {
	j := f.journal()
	write(t, j, "d1", 1)
	_, err := j.Append(t.Context(), "d1", change(3, "too far"))
	wantError(t, err, journal.ErrConflict)
	_, err = j.Append(t.Context(), "d2", change(2, "no first"))
	wantError(t, err, journal.ErrConflict)
	for _, rev := range []int{0, -1} {
		if _, err = j.Append(t.Context(), "d1", change(rev, "none")); err == nil || errors.Is(err, journal.ErrConflict) {
			t.Fatalf("append of rev %d: error is %v", rev, err)
		}
	}
	equal(t, "number of keys", len(listAll(t, f.store, "drills/")), 1)
}

func badIDs(t *testing.T, f *fixture) {
	j := f.journal()
	for _, id := range []string{"", ".", "..", "../x", "a/b", "/a", `a\b`, ".hidden", "a b", "a\x00b", "订单", strings.Repeat("a", 129)} {
		_, headErr := j.Head(t.Context(), id)
		_, appendErr := j.Append(t.Context(), id, change(1, "x"))
		_, entriesErr := j.Entries(t.Context(), id)
		for what, err := range map[string]error{
			"head": headErr, "append": appendErr, "entries": entriesErr,
			"marker": j.PutMarker(t.Context(), journal.Marker{Drill: id}),
			"delete": j.DeleteMarker(t.Context(), id),
			"index":  j.PutIndex(t.Context(), f.clock.Now(), id, nil),
			"object": j.PutObject(t.Context(), id, "report.html", nil),
		} {
			if err == nil || !strings.Contains(err.Error(), "drill id") {
				t.Errorf("%s with drill id %.20q: error is %v, which does not speak of the drill id", what, id, err)
			}
		}
	}
	equalSlices(t, "keys", listAll(t, f.store, ""), nil)
}

func oversized(t *testing.T, f *fixture) {
	e := change(1, "large")
	e.Drill = json.RawMessage(`"` + strings.Repeat("a", journal.MaxEntry) + `"`)
	_, err := f.journal().Append(t.Context(), "d1", e)
	if err == nil || !strings.Contains(err.Error(), "1048576") {
		t.Fatalf("error is %v, want one that names the limit", err)
	}
	equalSlices(t, "keys", listAll(t, f.store, ""), nil)
	e.Drill = json.RawMessage(`"` + strings.Repeat("a", journal.MaxEntry-1000) + `"`)
	wrote, err := f.journal().Append(t.Context(), "d1", e)
	must(t, err)
	head, err := f.journal().Head(t.Context(), "d1")
	must(t, err)
	equal(t, "sum of a large entry", head.SHA256, wrote.SHA256)
}

func notJSON(t *testing.T, f *fixture) {
	e := change(1, "x")
	e.Drill = json.RawMessage(`{"half":`)
	if _, err := f.journal().Append(t.Context(), "d1", e); err == nil {
		t.Fatal("a state that is no JSON was taken")
	}
	equalSlices(t, "keys", listAll(t, f.store, ""), nil)
}

func cancelledAppend(t *testing.T, f *fixture) {
	j := f.journal()
	write(t, j, "d1", 1)
	for _, rev := range []int{1, 2} {
		if _, err := j.Append(cancelled(t), "d1", change(rev, "late")); err == nil {
			t.Fatalf("append of rev %d with a cancelled context succeeded", rev)
		}
	}
	equal(t, "number of keys", len(listAll(t, f.store, "drills/")), 1)
}

func appendRace(t *testing.T, f *fixture) {
	won := make(chan journal.Entry, writers)
	race(writers, func(i int) {
		e, err := f.journal().Append(t.Context(), "d1", change(1, fmt.Sprintf("writer %d", i)))
		if err == nil {
			won <- e
			return
		}
		if !errors.Is(err, journal.ErrConflict) {
			t.Errorf("writer %d: %v", i, err)
		}
	})
	equal(t, "number of winners", len(won), 1)
	head, err := f.journal().Head(t.Context(), "d1")
	must(t, err)
	equal(t, "head", head.Change, (<-won).Change)
}

func appendCrowd(t *testing.T, f *fixture) {
	acknowledged := make([]int, writers)
	race(writers, func(i int) {
		j := f.journal()
		head := journal.Entry{}
		for acknowledged[i] == 0 {
			e, err := j.Append(t.Context(), "d1", change(head.Rev+1, fmt.Sprintf("writer %d", i)))
			if err == nil {
				acknowledged[i] = e.Rev
				return
			}
			if errors.Is(err, journal.ErrConflict) {
				head, err = j.HeadAfter(t.Context(), "d1", head)
			}
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
				return
			}
		}
	})
	entries, err := f.journal().Entries(t.Context(), "d1")
	must(t, err)
	equal(t, "number of entries", len(entries), writers)
	for i, rev := range acknowledged {
		if rev < 1 || rev > writers {
			t.Fatalf("writer %d was told rev %d", i, rev)
		}
		equal(t, fmt.Sprintf("author of rev %d", rev), entries[rev-1].Change, fmt.Sprintf("writer %d", i))
	}
	must(t, f.journal().Verify(t.Context(), "d1"))
}

func envelope(t *testing.T, f *fixture) {
	j := f.journal()
	in := change(1, "requested")
	in.Nonce, in.PrevSHA256, in.V, in.Mode, in.SHA256 = "stale", "stale", 9, "LIVE", "stale"
	in.Outbox = []json.RawMessage{json.RawMessage(`{"specversion": "1.0", "id": "a<b"}`)}
	first, err := j.Append(t.Context(), "d1", in)
	must(t, err)
	f.clock.move(time.Second)
	second, err := j.Append(t.Context(), "d1", change(2, "approved"))
	must(t, err)
	equal(t, "version", first.V, journal.Version)
	equal(t, "mode", first.Mode, "SANDBOX")
	equal(t, "sum before the first", first.PrevSHA256, "")
	equal(t, "sum before the second", second.PrevSHA256, first.SHA256)
	equal(t, "outbox", string(first.Outbox[0]), `{"specversion":"1.0","id":"a<b"}`)
	equal(t, "time of the second", second.At, f.clock.Now())
	if first.Nonce == "stale" || first.Nonce == second.Nonce || first.Nonce == "" {
		t.Fatalf("nonces are %q and %q, want two fresh ones", first.Nonce, second.Nonce)
	}
	read, err := f.journal().Entry(t.Context(), "d1", 1)
	must(t, err)
	equal(t, "what a reader sees", fmt.Sprintf("%+v", read), fmt.Sprintf("%+v", first))
}

func monotone(t *testing.T, f *fixture) {
	first := write(t, f.journal(), "d1", 1)[0]
	f.clock.move(-time.Hour) // another instance, whose clock is behind
	second, err := f.journal().Append(t.Context(), "d1", change(2, "earlier"))
	must(t, err)
	equal(t, "time of the second", second.At, first.At)
	must(t, f.journal().Verify(t.Context(), "d1"))
}

func newestFirst(t *testing.T, f *fixture) {
	write(t, f.journal(), "d1", 12)
	keys := listAll(t, f.store, "drills/d1/")
	equal(t, "number of keys", len(keys), 12)
	for i, key := range keys {
		e, err := journal.DecodeEntry([]byte(get(t, f.store, key)))
		must(t, err)
		equal(t, "rev under "+key, e.Rev, 12-i)
	}
}

func headOfMany(t *testing.T, f *fixture) {
	all := write(t, f.journal(), "d1", 100)
	counted := &counting{Store: f.store}
	head, err := f.over(counted).Head(t.Context(), "d1")
	must(t, err)
	equal(t, "rev", head.Rev, 100)
	equal(t, "sum", head.SHA256, all[99].SHA256)
	equal(t, "lists", counted.lists.Load(), 1)
	equal(t, "gets", counted.gets.Load(), 2)
}

func headAfter(t *testing.T, f *fixture) {
	all := write(t, f.journal(), "d1", 5)
	counted := &counting{Store: f.store}
	for known, gets := range map[int]int64{0: 6, 2: 4, 5: 1} {
		counted.gets.Store(0)
		e := journal.Entry{}
		if known > 0 {
			e = all[known-1]
		}
		head, err := f.over(counted).HeadAfter(t.Context(), "d1", e)
		must(t, err)
		equal(t, fmt.Sprintf("head after rev %d", known), head.SHA256, all[4].SHA256)
		equal(t, fmt.Sprintf("gets after rev %d", known), counted.gets.Load(), gets)
	}
	equal(t, "lists", counted.lists.Load(), 0)
}

func anyText(t *testing.T, f *fixture) {
	const title = "演练「订单服务」\"quotes\" 🔥🧯 <script>&\u2028 \\ end"
	e := change(1, title)
	e.Actor = "feishu:租户/用户"
	_, err := f.journal().Append(t.Context(), "d1", e)
	must(t, err)
	head, err := f.journal().Head(t.Context(), "d1")
	must(t, err)
	equal(t, "change", head.Change, title)
	equal(t, "actor", head.Actor, "feishu:租户/用户")
	var state struct{ Status string }
	must(t, json.Unmarshal(head.Drill, &state))
	equal(t, "state", state.Status, title)
}

func alikeIDs(t *testing.T, f *fixture) {
	ids := []string{"d", "d1", "d-1", "d.1", "D_1", strings.Repeat("d", 128)}
	for i, id := range ids {
		write(t, f.journal(), id, i+1)
	}
	for i, id := range ids {
		head, err := f.journal().Head(t.Context(), id)
		must(t, err)
		equal(t, "head of "+id, head.Rev, i+1)
	}
}
