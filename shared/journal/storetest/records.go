package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
)

func indexCases() []testCase {
	return []testCase{
		{"a page token that is none is refused", func(t *testing.T, f *fixture) {
			for _, token := range []string{"x", "../identity", "9999999999/", "9999999999/a/b"} {
				if _, _, err := f.journal().Recent(t.Context(), 10, token); err == nil || !strings.Contains(err.Error(), "token") {
					t.Errorf("token %q: error is %v", token, err)
				}
			}
		}},
		{"an empty index has no page", func(t *testing.T, f *fixture) {
			items, next, err := f.journal().Recent(t.Context(), 10, "")
			must(t, err)
			equal(t, "page", fmt.Sprintf("%d %q", len(items), next), `0 ""`)
		}},
		{"drills come newest first, page by page", indexPages},
		{"a summary that is written again replaces the first", func(t *testing.T, f *fixture) {
			for _, status := range []string{"running", "演练结束"} {
				must(t, f.journal().PutIndex(t.Context(), f.clock.Now(), "d1", []byte(status)))
			}
			items, _, err := f.journal().Recent(t.Context(), 10, "")
			must(t, err)
			equal(t, "items", fmt.Sprintf("%d %s", len(items), items[0].Summary), "1 演练结束")
		}},
	}
}

func indexPages(t *testing.T, f *fixture) {
	start := f.clock.Now()
	var want []string
	for i := range 25 {
		at := start.Add(time.Duration(i/2) * time.Minute) // two in each minute
		must(t, f.journal().PutIndex(t.Context(), at, fmt.Sprintf("d%02d", i), fmt.Appendf(nil, "summary %d", i)))
	}
	for i := 24; i >= 0; i -= 2 { // newest minute first, within a minute by id
		want = append(want, fmt.Sprintf("d%02d", i))
		if i < 24 {
			want = append(want, fmt.Sprintf("d%02d", i+1))
		}
	}
	var got []string
	pages, after := 0, ""
	for {
		items, next, err := f.journal().Recent(t.Context(), 10, after)
		must(t, err)
		pages++
		for _, item := range items {
			got = append(got, item.Drill)
		}
		if next == "" {
			equal(t, "summary", string(items[len(items)-1].Summary), "summary 1")
			equal(t, "minute", items[len(items)-1].At, start.Truncate(time.Minute))
			break
		}
		after = next
	}
	equal(t, "pages", pages, 3)
	ids, err := f.journal().RecentIDs(t.Context(), 3)
	must(t, err)
	equal(t, "ids", fmt.Sprint(ids), fmt.Sprint(want[:3]))
	equalSlices(t, "drills", got, want)
}

func registerCases() []testCase {
	return []testCase{
		{"a register that was never set has rev 0", func(t *testing.T, f *fixture) {
			value, rev, err := f.journal().Register(t.Context(), "lever/all")
			must(t, err)
			equal(t, "register", fmt.Sprintf("%q %d", value, rev), `"" 0`)
		}},
		{"bad names are refused", badNames},
		{"a rev that is taken, or after a gap, is a conflict", registerConflict},
		{"a damaged register is an error, not unset", damagedRegister},
		{"of 50 who set one register exactly one wins each rev", registerRace},
		{"registers are listed by prefix with their heads", registerList},
	}
}

func badNames(t *testing.T, f *fixture) {
	for _, name := range []string{"", ".", "..", "../x", "a/../b", "a//b", "/a", "a/", strings.Repeat("a", 129), strings.Repeat("锁", 40), "\xff"} {
		_, _, err := f.journal().Register(t.Context(), name)
		if err == nil || !strings.Contains(err.Error(), "register name") {
			t.Errorf("register %.20q: error is %v", name, err)
		}
		if f.journal().Set(t.Context(), name, 0, []byte("x")) == nil {
			t.Errorf("register %.20q was set", name)
		}
	}
	if f.journal().Set(t.Context(), "good", 0, []byte("\xff")) == nil {
		t.Error("a value that is not UTF-8 was taken")
	}
	equalSlices(t, "keys", listAll(t, f.store, ""), nil)
}

func registerConflict(t *testing.T, f *fixture) {
	must(t, f.journal().Set(t.Context(), "lock/a", 0, []byte("one")))
	wantError(t, f.journal().Set(t.Context(), "lock/a", 0, []byte("one")), journal.ErrConflict)
	wantError(t, f.journal().Set(t.Context(), "lock/a", 2, []byte("two")), journal.ErrConflict)
	must(t, f.journal().Set(t.Context(), "lock/a", 1, []byte("two")))
	value, rev, err := f.journal().Register(t.Context(), "lock/a")
	must(t, err)
	equal(t, "register", fmt.Sprintf("%s %d", value, rev), "two 2")
}

func damagedRegister(t *testing.T, f *fixture) {
	must(t, f.journal().Set(t.Context(), "lever/all", 0, []byte("on")))
	key := listAll(t, f.store, "registers/")[0]
	good := get(t, f.store, key)
	for _, bad := range []string{"", "{", strings.Replace(good, "lever/all", "lever/ALL", 1), strings.Replace(good, `"rev":1`, `"rev":2`, 1)} {
		must(t, f.store.Put(t.Context(), key, []byte(bad)))
		_, _, err := f.journal().Register(t.Context(), "lever/all")
		_, listErr := f.journal().Registers(t.Context(), "lever/")
		if err == nil || listErr == nil || errors.Is(err, journal.ErrNotFound) {
			t.Errorf("register damaged as %q: errors are %v and %v", bad, err, listErr)
		}
	}
}

func registerRace(t *testing.T, f *fixture) {
	for rev := range 2 {
		var won atomic.Int64
		race(writers, func(i int) {
			err := f.journal().Set(t.Context(), "lock/production/checkout", rev, []byte("same value"))
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, journal.ErrConflict) {
				t.Errorf("writer %d: %v", i, err)
			}
		})
		equal(t, fmt.Sprintf("winners of rev %d", rev+1), won.Load(), 1)
	}
}

func registerList(t *testing.T, f *fixture) {
	names := []string{"lever/all", "lever/plan/订单", "lever/plan/a b", "lever-x", "lock/production/checkout"}
	for i, name := range names {
		for rev := range i + 1 {
			must(t, f.journal().Set(t.Context(), name, rev, fmt.Appendf(nil, `{"n": %d, "x": "<演练>"}`, rev)))
		}
	}
	for prefix, want := range map[string]string{
		"none/":       "",
		"lever/":      "lever/all 1;lever/plan/a b 3;lever/plan/订单 2;",
		"lever/plan/": "lever/plan/a b 3;lever/plan/订单 2;",
		"lock/":       "lock/production/checkout 5;",
		"":            "lever-x 4;lever/all 1;lever/plan/a b 3;lever/plan/订单 2;lock/production/checkout 5;",
	} {
		counted := &counting{Store: f.store}
		items, err := f.over(counted).Registers(t.Context(), prefix)
		must(t, err)
		got := ""
		for _, item := range items {
			got += fmt.Sprintf("%s %d;", item.Name, item.Rev)
			equal(t, "value of "+item.Name, string(item.Value), fmt.Sprintf(`{"n": %d, "x": "<演练>"}`, item.Rev-1))
			equal(t, "time of "+item.Name, item.At, f.clock.Now())
		}
		equal(t, fmt.Sprintf("registers with prefix %q", prefix), got, want)
		equal(t, "lists", int(counted.lists.Load()), len(items)+1)
	}
}

func objectCases() []testCase {
	return []testCase{
		{"an absent object is not found, a bad name is refused", func(t *testing.T, f *fixture) {
			_, err := f.journal().Object(t.Context(), "d1", "report.html")
			wantError(t, err, journal.ErrNotFound)
			for _, name := range []string{"", "..", "../../identity"} {
				if err := f.journal().PutObject(t.Context(), "d1", name, nil); err == nil {
					t.Errorf("object name %q was taken", name)
				}
			}
		}},
		{"objects are kept, replaced and listed by drill", objects},
		{"50 instances agree on one identity", oneIdentity},
		{"a damaged identity is an error", func(t *testing.T, f *fixture) {
			for _, bad := range []string{"", "{}", "null"} {
				must(t, f.store.Put(t.Context(), "identity", []byte(bad)))
				if id, err := f.journal().Identity(t.Context()); err == nil {
					t.Errorf("identity damaged as %q reads %q", bad, id)
				}
			}
		}},
		{"an identity that cannot be read is not made anew", func(t *testing.T, f *fixture) {
			j := f.over(&faulty{Store: f.store, get: func(context.Context, string) ([]byte, error) { return nil, errNetwork }})
			_, err := j.Identity(t.Context())
			wantError(t, err, errNetwork)
			equalSlices(t, "keys", listAll(t, f.store, ""), nil)
		}},
	}
}

func objects(t *testing.T, f *fixture) {
	j := f.journal()
	must(t, j.PutObject(t.Context(), "d1", "report.html", []byte("first")))
	must(t, j.PutObject(t.Context(), "d1", "report.html", []byte("second")))
	must(t, j.PutObject(t.Context(), "d1", "probe/下单", []byte("samples")))
	must(t, j.PutObject(t.Context(), "d10", "other", []byte("other")))
	for name, want := range map[string]string{"report.html": "second", "probe/下单": "samples"} {
		got, err := j.Object(t.Context(), "d1", name)
		must(t, err)
		equal(t, name, string(got), want)
	}
	names, err := j.Objects(t.Context(), "d1")
	must(t, err)
	equalSlices(t, "names", names, []string{"probe/下单", "report.html"})
}

func oneIdentity(t *testing.T, f *fixture) {
	ids := make([]string, writers)
	race(writers, func(i int) {
		id, err := f.journal().Identity(t.Context())
		if err != nil {
			t.Errorf("instance %d: %v", i, err)
		}
		ids[i] = id
	})
	for i, id := range ids {
		equal(t, fmt.Sprintf("identity seen by instance %d", i), id, ids[0])
	}
	if ids[0] == "" {
		t.Fatal("identity is empty")
	}
	counted := &counting{Store: f.store}
	j := f.over(counted)
	for range 3 {
		id, err := j.Identity(t.Context())
		must(t, err)
		equal(t, "identity", id, ids[0])
	}
	equal(t, "gets of what never changes", counted.gets.Load(), 1)
}
