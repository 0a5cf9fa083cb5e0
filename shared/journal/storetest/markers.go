package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
)

func markerCases() []testCase {
	return []testCase{
		{"an absent marker is not found", func(t *testing.T, f *fixture) {
			_, err := f.journal().Marker(t.Context(), "d1")
			wantError(t, err, journal.ErrNotFound)
			wantError(t, f.journal().MarkSent(t.Context(), "d1", 1), journal.ErrNotFound)
			must(t, f.journal().DeleteMarker(t.Context(), "d1"))
			equalSlices(t, "keys", listAll(t, f.store, ""), nil)
		}},
		{"a damaged marker is named beside the readable ones", damagedMarker},
		{"a marker that cannot be read is named beside the readable ones", unreadableMarker},
		{"a marker that vanishes meanwhile is left out", vanishingMarker},
		{"sent is never lowered", sentNeverLowered},
		{"a marker keeps its fields", markerFields},
		{"markers come in the order of ids, from more than one page", manyMarkers},
	}
}

func damagedMarker(t *testing.T, f *fixture) {
	j := f.journal()
	for _, id := range []string{"a", "b", "c", "d"} {
		must(t, j.PutMarker(t.Context(), journal.Marker{Drill: id}))
	}
	must(t, f.store.Put(t.Context(), "active/b", []byte(`{"drill":`)))
	must(t, f.store.Put(t.Context(), "active/c", []byte(`{"drill":"a"}`)))
	markers, err := j.Markers(t.Context())
	equalSlices(t, "readable", drills(markers), []string{"a", "d"})
	var damaged *journal.MarkerError
	if !errors.As(err, &damaged) || damaged.Drill != "b" || !strings.Contains(err.Error(), "drill c") {
		t.Fatalf("error is %v, want one that names b and c", err)
	}
	must(t, j.PutMarker(t.Context(), journal.Marker{Drill: "b", Sent: 3})) // mends it
	m, err := j.Marker(t.Context(), "b")
	must(t, err)
	equal(t, "sent", m.Sent, 3)
}

func unreadableMarker(t *testing.T, f *fixture) {
	for _, id := range []string{"a", "b"} {
		must(t, f.journal().PutMarker(t.Context(), journal.Marker{Drill: id}))
	}
	store := &faulty{Store: f.store, get: func(ctx context.Context, key string) ([]byte, error) {
		if key == "active/a" {
			return nil, errNetwork
		}
		return f.store.Get(ctx, key)
	}}
	markers, err := f.over(store).Markers(t.Context())
	wantError(t, err, errNetwork)
	equalSlices(t, "readable", drills(markers), []string{"b"})
	wantError(t, f.over(store).PutMarker(t.Context(), journal.Marker{Drill: "a"}), errNetwork)
	store.list = func(context.Context, string, string, int) ([]string, error) { return nil, errNetwork }
	_, err = f.over(store).Markers(t.Context())
	wantError(t, err, errNetwork)
}

func vanishingMarker(t *testing.T, f *fixture) {
	for _, id := range []string{"a", "b", "c"} {
		must(t, f.journal().PutMarker(t.Context(), journal.Marker{Drill: id}))
	}
	store := &faulty{Store: f.store, list: func(ctx context.Context, prefix, after string, limit int) ([]string, error) {
		keys, err := f.store.List(ctx, prefix, after, limit)
		return keys, errors.Join(err, f.store.Delete(ctx, "active/b"))
	}}
	markers, err := f.over(store).Markers(t.Context())
	must(t, err)
	equalSlices(t, "readable", drills(markers), []string{"a", "c"})
}

func sentNeverLowered(t *testing.T, f *fixture) {
	j := f.journal()
	must(t, j.PutMarker(t.Context(), journal.Marker{Drill: "d1", Plan: "p", Rev: 1}))
	for _, step := range []struct{ mark, want int }{{2, 2}, {5, 5}, {4, 5}, {0, 5}, {6, 6}} {
		must(t, j.MarkSent(t.Context(), "d1", step.mark))
		m, err := j.Marker(t.Context(), "d1")
		must(t, err)
		equal(t, fmt.Sprintf("sent after marking %d", step.mark), m.Sent, step.want)
		equal(t, "plan", m.Plan, "p")
	}
	must(t, j.PutMarker(t.Context(), journal.Marker{Drill: "d1", Run: "EXP1", Rev: 7}))
	must(t, j.PutMarker(t.Context(), journal.Marker{Drill: "d1", Run: "EXP2", Rev: 6}))
	m, err := j.Marker(t.Context(), "d1")
	must(t, err)
	equal(t, "marker", fmt.Sprint(m.Sent, m.Rev, m.Run), fmt.Sprint(6, 7, "EXP2"))
}

func markerFields(t *testing.T, f *fixture) {
	want := journal.Marker{Drill: "d1", Plan: "订单-cpu", Environment: "production", Service: "ahas", Account: "ali-prod",
		Region: "cn-hangzhou", Run: "1234567890123456789", StopOn: []string{"cart-errors", "告警"}, Sent: 2, Rev: 3, At: f.clock.Now()}
	must(t, f.journal().PutMarker(t.Context(), want))
	got, err := f.journal().Marker(t.Context(), "d1")
	must(t, err)
	equal(t, "marker", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	f.clock.move(time.Minute)
	must(t, f.journal().MarkSent(t.Context(), "d1", 3))
	got, err = f.journal().Marker(t.Context(), "d1")
	must(t, err)
	want.Sent, want.At = 3, f.clock.Now()
	equal(t, "marker", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	must(t, f.journal().DeleteMarker(t.Context(), "d1"))
	_, err = f.journal().Marker(t.Context(), "d1")
	wantError(t, err, journal.ErrNotFound)
}

func manyMarkers(t *testing.T, f *fixture) {
	var want []string
	for i := range 1010 {
		id := fmt.Sprintf("d%04d", i)
		want = append(want, id)
		must(t, f.store.Put(t.Context(), "active/"+id, fmt.Appendf(nil, `{"drill":%q}`, id)))
	}
	markers, err := f.journal().Markers(t.Context())
	must(t, err)
	equalSlices(t, "drills", drills(markers), want)
}

func drills(markers []journal.Marker) []string {
	var ids []string
	for _, m := range markers {
		ids = append(ids, m.Drill)
	}
	return ids
}
