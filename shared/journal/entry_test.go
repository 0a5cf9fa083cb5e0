package journal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

// FuzzDecodeEntry feeds the decoder what a store might hold: it never panics, and what it takes survives being written
// and read again.
func FuzzDecodeEntry(f *testing.F) {
	good := `{"v":1,"rev":1,"at":"2026-11-21T10:00:00Z","mode":"LIVE","cause":"e","nonce":"n","actor":"a","change":"演练 🔥",` +
		`"drill":{"id":1234567890123456789},"outbox":[{"id":"<1>"}],"prev_sha256":""}`
	for _, seed := range []string{good, good[:40], good + "x", "", "null", "[]", `{"v":1}`, `{"v":2,"rev":1}`,
		`{"v":1,"rev":-1,"at":"2026-11-21T10:00:00+08:00","nonce":"n"}`,
		`{"v":1,"rev":9999999999,"at":"0000-01-01T00:00:00Z","nonce":"n","drill":null,"outbox":[null]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := journal.DecodeEntry(data)
		if err != nil {
			return
		}
		written, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		second, err := journal.DecodeEntry(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		again, err := json.Marshal(second)
		if err != nil || !bytes.Equal(again, written) {
			t.Fatalf("written as %s and then as %s, error %v", written, again, err)
		}
		if !second.At.Equal(first.At) || second.Rev != first.Rev || second.Nonce != first.Nonce || len(second.Outbox) != len(first.Outbox) {
			t.Fatalf("read %+v and then %+v", first, second)
		}
	})
}

// TestEntry_names holds the names of DESIGN section 5, which outsiders rely on.
func TestEntry_names(t *testing.T) {
	data, err := json.Marshal(journal.Entry{SHA256: "not stored"})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"v": 0., "rev": 0., "at": "0001-01-01T00:00:00Z", "mode": "", "cause": "", "nonce": "", "actor": "",
		"change": "", "drill": nil, "outbox": nil, "prev_sha256": ""}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("entry is stored as %v, want %v", got, want)
	}
}

func TestOpen_withoutClockPanics(t *testing.T) {
	now, nonce := func() time.Time { return time.Time{} }, func() string { return "n" }
	for _, o := range []journal.Options{{}, {Now: now}, {Nonce: nonce}} {
		t.Run(fmt.Sprintf("now %v, nonce %v", o.Now != nil, o.Nonce != nil), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("Open did not panic")
				}
			}()
			journal.Open(memory.New(), o)
		})
	}
}
