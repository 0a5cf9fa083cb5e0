// Package plans keeps a function's catalogue: it is read at the start, and again when its files have changed. A version with mistakes
// is logged and not used; the last good one stays.
package plans

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/setup"
)

// Variable is where the catalogue is said to be.
const Variable = "FIREDRILL_CATALOG"

const inBucket = "s3://"

const (
	lookEvery = 30 * time.Second       // how often files are looked at, at most
	lookFor   = 10 * time.Second       // the longest that a bucket is read
	waitFor   = 500 * time.Millisecond // the longest that anybody waits for it
)

// Need is the variable that a function with a catalogue reads: the path of drills.yaml, or its address in a bucket.
func Need() setup.Need {
	return setup.Need{Variable: Variable, Check: func(path string) error {
		if strings.HasPrefix(path, inBucket) {
			_, _, err := parseBucket(path)
			return err
		}
		if !filepath.IsAbs(path) {
			return errors.New("want an absolute path, or s3://bucket/folder/drills.yaml?region=")
		}
		return nil
	}}
}

// Book is the catalogue as it stands.
type Book struct {
	path    string
	now     func() time.Time
	log     *slog.Logger
	current atomic.Pointer[catalog.Catalog]

	mu     sync.Mutex
	bucket *bucket // nil for files
	looked time.Time
	seen   map[string]stamp // nil for a file that is not there
}

type stamp struct {
	at   time.Time
	size int64
}

// Open reads the catalogue. A file with mistakes is an error, for there is no last good one yet. One in a bucket is used as far as it has
// none, and may even be missing: it is changed while drills are active, and what looks after those must start in any case.
func Open(ctx context.Context, p *setup.Setup) (*Book, error) {
	b := &Book{path: p.Value(Variable), now: p.Now, log: p.Log}
	if strings.HasPrefix(b.path, inBucket) {
		return b, b.openBucket(ctx, p)
	}
	c, err := catalog.Load(b.path)
	if err != nil {
		return nil, fmt.Errorf("%s: the catalogue has mistakes: %w", Variable, err)
	}
	b.current.Store(c)
	b.looked, b.seen = b.now(), stamps(c.Files())
	return b, nil
}

// Catalog returns the catalogue that is in use.
func (b *Book) Catalog() *catalog.Catalog { return b.current.Load() }

// Freezes lists its freezes.
func (b *Book) Freezes() []catalog.Freeze { return b.Catalog().Freezes() }

// Access returns who may do what.
func (b *Book) Access() access.Policy { return b.Catalog().Access() }

// Look reads the catalogue again if one of its files has changed. It looks twice a minute at most, and never fails. Nobody waits long for
// it: commands, stops among them, go on with the last good catalogue, and a slow bucket's is used as soon as it is there.
func (b *Book) Look(ctx context.Context) {
	if !b.mu.TryLock() {
		return // somebody looks
	}
	now := b.now()
	if now.Sub(b.looked) < lookEvery {
		b.mu.Unlock()
		return
	}
	b.looked = now
	if b.bucket == nil {
		defer b.mu.Unlock()
		b.lookFiles()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer b.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
		defer cancel()
		b.lookBucket(ctx)
	}()
	wait, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	select {
	case <-done:
	case <-wait.Done():
	}
}

func (b *Book) lookFiles() {
	found := stamps(append(b.current.Load().Files(), b.path))
	if same(found, b.seen) {
		return
	}
	b.seen = found
	c, err := catalog.Load(b.path)
	if err != nil {
		b.log.Error("the new catalogue has mistakes: the last good one stays", "error", err)
		return
	}
	b.current.Store(c)
	b.seen = stamps(append(c.Files(), b.path))
	b.log.Info("the catalogue has changed", "plans", len(c.Plans()), "version", c.Version()[:12])
}

func (b *Book) openBucket(ctx context.Context, p *setup.Setup) error {
	var err error
	if b.bucket, err = openBucket(p, b.path); err != nil {
		return err
	}
	go func() { _, _ = x509.SystemCertPool() }() // the connection asks for them in a moment, and they take longer than that
	ctx, cancel := context.WithTimeout(ctx, atStart)
	defer cancel()
	c, _, err := b.bucket.read(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b.log.Error("there is no catalogue yet: nothing is offered", "error", err)
		c = &catalog.Catalog{}
	case c == nil:
		return fmt.Errorf("%s: %w", Variable, err)
	case err != nil:
		b.log.Error("the catalogue has mistakes: only plans without any are offered", "plans", len(c.Plans()), "error", err)
	}
	b.current.Store(c)
	b.looked = b.now()
	return nil
}

func (b *Book) lookBucket(ctx context.Context) {
	c, changed, err := b.bucket.read(ctx)
	switch {
	case !changed && err != nil && c == nil:
		b.log.WarnContext(ctx, "the catalogue cannot be read: the last good one stays", "error", err)
	case !changed:
	case err != nil:
		b.log.ErrorContext(ctx, "the new catalogue has mistakes: the last good one stays", "error", err)
	default:
		b.current.Store(c)
		b.log.InfoContext(ctx, "the catalogue has changed", "plans", len(c.Plans()), "version", c.Version()[:12])
	}
}

func stamps(files []string) map[string]stamp {
	out := map[string]stamp{}
	for _, name := range files {
		s := stamp{}
		if info, err := os.Stat(name); err == nil {
			s = stamp{info.ModTime(), info.Size()}
		}
		out[name] = s
	}
	return out
}

func same(a, b map[string]stamp) bool {
	for name, s := range a {
		if old, ok := b[name]; ok && (!old.at.Equal(s.at) || old.size != s.size) {
			return false
		}
	}
	return true
}
