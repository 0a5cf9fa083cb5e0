package dir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxKey  = 1024 // bytes
	maxPart = 255  // bytes: file systems end there
)

// path returns the file of a key, after a look at whether the caller still wants it.
func (s *Store) path(ctx context.Context, key string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if len(key) > maxKey {
		return "", fmt.Errorf("key has %d bytes, at most %d are allowed", len(key), maxKey)
	}
	for _, part := range strings.Split(key, "/") {
		switch {
		case part == "":
			return "", errors.New("key has an empty part")
		case part[0] == '.':
			return "", fmt.Errorf("key part %q begins with a dot", part)
		case len(part) > maxPart:
			return "", fmt.Errorf("key part %.20q… has %d bytes, at most %d are allowed", part, len(part), maxPart)
		case strings.ContainsAny(part, "\\:\x00"):
			return "", fmt.Errorf("key part %q has a character that is not allowed in a file name", part)
		}
	}
	return filepath.Join(s.root, filepath.FromSlash(key)), nil
}

// List implements journal.Store. It reads only the directories that can hold a match.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	l := listing{store: s, prefix: prefix, after: after, limit: limit}
	within := prefix[:strings.LastIndex(prefix, "/")+1]
	var err error
	if within != "" {
		_, err = s.path(ctx, strings.TrimSuffix(within, "/"))
	}
	if err == nil {
		err = l.walk(ctx, within)
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	return l.keys, nil
}

type listing struct {
	store         *Store
	prefix, after string
	limit         int
	keys          []string
}

// walk visits one directory, whose keys all begin with within, in the order of keys.
func (l *listing) walk(ctx context.Context, within string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := l.store.files.ReadDir(filepath.Join(l.store.root, filepath.FromSlash(within)))
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names(entries) {
		if l.full() {
			return nil
		}
		key := within + name
		if strings.HasSuffix(key, "/") {
			if !l.reaches(key) {
				continue
			}
			if err := l.walk(ctx, key); err != nil {
				return err
			}
			continue
		}
		if key > l.after && strings.HasPrefix(key, l.prefix) {
			l.keys = append(l.keys, key)
		}
	}
	return nil
}

func (l *listing) full() bool { return l.limit > 0 && len(l.keys) >= l.limit }

// reaches reports whether keys that begin with dir can be wanted.
func (l *listing) reaches(dir string) bool {
	if !strings.HasPrefix(dir, l.prefix) && !strings.HasPrefix(l.prefix, dir) {
		return false
	}
	return dir > l.after || strings.HasPrefix(l.after, dir)
}

// names returns files as they are and directories with a slash, which is how they sort among keys. Whatever else is
// there, and what begins with a dot, is not ours.
func names(entries []os.DirEntry) []string {
	out := make([]string, 0, len(entries))
	sorted := true
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !e.IsDir() && !e.Type().IsRegular() {
			continue
		}
		if e.IsDir() {
			name += "/"
		}
		sorted = sorted && (len(out) == 0 || out[len(out)-1] < name)
		out = append(out, name)
	}
	if !sorted {
		slices.Sort(out)
	}
	return out
}
