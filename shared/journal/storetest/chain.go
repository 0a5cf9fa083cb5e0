package storetest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/journal"
)

// broken is the case of a drill of six revs that is whole until breakIt; keys[0] is rev 6.
func broken(name string, rev int, reason string, breakIt func(t *testing.T, f *fixture, keys []string)) testCase {
	return testCase{name, func(t *testing.T, f *fixture) {
		write(t, f.journal(), "d1", 6)
		keys := listAll(t, f.store, "drills/d1/")
		must(t, f.journal().Verify(t.Context(), "d1"))
		breakIt(t, f, keys)
		wantBroken(t, f.journal().Verify(t.Context(), "d1"), rev, reason)
	}}
}

func chainCases() []testCase {
	return []testCase{
		broken("a changed entry is found", 4, "rev 3 was changed", func(t *testing.T, f *fixture, keys []string) {
			edit(t, f, keys[3], "change 3", "change X")
		}),
		broken("a changed first entry is found", 2, "rev 1 was changed", func(t *testing.T, f *fixture, keys []string) {
			edit(t, f, keys[5], "slack:T1/U1", "slack:T1/U2")
		}),
		broken("a missing entry is found", 3, "missing", func(t *testing.T, f *fixture, keys []string) {
			must(t, f.store.Delete(t.Context(), keys[3]))
		}),
		broken("a missing first entry is found", 1, "missing", func(t *testing.T, f *fixture, keys []string) {
			must(t, f.store.Delete(t.Context(), keys[5]))
		}),
		broken("reordered entries are found", 3, "holds rev 4", func(t *testing.T, f *fixture, keys []string) {
			three, four := get(t, f.store, keys[3]), get(t, f.store, keys[2])
			must(t, f.store.Put(t.Context(), keys[3], []byte(four)))
			must(t, f.store.Put(t.Context(), keys[2], []byte(three)))
		}),
		broken("reordered entries with their revs swapped are found", 3, "another sum", func(t *testing.T, f *fixture, keys []string) {
			three, four := get(t, f.store, keys[3]), get(t, f.store, keys[2])
			must(t, f.store.Put(t.Context(), keys[3], []byte(strings.Replace(four, `"rev":4`, `"rev":3`, 1))))
			must(t, f.store.Put(t.Context(), keys[2], []byte(strings.Replace(three, `"rev":3`, `"rev":4`, 1))))
		}),
		broken("a torn entry is found", 5, "not readable", func(t *testing.T, f *fixture, keys []string) {
			must(t, f.store.Put(t.Context(), keys[1], []byte(get(t, f.store, keys[1])[:40])))
		}),
		broken("an emptied head is found", 6, "not readable", func(t *testing.T, f *fixture, keys []string) {
			must(t, f.store.Put(t.Context(), keys[0], nil))
		}),
		broken("time that runs backwards is found", 6, "its time", func(t *testing.T, f *fixture, keys []string) {
			edit(t, f, keys[0], "2026-11-21T10:00:00Z", "2026-11-20T10:00:00Z")
		}),
		broken("an entry of a newer format is found", 6, "format version 2", func(t *testing.T, f *fixture, keys []string) {
			edit(t, f, keys[0], `"v":1`, `"v":2`)
		}),
		{"a gap is an error when entries are read", gapInEntries},
		{"a changed head is found by its anchor", anchoredHead},
		{"a cut off end is found by its anchor", anchoredEnd},
		{"entries that were read before are checked alike", verifyRead},
		{"an audit returns the sums", auditSums},
	}
}

func wantBroken(t *testing.T, err error, rev int, reason string) {
	t.Helper()
	var b *journal.BrokenError
	if !errors.As(err, &b) {
		t.Fatalf("error is %v, want a broken journal", err)
	}
	equal(t, "broken rev", b.Rev, rev)
	equal(t, "drill", b.Drill, "d1")
	if !strings.Contains(b.Reason, reason) {
		t.Fatalf("reason is %q, want it to say %q", b.Reason, reason)
	}
}

func edit(t *testing.T, f *fixture, key, from, to string) {
	t.Helper()
	old := get(t, f.store, key)
	edited := strings.Replace(old, from, to, 1)
	if edited == old {
		t.Fatalf("%s does not hold %q", old, from)
	}
	must(t, f.store.Put(t.Context(), key, []byte(edited)))
}

func gapInEntries(t *testing.T, f *fixture) {
	write(t, f.journal(), "d1", 4)
	must(t, f.store.Delete(t.Context(), listAll(t, f.store, "drills/d1/")[2]))
	_, err := f.journal().Entries(t.Context(), "d1")
	if err == nil || errors.Is(err, journal.ErrNotFound) || !strings.Contains(err.Error(), "rev 2 of drill d1") {
		t.Fatalf("error is %v, want one that names rev 2, and not that the drill is absent", err)
	}
}

func anchoredHead(t *testing.T, f *fixture) {
	all := write(t, f.journal(), "d1", 3)
	anchor := journal.Anchor{Rev: 3, SHA256: all[2].SHA256}
	must(t, f.journal().Verify(t.Context(), "d1", anchor))
	edit(t, f, listAll(t, f.store, "drills/d1/")[0], "change 3", "change X")
	must(t, f.journal().Verify(t.Context(), "d1")) // the chain alone cannot see it
	wantBroken(t, f.journal().Verify(t.Context(), "d1", anchor), 3, "published")
}

func anchoredEnd(t *testing.T, f *fixture) {
	all := write(t, f.journal(), "d1", 4)
	keys := listAll(t, f.store, "drills/d1/")
	must(t, f.store.Delete(t.Context(), keys[0]))
	must(t, f.store.Delete(t.Context(), keys[1]))
	must(t, f.journal().Verify(t.Context(), "d1"))
	anchors := []journal.Anchor{{Rev: 4, SHA256: all[3].SHA256}, {Rev: 3, SHA256: all[2].SHA256}, {Rev: 2, SHA256: all[1].SHA256}}
	wantBroken(t, f.journal().Verify(t.Context(), "d1", anchors...), 3, "not there")
}

func verifyRead(t *testing.T, f *fixture) {
	all := write(t, f.journal(), "d1", 4)
	entries, err := f.journal().Entries(t.Context(), "d1")
	must(t, err)
	must(t, journal.VerifyEntries("d1", entries, journal.Anchor{Rev: 4, SHA256: all[3].SHA256}))
	must(t, journal.VerifyEntries("d1", nil))
	wantBroken(t, journal.VerifyEntries("d1", entries[1:]), 1, "rev 2 is there")
	wantBroken(t, journal.VerifyEntries("d1", append(entries[:2:2], entries[3])), 3, "rev 4 is there")
	entries[1].SHA256 = ""
	wantBroken(t, journal.VerifyEntries("d1", entries), 3, "unknown")
	entries[0].PrevSHA256 = all[0].SHA256
	wantBroken(t, journal.VerifyEntries("d1", entries), 1, "before it")
}

func auditSums(t *testing.T, f *fixture) {
	all := write(t, f.journal(), "d1", 3)
	c, err := f.journal().Check(t.Context(), "d1")
	must(t, err)
	equal(t, "head", c.Head(), journal.Anchor{Rev: 3, SHA256: all[2].SHA256})
	equalSlices(t, "sums", c.Sums, []string{all[0].SHA256, all[1].SHA256, all[2].SHA256})
	must(t, f.store.Put(t.Context(), listAll(t, f.store, "drills/d1/")[1], []byte("{}")))
	c, err = f.journal().Check(t.Context(), "d1")
	must(t, err)
	wantBroken(t, c.Broken, 2, "version 0")
	out, err := json.Marshal(c)
	must(t, err)
	if !strings.Contains(string(out), `"broken":{"drill":"d1","rev":2,`) {
		t.Fatalf("audit as JSON is %s", out)
	}
}
