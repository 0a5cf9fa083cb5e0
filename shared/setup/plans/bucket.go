package plans

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/s3"
	"github.com/firedrill/firedrill/shared/setup"
)

// atStart is the longest that a process waits for its first catalogue: Lambda gives a start ten seconds.
const atStart = 8 * time.Second

// bucket is a folder of a bucket with a catalogue in it.
type bucket struct {
	store journal.Store
	name  string // of the catalogue's first file, within the folder
	shown string // the address, for errors
	seen  [sha256.Size]byte
}

// parseBucket reads s3://bucket/folder/drills.yaml?region=.
func parseBucket(raw string) (s3.Config, string, error) {
	c, err := s3.ParseURL(raw)
	if err != nil {
		return c, "", errors.New("want s3://bucket/folder/drills.yaml?region=, with at most endpoint= and path_style= besides")
	}
	name := path.Base(c.Prefix)
	if c.Prefix == "" || path.Ext(name) == "" {
		return c, "", errors.New("the address names no file: want s3://bucket/folder/drills.yaml?region=")
	}
	if c.Prefix = path.Dir(c.Prefix); c.Prefix == "." {
		c.Prefix = ""
	}
	return c, name, nil
}

func openBucket(p *setup.Setup, raw string) (*bucket, error) {
	c, name, err := parseBucket(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Variable, err)
	}
	c.Wait, c.Transport = p.Wait, p.Transport
	c.Credentials = func(ctx context.Context) (s3.Credentials, error) {
		v, err := p.AWSCredentials(ctx)
		return s3.Credentials(v), err
	}
	store, err := s3.Open(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Variable, err)
	}
	u, _ := url.Parse(raw) // it was just read
	return &bucket{store: store, name: name, shown: u.Scheme + "://" + u.Host + u.Path}, nil
}

// read reads the catalogue; changed says whether it holds other bytes than the time before. With mistakes it is what LoadPartial gives:
// nil, or the plans that have none.
func (b *bucket) read(ctx context.Context) (c *catalog.Catalog, changed bool, err error) {
	files := &folder{ctx: ctx, store: b.store, sum: sha256.New()}
	c, err = catalog.ParsePartial(files, b.name)
	if files.err != nil {
		return nil, false, fmt.Errorf("read %s: %w", b.shown, files.err)
	}
	sum := [sha256.Size]byte(files.sum.Sum(nil))
	changed = sum != b.seen
	b.seen = sum
	return c, changed, err
}

// folder shows one reading of a bucket's folder as a file system. It lives as long as the reading, so it keeps the reading's context, which
// package fs has no place for.
type folder struct {
	ctx   context.Context
	store journal.Store
	sum   hash.Hash // of what was read
	err   error     // why the bucket did not answer: a file that is not there is no such reason
}

var _ fs.GlobFS = (*folder)(nil)

// Open gets an object.
func (f *folder) Open(name string) (fs.File, error) {
	data, err := f.store.Get(f.ctx, name)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		f.err = errors.Join(f.err, err)
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	one := sha256.Sum256(data)
	f.sum.Write(append([]byte(name+"\x00"), one[:]...))
	return &object{Reader: bytes.NewReader(data), name: name}, nil
}

// Glob lists the objects whose keys match.
func (f *folder) Glob(pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	fixed, _, _ := strings.Cut(pattern, "*")
	if i := strings.IndexAny(fixed, `?[\`); i >= 0 {
		fixed = fixed[:i]
	}
	keys, err := f.store.List(f.ctx, fixed, "", 0)
	if err != nil {
		f.err = errors.Join(f.err, err)
		return nil, err
	}
	var out []string
	for _, key := range keys {
		if ok, _ := path.Match(pattern, key); ok {
			out = append(out, key)
		}
	}
	return out, nil
}

// object is one file that was read.
type object struct {
	*bytes.Reader
	name string
}

// Stat describes the file.
func (o *object) Stat() (fs.FileInfo, error) { return info{path.Base(o.name), o.Size()}, nil }

// Close does nothing: the file is in memory.
func (o *object) Close() error { return nil }

type info struct {
	name string
	size int64
}

// Name returns the last part of the key.
func (i info) Name() string { return i.name }

// Size returns the number of bytes.
func (i info) Size() int64 { return i.size }

// Mode says that it is a file that can be read.
func (i info) Mode() fs.FileMode { return 0o400 }

// ModTime returns nothing: contents are compared.
func (i info) ModTime() time.Time { return time.Time{} }

// IsDir is false.
func (i info) IsDir() bool { return false }

// Sys returns nothing.
func (i info) Sys() any { return nil }
