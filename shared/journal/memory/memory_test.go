package memory_test

import (
	"errors"
	"testing"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
	"github.com/firedrill/firedrill/shared/journal/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) journal.Store { return memory.New() })
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(*testing.B) journal.Store { return memory.New() })
}

func TestStore_hooks(t *testing.T) {
	crash := errors.New("crash")
	for _, after := range []bool{false, true} {
		s := memory.New()
		var calls []string
		hook := func(op, key string) error {
			calls = append(calls, op+" "+key)
			if op == "create" {
				return crash
			}
			return nil
		}
		want := journal.ErrNotFound
		if after {
			s.After, want = hook, nil
		} else {
			s.Before = hook
		}
		if err := s.Create(t.Context(), "identity", []byte("x")); !errors.Is(err, crash) {
			t.Fatalf("create: error is %v", err)
		}
		if _, err := s.Get(t.Context(), "identity"); !errors.Is(err, want) {
			t.Fatalf("get, hook after the call %v: error is %v, want %v", after, err, want)
		}
		if len(calls) != 2 || calls[0] != "create identity" || calls[1] != "get identity" {
			t.Fatalf("hook saw %v", calls)
		}
	}
}
