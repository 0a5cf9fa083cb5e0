package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/firedrill/firedrill/shared/journal"
)

func faultCases() []testCase {
	return []testCase{
		{"a lost request is an error and appends nothing", lostRequest},
		{"an error while somebody else writes is a conflict", lostRace},
		{"an outcome that cannot be read is the error, not a success", unreadableOutcome},
		{"a head that cannot be read is an error, not an absent drill", unreadableHead},
		{"a head that is listed but gone is an error, not an absent drill", listedButGone},
		{"a lost reply is recognised as our own append", lostReply},
		{"a retry inside the store is recognised as our own append", innerRetry},
		{"a stale list hides no entry", staleList},
		{"an empty list hides no drill", emptyList},
		{"foreign keys among the entries are passed over", foreignKeys},
	}
}

func lostRequest(t *testing.T, f *fixture) {
	_, err := f.over(losingRequests(f.store)).Append(t.Context(), "d1", change(1, "x"))
	wantError(t, err, errNetwork)
	if errors.Is(err, journal.ErrConflict) {
		t.Fatalf("error is %v, but nobody else wrote", err)
	}
	_, err = f.journal().Head(t.Context(), "d1")
	wantError(t, err, journal.ErrNotFound)
	wantError(t, f.over(losingRequests(f.store)).Set(t.Context(), "lever/all", 0, []byte("on")), errNetwork)
}

func lostRace(t *testing.T, f *fixture) {
	store := losingRequests(f.store)
	inner := store.create
	store.create = func(ctx context.Context, key string, data []byte) error {
		_, err := f.journal().Append(ctx, "d1", change(1, "theirs"))
		return errors.Join(err, inner(ctx, key, data))
	}
	_, err := f.over(store).Append(t.Context(), "d1", change(1, "mine"))
	wantError(t, err, journal.ErrConflict)
	head, err := f.journal().Head(t.Context(), "d1")
	must(t, err)
	equal(t, "head", head.Change, "theirs")
}

func unreadableOutcome(t *testing.T, f *fixture) {
	store := losingReplies(f.store)
	store.get = func(context.Context, string) ([]byte, error) { return nil, errNetwork }
	_, err := f.over(store).Append(t.Context(), "d1", change(1, "x"))
	wantError(t, err, errNetwork)
	if errors.Is(err, journal.ErrConflict) || errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("error is %v, but the outcome is not known", err)
	}
}

func unreadableHead(t *testing.T, f *fixture) {
	write(t, f.journal(), "d1", 2)
	must(t, f.journal().Set(t.Context(), "lever/all", 0, []byte("on")))
	noGet := &faulty{Store: f.store, get: func(context.Context, string) ([]byte, error) { return nil, errNetwork }}
	noList := &faulty{Store: f.store, list: func(context.Context, string, string, int) ([]string, error) { return nil, errNetwork }}
	for what, j := range map[string]*journal.Journal{"get": f.over(noGet), "list": f.over(noList)} {
		_, headErr := j.Head(t.Context(), "d1")
		_, _, registerErr := j.Register(t.Context(), "lever/all")
		_, registersErr := j.Registers(t.Context(), "lever/")
		for call, err := range map[string]error{"head": headErr, "register": registerErr, "registers": registersErr} {
			if !errors.Is(err, errNetwork) || errors.Is(err, journal.ErrNotFound) {
				t.Errorf("%s when %s fails: error is %v", call, what, err)
			}
		}
	}
}

func listedButGone(t *testing.T, f *fixture) {
	write(t, f.journal(), "d1", 2)
	must(t, f.journal().Set(t.Context(), "lock/a", 0, []byte("held")))
	store := &faulty{Store: f.store, get: func(context.Context, string) ([]byte, error) { return nil, journal.ErrNotFound }}
	_, err := f.over(store).Head(t.Context(), "d1")
	if err == nil || errors.Is(err, journal.ErrNotFound) {
		t.Errorf("head: error is %v", err)
	}
	if _, _, err := f.over(store).Register(t.Context(), "lock/a"); err == nil {
		t.Error("a register that is listed but gone reads as unset")
	}
	if _, err := f.over(store).Registers(t.Context(), "lock/"); err == nil || errors.Is(err, journal.ErrNotFound) {
		t.Errorf("registers: error is %v", err)
	}
}

func lostReply(t *testing.T, f *fixture) {
	j := f.over(losingReplies(f.store))
	write(t, j, "d1", 3)
	head, err := f.journal().Head(t.Context(), "d1")
	must(t, err)
	equal(t, "head", head.Rev, 3)
	must(t, f.journal().Verify(t.Context(), "d1"))
	must(t, j.Set(t.Context(), "lever/all", 0, []byte("on")))
	id, err := j.Identity(t.Context())
	must(t, err)
	same, err := f.journal().Identity(t.Context())
	must(t, err)
	equal(t, "identity", same, id)
}

func innerRetry(t *testing.T, f *fixture) {
	j := f.over(retrying(f.store))
	write(t, j, "d1", 3)
	_, err := f.over(retrying(f.store)).Append(t.Context(), "d1", change(3, "other"))
	wantError(t, err, journal.ErrConflict)
	must(t, j.Set(t.Context(), "lever/all", 0, []byte("on")))
	wantError(t, j.Set(t.Context(), "lever/all", 0, []byte("on")), journal.ErrConflict)
}

func staleList(t *testing.T, f *fixture) {
	write(t, f.journal(), "d1", 3)
	must(t, f.journal().Set(t.Context(), "lever/all", 0, []byte("on")))
	stale := map[string][]string{}
	for _, prefix := range []string{"drills/d1/", "registers/"} {
		stale[prefix] = listAll(t, f.store, prefix)[:1]
	}
	for rev := 4; rev <= 7; rev++ {
		_, err := f.journal().Append(t.Context(), "d1", change(rev, fmt.Sprintf("change %d", rev)))
		must(t, err)
	}
	must(t, f.journal().Set(t.Context(), "lever/all", 1, []byte("off")))
	j := f.over(&faulty{Store: f.store, list: func(_ context.Context, prefix, after string, _ int) ([]string, error) {
		for known, keys := range stale {
			if len(prefix) >= len(known) && prefix[:len(known)] == known && after < keys[0] {
				return keys, nil
			}
		}
		return nil, nil
	}})
	head, err := j.Head(t.Context(), "d1")
	must(t, err)
	equal(t, "head", head.Rev, 7)
	entries, err := j.Entries(t.Context(), "d1")
	must(t, err)
	equal(t, "number of entries", len(entries), 7)
	value, rev, err := j.Register(t.Context(), "lever/all")
	must(t, err)
	equal(t, "lever", fmt.Sprintf("%s %d", value, rev), "off 2")
	items, err := j.Registers(t.Context(), "lever/")
	must(t, err)
	equal(t, "levers", fmt.Sprintf("%d %s", len(items), items[0].Value), "1 off")
}

func emptyList(t *testing.T, f *fixture) {
	write(t, f.journal(), "d1", 2)
	j := f.over(&faulty{Store: f.store, list: func(context.Context, string, string, int) ([]string, error) { return nil, nil }})
	head, err := j.Head(t.Context(), "d1")
	must(t, err)
	equal(t, "head", head.Rev, 2)
	_, err = j.Head(t.Context(), "d2")
	wantError(t, err, journal.ErrNotFound)
}

func foreignKeys(t *testing.T, f *fixture) {
	write(t, f.journal(), "d1", 2)
	must(t, f.journal().Set(t.Context(), "lever/all", 0, []byte("on")))
	for _, key := range []string{"drills/d1/000-notes.txt", "drills/d1/99999999990", "registers/lever%2Fall/0notes",
		"registers/notes", "index/notes", "index/0000000000/notes", "alarms/notes", "alarms/x/notes"} {
		must(t, f.store.Put(t.Context(), key, []byte("not ours")))
	}
	counted := &counting{Store: f.store}
	head, err := f.over(counted).Head(t.Context(), "d1")
	must(t, err)
	equal(t, "head", head.Rev, 2)
	equal(t, "lists and gets", fmt.Sprint(counted.lists.Load(), counted.gets.Load()), "2 2")
	items, err := f.journal().Registers(t.Context(), "")
	must(t, err)
	equal(t, "registers", len(items), 1)
	_, err = f.journal().Firing(t.Context())
	must(t, err)
}
