package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

// followEvery is how often, in real time, the catalogue's files are looked at.
const followEvery = time.Second

// catalogueSource is the source of the fact that a catalogue was refused.
const catalogueSource = "/firedrill/local/catalogue"

// follower reads the catalogue again when one of its files, or a folder that holds one, changes.
type follower struct {
	s     *system
	path  string
	files []string // of the version that was read last, be it a bad one
	seen  string   // what they looked like then
	tell  func(string)
}

// follow keeps the catalogue up to date until ctx ends. A version with mistakes is refused, and the last good one stays.
func (s *system) follow(ctx context.Context, tell func(string)) {
	if s.set.catalog == shippedName {
		return
	}
	f := &follower{s: s, path: s.set.catalog, files: s.catalog.Load().Files(), tell: tell}
	for {
		f.check(ctx)
		if realWait(ctx, followEvery) != nil {
			return
		}
	}
}

// look sums up the files and their folders: names, sizes and times of change.
func (f *follower) look() string {
	var b strings.Builder
	done := map[string]bool{}
	for _, name := range append([]string{f.path}, f.files...) {
		for _, p := range []string{name, filepath.Dir(name)} {
			if done[p] {
				continue
			}
			done[p] = true
			if info, err := os.Stat(p); err == nil {
				fmt.Fprintln(&b, p, info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return b.String()
}

// check reads the catalogue if anything about it changed.
func (f *follower) check(ctx context.Context) {
	if f.look() == f.seen {
		return
	}
	c, err := f.read()
	switch {
	case err != nil:
		f.refuse(ctx, err)
	case c.Version() != f.s.catalog.Load().Version():
		f.s.catalog.Store(c)
		f.tell(fmt.Sprintf("catalogue %s read again: %d plans", f.path, len(c.Plans())))
	}
}

// read reads the catalogue as often as its files change meanwhile, a few times: what is changed after a reading must be read by the next.
func (f *follower) read() (c *catalog.Catalog, err error) {
	for range 5 {
		f.seen = f.look()
		c, err = catalog.LoadPartial(f.path)
		if c != nil {
			f.files = c.Files() // it may include others now
		}
		if f.look() == f.seen {
			break
		}
	}
	return c, err
}

// refuse says that the last good catalogue stays: to the screen, and as a fact.
func (f *follower) refuse(ctx context.Context, err error) {
	what := "it cannot be read"
	var wrong catalog.Problems
	if errors.As(err, &wrong) {
		what = fmt.Sprintf("%d mistake(s)", len(wrong))
	} else if errors.Is(err, fs.ErrNotExist) {
		what = "it is gone"
	}
	f.tell(fmt.Sprintf("catalogue %s refused, the last good one stays: %s\n%v", f.path, what, err))
	reason := f.path + ": " + err.Error()
	if len(reason) > 2000 {
		reason = strings.ToValidUTF8(reason[:2000], "") + "…"
	}
	now := f.s.clock.Now()
	id := events.ID("catalogue", f.seen) // of no drill: a refusal is about what was asked for
	about := events.About{Drill: id, Plan: "-", Mode: f.s.mode, Status: string(drill.Refused), At: now}
	e, err := events.New(events.Envelope{ID: events.ID("refused", id, "catalogue"), Source: catalogueSource, Subject: id, Time: now},
		events.Refused{About: about, Check: "catalogue", Reason: reason})
	if err == nil {
		err = f.s.bus.Publish(ctx, e)
	}
	if err != nil && ctx.Err() == nil {
		f.s.set.log.Error("the refusal of a catalogue was not sent", "error", err)
	}
}
