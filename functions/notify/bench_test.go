package notify_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

// recorder is a sender that keeps what it got, and fails where it is told to.
type recorder struct {
	mu   sync.Mutex
	got  []string // "post local:a [SANDBOX] …"
	fail map[string]error
	can  chat.Capabilities
}

func (r *recorder) note(how, to string, m chat.Message) (chat.Posted, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.fail[to]; err != nil {
		return chat.Posted{}, err
	}
	r.got = append(r.got, how+" "+to+" "+m.Title)
	return chat.Posted{To: to, ID: fmt.Sprint(len(r.got)), Thread: m.Thread}, nil
}

func (r *recorder) Post(_ context.Context, to chat.Address, m chat.Message) (chat.Posted, error) {
	return r.note("post", to.String(), m)
}

func (r *recorder) Update(_ context.Context, p chat.Posted, m chat.Message) (chat.Posted, error) {
	return r.note("update "+p.ID, p.To, m)
}

func (r *recorder) Reply(_ context.Context, p chat.Posted, m chat.Message) (chat.Posted, error) {
	return r.note("reply "+p.ID, p.To, m)
}

func (r *recorder) Capabilities(chat.Address) chat.Capabilities { return r.can }

func (r *recorder) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.got, "\n")
}

// flaky is a journal whose reads and writes can be made to fail.
type flaky struct {
	*journal.Journal
	load, object, put, set error
	strict                 bool // a context that is done is done
}

func (f *flaky) LoadAt(ctx context.Context, id string, rev int) (*drill.Drill, error) {
	if f.load != nil {
		return nil, f.load
	}
	return f.Journal.LoadAt(ctx, id, rev)
}

func (f *flaky) Object(ctx context.Context, id, name string) ([]byte, error) {
	if f.object != nil {
		return nil, f.object
	}
	return f.Journal.Object(ctx, id, name)
}

func (f *flaky) PutObject(ctx context.Context, id, name string, data []byte) error {
	if f.put != nil {
		return f.put
	}
	if f.strict && ctx.Err() != nil {
		return ctx.Err()
	}
	return f.Journal.PutObject(ctx, id, name, data)
}

func (f *flaky) Set(ctx context.Context, name string, rev int, value []byte) error {
	if f.set != nil {
		return f.set
	}
	if f.strict && ctx.Err() != nil {
		return ctx.Err()
	}
	return f.Journal.Set(ctx, name, rev, value)
}

type bench struct {
	t     *testing.T
	j     *flaky
	f     *notify.Function
	out   *recorder
	log   *bytes.Buffer
	late  time.Duration // how far the clock has moved
	drill *drill.Drill
	facts []events.Event // of rev 1
}

func newBench(t *testing.T, channels ...drill.Channel) *bench {
	t.Helper()
	n := 0
	store := journal.Open(memory.New(), journal.Options{Now: func() time.Time { return now }, Nonce: func() string { n++; return fmt.Sprint("n", n) }, Mode: "SANDBOX"})
	b := &bench{t: t, j: &flaky{Journal: store}, out: &recorder{fail: map[string]error{}}, log: &bytes.Buffer{}}
	b.f = &notify.Function{Journal: b.j, Senders: chat.New(nil, b.out), Now: b.clock, Wait: b.wait, Log: slog.New(slog.NewJSONHandler(b.log, nil))}
	d, change := drill.New(drill.Ask{ID: "k7m2q4x9a3bcd", Mode: "SANDBOX", Actor: "webhook:acme/alice",
		Plan: drill.Plan{Name: "checkout", Title: "Checkout", Service: drill.FIS, Environment: "staging", Notify: channels, MaxDuration: drill.Duration(time.Hour)}}, now)
	facts, err := store.Begin(t.Context(), d, change, journal.By{Source: "/firedrill/test/start"})
	if err != nil {
		t.Fatal(err)
	}
	b.drill, b.facts = d, facts
	return b
}

func (b *bench) clock() time.Time { return now.Add(time.Duration(atomic.LoadInt64((*int64)(&b.late)))) }

// wait moves the clock instead of waiting.
func (b *bench) wait(_ context.Context, d time.Duration) error {
	atomic.AddInt64((*int64)(&b.late), int64(d))
	return nil
}

// another is one more instance of the function, over the same journal and platforms.
func (b *bench) another() *bench {
	other := *b
	other.f = &notify.Function{
		Journal: b.f.Journal, Senders: b.f.Senders, Keys: b.f.Keys, Channels: b.f.Channels, Of: b.f.Of, Link: b.f.Link, Now: b.f.Now, Wait: b.f.Wait, Log: b.f.Log,
	}
	return &other
}

// inTime lets the function run by the clock of the bubble that the test is in.
func (b *bench) inTime() {
	began := time.Now()
	b.f.Now = func() time.Time { return now.Add(time.Since(began)) }
	b.f.Wait = func(ctx context.Context, d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func channel(name, to string) drill.Channel {
	return drill.Channel{Name: name, To: to, Lang: "en", Timezone: "Europe/Berlin"}
}

// change appends one more rev and returns its facts.
func (b *bench) change(edit journal.Edit) []events.Event {
	b.t.Helper()
	_, facts, err := b.j.Update(b.t.Context(), b.drill.ID, journal.By{Source: "/firedrill/test/poll"}, edit)
	if err != nil {
		b.t.Fatal(err)
	}
	return facts
}

func (b *bench) handle(e events.Event) error {
	b.t.Helper()
	out, err := b.f.Handle(b.t.Context(), e)
	if len(out) != 0 {
		b.t.Errorf("notify returned events: %v", out)
	}
	return err
}

func (b *bench) want(lines ...string) {
	b.t.Helper()
	if got := b.out.all(); got != strings.Join(lines, "\n") {
		b.t.Errorf("got\n%s\nwant\n%s", got, strings.Join(lines, "\n"))
	}
}
