package s3_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/s3"
	"github.com/firedrill/firedrill/shared/journal/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) journal.Store { return open(t, config(t, newFake(t).URL)) })
}

func TestStore_WithoutAPrefix(t *testing.T) {
	c := config(t, newFake(t).URL)
	c.Prefix = ""
	s := open(t, c)
	must(t, s.Create(t.Context(), "drills/a/1", []byte("x")))
	keys, err := s.List(t.Context(), "", "", 0)
	must(t, err)
	if !slices.Equal(keys, []string{"drills/a/1"}) {
		t.Errorf("keys are %v", keys)
	}
}

func TestStore_TwoPrefixesAreTwoJournals(t *testing.T) {
	f := newFake(t)
	one, two := config(t, f.URL), config(t, f.URL)
	two.Prefix = one.Prefix + "-2" // begins with the other's
	must(t, open(t, one).Create(t.Context(), "identity", []byte("1")))
	must(t, open(t, two).Create(t.Context(), "identity", []byte("2")))
	keys, err := open(t, one).List(t.Context(), "", "", 0)
	must(t, err)
	if !slices.Equal(keys, []string{"identity"}) {
		t.Errorf("keys are %v", keys)
	}
}

func TestStore_50AppendersOfOneDrill(t *testing.T) {
	appenders(t, open(t, config(t, newFake(t).URL)), 50)
}

// appenders lets n writers, each like an instance of its own, append to one drill until each has appended once. Exactly one
// must win each rev, and none may be lost.
func appenders(t *testing.T, store journal.Store, n int) {
	t.Helper()
	j := newJournal(store)
	var conflicts atomic.Int64
	revs := make([]int, n)
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			for revs[i] == 0 {
				rev, err := appendNext(t, j, i)
				switch {
				case err == nil:
					revs[i] = rev
				case errors.Is(err, journal.ErrConflict):
					conflicts.Add(1)
				default:
					t.Errorf("writer %d: %v", i, err)
					return
				}
			}
		})
	}
	close(begin)
	wg.Wait()
	must(t, j.Verify(t.Context(), "d1"))
	entries, err := j.Entries(t.Context(), "d1")
	must(t, err)
	if len(entries) != n {
		t.Fatalf("%d entries, want %d", len(entries), n)
	}
	for i, rev := range revs {
		if rev < 1 || rev > n || entries[rev-1].Actor != fmt.Sprintf("local:test/%d", i) {
			t.Errorf("writer %d was told that it wrote rev %d, which is not its own", i, rev)
		}
	}
	t.Logf("%d appended, %d conflicts", n, conflicts.Load())
}

func appendNext(t *testing.T, j *journal.Journal, i int) (int, error) {
	head, err := j.Head(t.Context(), "d1")
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return 0, err
	}
	state, err := json.Marshal(map[string]int{"n": i})
	if err != nil {
		return 0, err
	}
	e, err := j.Append(t.Context(), "d1", journal.Entry{Rev: head.Rev + 1, Cause: "event", Actor: fmt.Sprintf("local:test/%d", i), Change: "noted", Drill: state})
	return e.Rev, err
}

func TestCreate_LostReply(t *testing.T) {
	f := newFake(t)
	s := open(t, config(t, f.URL))
	f.answering(f.losingReplies)
	err := s.Create(t.Context(), "drills/d1/1", []byte("written"))
	wantPlain(t, err, "create drills/d1/1")
	if got := f.calls(); len(got) != 1 {
		t.Errorf("calls are %v, want one: a second would meet its own write", got)
	}
	_, err = newJournal(s).Append(t.Context(), "d2", journal.Entry{Rev: 1, Actor: "a", Change: "c", Drill: json.RawMessage(`{}`)})
	must(t, err) // the journal reads its own write back
	f.answering(nil)
	if got, err := s.Get(t.Context(), "drills/d1/1"); err != nil || string(got) != "written" {
		t.Errorf("what is there is %q, error %v", got, err)
	}
	if err := newJournal(s).Verify(t.Context(), "d2"); err != nil {
		t.Error(err)
	}
}

func TestCreate_AnotherWriteUnderWay(t *testing.T) {
	cases := []struct {
		name    string
		busy    int // replies of 409 before the server answers itself
		taken   bool
		waitErr error
		calls   int
		want    error // nil for success, errPlain for an error that says nothing
	}{
		{"for ever", 100, false, nil, 5, errPlain},
		{"and the time for it is over", 100, false, errors.New("deadline"), 1, errPlain},
		{"twice, and the other one won", 2, true, nil, 3, journal.ErrExists},
		{"twice, and the other one failed", 2, false, nil, 3, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, w := newFake(t), &waits{err: c.waitErr}
			cfg := config(t, f.URL)
			cfg.Wait = w.wait
			s := open(t, cfg)
			if c.taken {
				must(t, s.Put(t.Context(), "identity", []byte("theirs")))
			}
			left := c.busy
			f.answering(func(w http.ResponseWriter, _ *http.Request) bool {
				left--
				if left >= 0 {
					reply(w, http.StatusConflict, "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation against this resource.")
				}
				return left >= 0
			})
			err := s.Create(t.Context(), "identity", []byte("ours"))
			switch {
			case errors.Is(c.want, errPlain):
				wantPlain(t, err, "create identity")
			case !errors.Is(err, c.want):
				t.Errorf("error is %v, want %v", err, c.want)
			}
			if got := f.calls(); len(got) != c.calls {
				t.Errorf("calls are %v, want %d", got, c.calls)
			}
			for i, d := range w.asked {
				if d != 50*time.Millisecond<<i {
					t.Errorf("pauses are %v, want them to double from 50ms", w.asked)
				}
			}
		})
	}
}

var errPlain = errors.New("neither exists nor not found")

func TestCreate_409AndTheJournal(t *testing.T) {
	f := newFake(t)
	cfg := config(t, f.URL)
	cfg.Wait = (&waits{}).wait
	s := open(t, cfg)
	busy := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		reply(w, http.StatusConflict, "ConditionalRequestConflict", "conflict")
		return true
	}
	entry := journal.Entry{Rev: 1, Actor: "a", Change: "c", Drill: json.RawMessage(`{}`)}
	f.answering(busy)
	_, err := newJournal(s).Append(t.Context(), "d1", entry)
	wantPlain(t, err)
	if errors.Is(err, journal.ErrConflict) {
		t.Errorf("error is %v, but nobody has written", err)
	}
	f.answering(nil)
	_, err = newJournal(s).Append(t.Context(), "d1", journal.Entry{Rev: 1, Actor: "b", Change: "c", Drill: json.RawMessage(`{}`)})
	must(t, err)
	f.answering(busy)
	if _, err = newJournal(s).Append(t.Context(), "d1", entry); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("error is %v, want a conflict: somebody else wrote rev 1", err)
	}
}

func TestStore_SlowDown(t *testing.T) {
	calls := map[string]struct {
		do    func(s *s3.Store) error
		calls int
	}{
		"create": {func(s *s3.Store) error { return s.Create(t.Context(), "new", []byte("x")) }, 1},
		"put":    {func(s *s3.Store) error { return s.Put(t.Context(), "kept", []byte("x")) }, 3},
		"get":    {func(s *s3.Store) error { _, err := s.Get(t.Context(), "kept"); return err }, 3},
		"list":   {func(s *s3.Store) error { _, err := s.List(t.Context(), "", "", 0); return err }, 3},
		"delete": {func(s *s3.Store) error { return s.Delete(t.Context(), "kept") }, 3},
	}
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			s := open(t, config(t, f.URL))
			must(t, s.Put(t.Context(), "kept", []byte("x")))
			slow := func(replies int) func(http.ResponseWriter, *http.Request) bool {
				return func(w http.ResponseWriter, _ *http.Request) bool {
					replies--
					if replies >= 0 {
						reply(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
					}
					return replies >= 0
				}
			}
			f.answering(slow(100))
			wantPlain(t, c.do(s), name, "SlowDown")
			if got := f.calls(); len(got) != c.calls {
				t.Errorf("calls are %v, want %d", got, c.calls)
			}
			f.answering(slow(c.calls - 1))
			must(t, c.do(s))
		})
	}
}
