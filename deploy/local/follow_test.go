package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/events"
)

// small is a catalogue with one plan.
const small = `version: 1
defaults: { timezone: UTC, environment: staging, max_duration: 10m }
accounts:
  aws-sandbox: { cloud: aws, id: "123456789012", region: us-east-1 }
  tx-sandbox: { cloud: tencent, id: "100032429988", region: ap-guangzhou }
drills:
  wait:
    title: Waits
    owner: team-sre
    account: aws-sandbox
    fis: { template: EXTwait00000000001 }
`

const second = `  wait-too:
    title: Waits too
    owner: team-sre
    account: aws-sandbox
    fis: { template: EXTwait00000000001 }
`

func TestFollow_changedCatalogue(t *testing.T) {
	file := write(t, "drills.yaml", small)
	w := start(t, func(set *settings, _ *screen) { set.catalog = file })
	ch, end := w.s.facts.listen()
	defer end()
	change := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	plans := func() (names []string) {
		var all []planView
		w.do("GET", "/api/plans", "", "").into(t, &all)
		for _, p := range all {
			names = append(names, p.Name)
		}
		return names
	}
	change(file, small+second)
	w.until("the new plan is there", func() bool { return len(plans()) == 2 })

	change(file, strings.Replace(small, "max_duration: 10m", "max_duration: 10 minutes", 1))
	w.until("the refusal is told", func() bool {
		return strings.Contains(w.out.String(), "refused, the last good one stays: 1 mistake(s)") && strings.Contains(w.out.String(), "drills.yaml:2:")
	})
	if got := plans(); len(got) != 2 {
		t.Errorf("plans %v: the last good catalogue is gone", got)
	}
	var refused events.Refused
	for len(ch) > 0 {
		if e := <-ch; e.Type() == events.TypeRefused {
			var err error
			if refused, err = events.Decode[events.Refused](e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if refused.Check != "catalogue" || !strings.Contains(refused.Reason, "10 minutes") {
		t.Errorf("the fact says %q: %q", refused.Check, refused.Reason)
	}

	change(file, strings.Replace(small, "version: 1", "version: 1\ninclude: [ more.yaml ]", 1))
	w.until("the missing file is told", func() bool { return strings.Contains(w.out.String(), "more.yaml") })
	more := filepath.Join(filepath.Dir(file), "more.yaml")
	change(more, "drills:\n"+strings.Replace(second, "title", "titel", 1))
	w.until("the mistake in the included file is told", func() bool { return strings.Contains(w.out.String(), "more.yaml:3:") })
	change(more, "drills:\n"+second) // in its place: the folder does not change
	w.until("the included plan is there", func() bool { return len(plans()) == 2 && strings.Count(w.out.String(), "read again: 2 plans") == 2 })

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	w.until("it is told that the file is gone", func() bool { return strings.Contains(w.out.String(), "it is gone") })
	if got := plans(); len(got) != 2 {
		t.Errorf("plans %v: the last good catalogue is gone", got)
	}
}

func TestFollow_lookIsCheap(t *testing.T) {
	file := write(t, "drills.yaml", small)
	w := start(t, func(set *settings, _ *screen) { set.catalog = file })
	f := &follower{s: w.s, path: file, files: w.s.catalog.Load().Files(), tell: func(string) { t.Error("nothing changed, yet something was told") }}
	f.seen = f.look()
	before := w.s.catalog.Load()
	f.check(t.Context())
	if w.s.catalog.Load() != before {
		t.Error("an unchanged catalogue was read again")
	}
}

func TestFollow_aChangeWhileItIsBeingReadIsReadNext(t *testing.T) {
	file := write(t, "drills.yaml", small)
	s, err := newSystem(t.Context(), settings{addr: "127.0.0.1:0", sandboxAddr: "127.0.0.1:0", data: t.TempDir(), catalog: file, speed: 1, log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.boxListener.Close()
	defer s.keeper.close()
	f := &follower{s: s, path: file, files: s.catalog.Load().Files(), tell: func(string) {}}
	for n := range 100 {
		content := small
		if n%2 == 0 {
			content += second
		}
		replace := func() {
			next := file + ".next"
			if err := errors.Join(os.WriteFile(next, []byte(content), 0o644), os.Rename(next, file)); err != nil {
				t.Error(err)
			}
		}
		f.seen = ""
		var writing sync.WaitGroup
		writing.Go(replace)
		f.check(t.Context())
		writing.Wait()
		f.check(t.Context())
		if got := len(s.catalog.Load().Plans()); got != 1+(n+1)%2 {
			t.Fatalf("round %d: %d plans: a change was missed", n, got)
		}
	}
}
