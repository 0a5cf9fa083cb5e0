package function_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/function"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// bench records what is published and what is marked.
type bench struct {
	published []events.Event
	marked    map[string][]int
	publish   error
	mark      error
}

func (b *bench) Publish(_ context.Context, out ...events.Event) error {
	if b.publish != nil {
		return b.publish
	}
	b.published = append(b.published, out...)
	return nil
}

func (b *bench) Published(_ context.Context, id string, revs ...int) error {
	if b.marked == nil {
		b.marked = map[string][]int{}
	}
	b.marked[id] = append(b.marked[id], revs...)
	return b.mark
}

func fact(t *testing.T, id string, rev int) events.Event {
	t.Helper()
	e, err := events.New(events.Envelope{ID: events.FactID(id, rev, 0), Source: "/test", Subject: id, Time: noon, Sequence: rev, Cause: "c"}, events.Tick{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPublishing(t *testing.T) {
	away, failed := errors.New("the bus is away"), errors.New("the service is away")
	tests := []struct {
		name      string
		bench     bench
		out       []events.Event
		err       error
		want      []error
		published int
		marked    map[string][]int
	}{
		{"publishing fails: delivered again, nothing is marked", bench{publish: away}, []events.Event{fact(t, "a", 1)}, nil, []error{away}, 0, nil},
		{"both fail", bench{publish: away}, []events.Event{fact(t, "a", 1)}, failed, []error{away, failed}, 0, nil},
		{"marking fails: delivered again", bench{mark: away}, []events.Event{fact(t, "a", 1)}, nil, []error{away}, 1, map[string][]int{"a": {1}}},
		{"events with an error are published all the same", bench{}, []events.Event{fact(t, "a", 1)}, failed, []error{failed}, 1, map[string][]int{"a": {1}}},
		{"an error without events", bench{}, nil, failed, []error{failed}, 0, nil},
		{"facts of several drills", bench{}, []events.Event{fact(t, "a", 1), fact(t, "b", 7), fact(t, "a", 2)}, nil, nil, 3, map[string][]int{"a": {1, 2}, "b": {7}}},
		{"a command has no rev to mark", bench{}, []events.Event{fact(t, "a", 0)}, nil, nil, 1, nil},
		{"nothing", bench{}, nil, nil, nil, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.bench
			h := function.Publishing(func(context.Context, events.Event) ([]events.Event, error) { return tt.out, tt.err }, &b, &b)
			out, err := h(t.Context(), fact(t, "in", 0))
			for _, want := range tt.want {
				if !errors.Is(err, want) {
					t.Errorf("error %v, want %v", err, want)
				}
			}
			if (err == nil) != (len(tt.want) == 0) || len(out) != len(tt.out) {
				t.Errorf("error %v, %d events", err, len(out))
			}
			if len(b.published) != tt.published || !reflect.DeepEqual(b.marked, tt.marked) {
				t.Errorf("published %d, marked %v; want %d, %v", len(b.published), b.marked, tt.published, tt.marked)
			}
		})
	}
}

func TestLogging_OneLineWithTheSharedKeys(t *testing.T) {
	for name, fail := range map[string]error{"DEBUG": nil, "WARN": errors.New("away")} {
		var line bytes.Buffer
		clock := noon
		now := func() time.Time { clock = clock.Add(40 * time.Millisecond); return clock }
		log := slog.New(slog.NewJSONHandler(&line, &slog.HandlerOptions{Level: slog.LevelDebug}))
		h := function.Logging(func(context.Context, events.Event) ([]events.Event, error) { return nil, fail }, log, now)
		if _, err := h(t.Context(), fact(t, "d1", 3)); !errors.Is(err, fail) {
			t.Errorf("error %v", err)
		}
		var got map[string]any
		if err := json.Unmarshal(line.Bytes(), &got); err != nil || strings.Count(line.String(), "\n") != 1 {
			t.Fatalf("%q: %v", line.String(), err)
		}
		if got["level"] != name || got["drill"] != "d1" || got["type"] != events.TypeTick || got["cause"] != "c" || got["dur_ms"] != 40.0 {
			t.Errorf("line %v", got)
		}
		if (got["error"] != nil) != (fail != nil) {
			t.Errorf("error %v", got["error"])
		}
	}
}

func TestMargin(t *testing.T) {
	var seen time.Time
	var has bool
	h := function.Margin(func(ctx context.Context, _ events.Event) ([]events.Event, error) {
		seen, has = ctx.Deadline()
		return nil, nil
	}, 2*time.Second)
	end := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	if _, err := h(ctx, events.Event{}); err != nil || !seen.Equal(end.Add(-2*time.Second)) {
		t.Errorf("deadline %v, want 2 s before %v", seen, end)
	}
	if _, err := h(t.Context(), events.Event{}); err != nil || has {
		t.Error("a deadline came from nowhere")
	}
}

type causes bool

func (c causes) CausedBy(context.Context, string, string) bool { return bool(c) }

func TestRefuser(t *testing.T) {
	r := function.Refuser{Journal: causes(false), Now: func() time.Time { return noon }, Mode: "SANDBOX", Source: "/firedrill/test/abort", Log: slog.New(slog.DiscardHandler)}
	no := function.No{Drill: "d1", Actor: "local:a/b", Cause: "c1", Check: "gate", Reason: "already answered: bob chose skip"}
	first, err := r.Refuse(t.Context(), no)
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	p, err := events.Decode[events.Refused](first[0])
	if err != nil || p.Check != "gate" || p.Reason != "bob chose skip" || p.Status != "unchanged" || p.Actor != "local:a/b" || events.Cause(first[0]) != "c1" {
		t.Errorf("%+v, cause %q, %v", p, events.Cause(first[0]), err)
	}
	again, err := r.Refuse(t.Context(), no)
	if err != nil || len(again) != 1 || again[0].ID() != first[0].ID() {
		t.Errorf("refused again it is another event: %v, %v", again, err)
	}
	r.Journal = causes(true)
	if out, err := r.Refuse(t.Context(), no); err != nil || len(out) != 0 {
		t.Errorf("delivered again, a command that was carried out is refused: %v, %v", out, err)
	}
}
