package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/firedrill/firedrill/shared/journal"
)

func storeCases() []testCase {
	return []testCase{
		{"get of an absent key is not found", func(t *testing.T, f *fixture) {
			_, err := f.store.Get(t.Context(), "drills/none/0000000001")
			wantError(t, err, journal.ErrNotFound)
			_, err = f.store.Get(t.Context(), "identity")
			wantError(t, err, journal.ErrNotFound)
		}},
		{"a key that exists is not created again", createTwice},
		{"a cancelled context changes nothing", cancelledCalls},
		{"of 50 who create one key exactly one wins", createRace},
		{"a list that is paged is whole and in byte order", pagedList},
		{"a list stays within its prefix", prefixList},
		{"put replaces, also many at once", putReplaces},
		{"delete is idempotent and frees the key", deleteTwice},
		{"values keep every byte", exactValues},
		{"the caller owns what get returns", ownedValues},
	}
}

func createTwice(t *testing.T, f *fixture) {
	must(t, f.store.Create(t.Context(), "drills/a/1", []byte("first")))
	wantError(t, f.store.Create(t.Context(), "drills/a/1", []byte("second")), journal.ErrExists)
	equal(t, "value", get(t, f.store, "drills/a/1"), "first")
	must(t, f.store.Put(t.Context(), "active/a", []byte("put")))
	wantError(t, f.store.Create(t.Context(), "active/a", []byte("second")), journal.ErrExists)
	equal(t, "value", get(t, f.store, "active/a"), "put")
}

func cancelledCalls(t *testing.T, f *fixture) {
	must(t, f.store.Create(t.Context(), "active/kept", []byte("kept")))
	ctx := cancelled(t)
	_, getErr := f.store.Get(ctx, "active/kept")
	_, listErr := f.store.List(ctx, "active/", "", 0)
	calls := map[string]error{
		"create": f.store.Create(ctx, "active/new", []byte("x")),
		"put":    f.store.Put(ctx, "active/kept", []byte("x")),
		"delete": f.store.Delete(ctx, "active/kept"),
		"get":    getErr,
		"list":   listErr,
	}
	for name, err := range calls {
		if err == nil || errors.Is(err, journal.ErrNotFound) || errors.Is(err, journal.ErrExists) {
			t.Errorf("%s with a cancelled context: error is %v", name, err)
		}
	}
	equalSlices(t, "keys", listAll(t, f.store, "active/"), []string{"active/kept"})
	equal(t, "value", get(t, f.store, "active/kept"), "kept")
}

func createRace(t *testing.T, f *fixture) {
	var won, winner atomic.Int64
	race(writers, func(i int) {
		err := f.store.Create(t.Context(), "drills/new/0001", fmt.Appendf(nil, "writer %d", i))
		if err == nil {
			won.Add(1)
			winner.Store(int64(i))
			return
		}
		if !errors.Is(err, journal.ErrExists) {
			t.Errorf("writer %d: %v", i, err)
		}
		if _, err := f.store.Get(t.Context(), "drills/new/0001"); err != nil {
			t.Errorf("writer %d lost, and finds nothing there: %v", i, err)
		}
	})
	equal(t, "number of winners", won.Load(), 1)
	equal(t, "value", get(t, f.store, "drills/new/0001"), fmt.Sprintf("writer %d", winner.Load()))
}

func pagedList(t *testing.T, f *fixture) {
	const n = 1050 // more than a page of any store
	var want []string
	for i := range n {
		key := fmt.Sprintf("active/%04d", i)
		want = append(want, key)
		must(t, f.store.Put(t.Context(), key, []byte("x")))
	}
	equalSlices(t, "one list", listAll(t, f.store, "active/"), want)
	var got []string
	for after := ""; ; after = got[len(got)-1] {
		page, err := f.store.List(t.Context(), "active/", after, 400)
		must(t, err)
		got = append(got, page...)
		if len(page) < 400 {
			break
		}
	}
	equalSlices(t, "paged list", got, want)
	markers, err := f.journal().Markers(t.Context())
	equal(t, "readable markers", len(markers), 0)
	equal(t, "unreadable markers", strings.Count(err.Error(), "read marker of drill"), n)
}

func prefixList(t *testing.T, f *fixture) {
	for _, key := range []string{"drills/a/2", "drills/a/1", "drills/a-b/1", "drills/ab/1", "drills/a.b/1", "drills/0/1",
		"active/a", "identity", "alarms/x/9-0-a", "alarms/x/9-1-a"} {
		must(t, f.store.Create(t.Context(), key, []byte(key)))
	}
	drills := []string{"drills/0/1", "drills/a-b/1", "drills/a.b/1", "drills/a/1", "drills/a/2", "drills/ab/1"}
	cases := []struct {
		prefix, after string
		limit         int
		want          []string
	}{
		{"drills/none/", "", 0, nil},
		{"drills/a/", "drills/a/2", 0, nil},
		{"drills/a/", "drills/b", 0, nil},
		{"drills/", "", 0, drills},
		{"drills/", "drills/0/0", 1, drills[:1]},
		{"drills/", "drills/a-b/1", 2, drills[2:4]},
		{"drills/", "drills/a/1", 0, drills[4:]},
		{"drills/", "drills/a/~", 1, drills[5:]},
		{"drills/a", "", 0, drills[1:]},
		{"drills/a/", "", 1, drills[3:4]},
		{"drills/a/", "active/z", 0, drills[3:5]},
		{"alarms/x/9-1", "", 0, []string{"alarms/x/9-1-a"}},
		{"ident", "", 0, []string{"identity"}},
		{"identity", "", 0, []string{"identity"}},
		{"identity", "identity", 0, nil},
		{"", "drills/ab/0", 0, []string{"drills/ab/1", "identity"}},
	}
	for _, c := range cases {
		got, err := f.store.List(t.Context(), c.prefix, c.after, c.limit)
		must(t, err)
		equalSlices(t, fmt.Sprintf("list of %q after %q, at most %d,", c.prefix, c.after, c.limit), got, c.want)
	}
}

func putReplaces(t *testing.T, f *fixture) {
	race(writers, func(i int) {
		if err := f.store.Put(t.Context(), "active/a", bytes.Repeat([]byte{'a' + byte(i%26)}, 1000+i)); err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
		got, err := f.store.Get(t.Context(), "active/a")
		if err != nil || len(got) < 1000 || strings.Trim(string(got), string(got[:1])) != "" {
			t.Errorf("a reader sees half a value: %d bytes, error %v", len(got), err)
		}
	})
	must(t, f.store.Put(t.Context(), "active/a", []byte("last")))
	equal(t, "value", get(t, f.store, "active/a"), "last")
	equalSlices(t, "keys", listAll(t, f.store, "active/"), []string{"active/a"})
}

func deleteTwice(t *testing.T, f *fixture) {
	must(t, f.store.Delete(t.Context(), "active/never/there"))
	must(t, f.store.Create(t.Context(), "active/a", []byte("1")))
	must(t, f.store.Delete(t.Context(), "active/a"))
	must(t, f.store.Delete(t.Context(), "active/a"))
	_, err := f.store.Get(t.Context(), "active/a")
	wantError(t, err, journal.ErrNotFound)
	equalSlices(t, "keys", listAll(t, f.store, "active/"), nil)
	must(t, f.store.Create(t.Context(), "active/a", []byte("2")))
	equal(t, "value", get(t, f.store, "active/a"), "2")
}

func exactValues(t *testing.T, f *fixture) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	values := map[string][]byte{
		"empty": {}, "every byte": every, "large": bytes.Repeat(every, 4096*3),
		"text": []byte("演练「订单」\r\n🔥 \"quoted\" <b>&amp;</b>\n"),
	}
	for name, want := range values {
		for op, write := range map[string]func() error{
			"created": func() error { return f.store.Create(t.Context(), "objects/created/"+name[:4], want) },
			"put":     func() error { return f.store.Put(t.Context(), "objects/put/"+name[:4], want) },
		} {
			must(t, write())
			got, err := f.store.Get(t.Context(), "objects/"+op+"/"+name[:4])
			must(t, err)
			if !bytes.Equal(got, want) {
				t.Errorf("%s value %q of %d bytes comes back as %d other bytes", op, name, len(want), len(got))
			}
		}
	}
}

func ownedValues(t *testing.T, f *fixture) {
	data := []byte("value")
	must(t, f.store.Create(t.Context(), "active/a", data))
	data[0] = 'X'
	got, err := f.store.Get(t.Context(), "active/a")
	must(t, err)
	got[1] = 'X'
	equal(t, "value", get(t, f.store, "active/a"), "value")
}
