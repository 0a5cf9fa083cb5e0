package journal_test

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

func TestSamples_EverySampleComesBackBesideOtherObjects(t *testing.T) {
	j := journal.Open(memory.New(), journal.Options{Now: time.Now, Nonce: func() string { return time.Now().String() }})
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	if err := j.PutObject(t.Context(), "d1", "report.html", []byte("<p>")); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		s := drill.Sample{Claim: "c1", At: at.Add(time.Duration(i) * 15 * time.Second), Good: i%2 == 0, During: true}
		if err := j.PutSamples(t.Context(), "d1", []drill.Sample{s, {Claim: "c2", At: s.At}}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := j.Samples(t.Context(), "d1")
	if err != nil || len(got) != 24 || got[0].Claim != "c1" || !got[22].At.After(got[0].At) || !got[0].During {
		t.Fatalf("%d samples, %v, %v", len(got), got, err)
	}
	if got, err := j.Samples(t.Context(), "d2"); err != nil || len(got) != 0 {
		t.Errorf("another drill: %v, %v", got, err)
	}
}
