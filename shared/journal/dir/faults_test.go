package dir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
)

// faults is the real file system with one operation that fails while it is set.
type faults struct {
	system
	op    atomic.Pointer[string]
	err   error
	count atomic.Int64 // how often it failed
}

func (f *faults) set(op string, err error) { f.err = err; f.op.Store(&op) }

func (f *faults) fail(op string) error {
	if now := f.op.Load(); now == nil || *now != op {
		return nil
	}
	f.count.Add(1)
	return &os.PathError{Op: op, Path: "x", Err: f.err}
}

func (f *faults) CreateTemp(dir string) (file, error) {
	if err := f.fail("temp"); err != nil {
		return nil, err
	}
	inner, err := f.system.CreateTemp(dir)
	return &faultyFile{file: inner, faults: f}, err
}

func (f *faults) Mkdir(path string) error {
	if err := f.fail("mkdir"); err != nil {
		return err
	}
	return f.system.Mkdir(path)
}

func (f *faults) Link(from, to string) error {
	if err := f.fail("link"); err != nil {
		return err
	}
	return f.system.Link(from, to)
}

func (f *faults) Rename(from, to string) error {
	if err := f.fail("rename"); err != nil {
		return err
	}
	return f.system.Rename(from, to)
}

func (f *faults) SyncDir(path string) error {
	if err := f.fail("syncdir"); err != nil {
		return err
	}
	return f.system.SyncDir(path)
}

type faultyFile struct {
	file
	faults *faults
}

// Write fails half way, as a full disk does.
func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.faults.fail("write"); err != nil {
		n, _ := f.file.Write(p[:len(p)/2])
		return n, err
	}
	return f.file.Write(p)
}

func (f *faultyFile) Sync() error { return errors.Join(f.faults.fail("sync"), f.file.Sync()) }

func (f *faultyFile) Close() error { return errors.Join(f.file.Close(), f.faults.fail("close")) }

func journalOver(s journal.Store) *journal.Journal {
	var n atomic.Int64
	return journal.Open(s, journal.Options{Now: func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) },
		Nonce: func() string { return fmt.Sprintf("nonce-%d", n.Add(1)) }})
}

func mustOpen(t *testing.T, path string, files layer) *Store {
	t.Helper()
	s, err := open(path, files)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func appendRev(t *testing.T, j *journal.Journal, drill string, rev int) error {
	_, err := j.Append(t.Context(), drill, journal.Entry{Rev: rev, Change: fmt.Sprint("change ", rev), Drill: []byte(`{}`)})
	return err
}

func leftovers(t *testing.T, root string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, tempDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestStore_failingDisk(t *testing.T) {
	cases := []struct {
		name, op string
		err      error
		drill    string // "new" needs a directory of its own
		heads    string // acceptable heads of "old" afterwards
	}{
		{"no temporary file", "temp", syscall.ENOSPC, "old", "3"},
		{"full disk half way through the write", "write", syscall.ENOSPC, "old", "3"},
		{"quota half way through the write", "write", syscall.EDQUOT, "old", "3"},
		{"sync reports a lost write", "sync", syscall.EIO, "old", "3"},
		{"close reports a full disk", "close", syscall.ENOSPC, "old", "3"},
		{"no room for the name", "link", syscall.ENOSPC, "old", "3"},
		{"no room for the directory", "mkdir", syscall.ENOSPC, "new", "3"},
		{"the name is not known to be durable", "syncdir", syscall.EIO, "old", "4"},
		{"the directory is not known to be durable", "syncdir", syscall.EIO, "new", "3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { failingDisk(t, c.op, c.err, c.drill, c.heads) })
	}
}

func failingDisk(t *testing.T, op string, fault error, drill, wantHead string) {
	root := t.TempDir()
	files := &faults{}
	s := mustOpen(t, root, files)
	j := journalOver(s)
	for rev := 1; rev <= 3; rev++ {
		if err := appendRev(t, j, "old", rev); err != nil {
			t.Fatal(err)
		}
	}
	next := map[string]int{"old": 4, "new": 1}[drill]
	files.set(op, fault)
	for range 3 {
		err := appendRev(t, j, drill, next)
		if !errors.Is(err, fault) || errors.Is(err, journal.ErrConflict) {
			t.Fatalf("append says %v, want %v", err, fault)
		}
	}
	if files.count.Load() == 0 {
		t.Fatal("the fault was never met")
	}
	if _, err := j.Head(t.Context(), "old"); (err != nil) != (op == "syncdir" && drill == "old") {
		t.Fatalf("head during the fault: error is %v", err)
	}
	files.set("", nil)
	head, err := j.Head(t.Context(), "old")
	if err != nil || fmt.Sprint(head.Rev) != wantHead {
		t.Fatalf("head is rev %d, error %v, want rev %s", head.Rev, err, wantHead)
	}
	if _, err := j.Head(t.Context(), "new"); !errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("head of the drill that was never acknowledged: error is %v", err)
	}
	if err := appendRev(t, journalOver(mustOpen(t, root, system{})), "old", head.Rev+1); err != nil {
		t.Fatalf("append after the fault: %v", err)
	}
	if err := appendRev(t, j, "new", 1); err != nil {
		t.Fatalf("first append after the fault: %v", err)
	}
	if err := j.Verify(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	if left := leftovers(t, root); len(left) > 0 {
		t.Fatalf("temporary files are left: %v", left)
	}
}

func TestStore_failingDiskKeepsMarker(t *testing.T) {
	for _, op := range []string{"temp", "write", "sync", "close", "rename"} {
		t.Run(op, func(t *testing.T) {
			files := &faults{}
			s := mustOpen(t, t.TempDir(), files)
			if err := s.Put(t.Context(), "active/d1", []byte("old")); err != nil {
				t.Fatal(err)
			}
			files.set(op, syscall.ENOSPC)
			if err := s.Put(t.Context(), "active/d1", []byte("new")); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("put says %v", err)
			}
			if got, err := s.Get(t.Context(), "active/d1"); err != nil || string(got) != "old" {
				t.Fatalf("marker is %q, error %v", got, err)
			}
		})
	}
}

func TestOpen_unfitDirectory(t *testing.T) {
	cases := []struct {
		name, op string
		err      error
		want     string
	}{
		{"read-only file system", "temp", syscall.EROFS, "not writable"},
		{"no permission to write", "temp", syscall.EACCES, "not writable"},
		{"no permission to make directories", "mkdir", syscall.EACCES, "cannot make it"},
		{"full disk", "write", syscall.ENOSPC, "not writable"},
		{"file system without hard links", "link", syscall.EPERM, "hard links"},
		{"file system that does not know hard links", "link", syscall.ENOTSUP, "hard links"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			files := &faults{}
			files.set(c.op, c.err)
			_, err := open(path, files)
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("error is %v, want one that says %q and names the directory", err, c.want)
			}
		})
	}
	t.Run("a file in its place", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("error is %v", err)
		}
		if _, err := Open(filepath.Join(path, "deeper")); err == nil {
			t.Fatal("a directory below a file was opened")
		}
	})
	t.Run("a file system whose link replaces", func(t *testing.T) {
		if _, err := open(t.TempDir(), replacing{}); err == nil || !strings.Contains(err.Error(), "create-if-absent") {
			t.Fatalf("error is %v", err)
		}
	})
}

// replacing links like a broken network file system: the second name replaces what is there.
type replacing struct{ system }

func (replacing) Link(from, to string) error {
	_ = os.Remove(to)
	return os.Link(from, to)
}

func TestOpen_leftovers(t *testing.T) {
	root := filepath.Join(t.TempDir(), "not", "yet", "there")
	s := mustOpen(t, root, system{})
	if err := s.Create(t.Context(), "active/d1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(root, "active", "d1"))
	if err != nil {
		t.Fatal(err)
	}
	now := info.ModTime()
	for name, age := range map[string]time.Duration{"new-old": 61 * time.Minute, "new-young": 59 * time.Minute} {
		path := filepath.Join(root, tempDir, name)
		if err := os.WriteFile(path, []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	again := mustOpen(t, root, system{})
	if left := leftovers(t, root); len(left) != 1 || filepath.Base(left[0]) != "new-young" {
		t.Fatalf("left are %v, want the young one", left)
	}
	keys, err := again.List(t.Context(), "", "", 0)
	if err != nil || len(keys) != 1 || keys[0] != "active/d1" {
		t.Fatalf("keys are %v, error %v", keys, err)
	}
}

func TestStore_badKeys(t *testing.T) {
	s := mustOpen(t, t.TempDir(), system{})
	for _, key := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", ".tmp/x", "a/.b", `a\b`, "a\x00b", "c:a",
		strings.Repeat("a", 256), strings.Repeat("a/", 600) + "a"} {
		_, getErr := s.Get(t.Context(), key)
		for op, err := range map[string]error{"get": getErr, "create": s.Create(t.Context(), key, nil),
			"put": s.Put(t.Context(), key, nil), "delete": s.Delete(t.Context(), key)} {
			if err == nil || errors.Is(err, journal.ErrNotFound) || !strings.Contains(err.Error(), "key") {
				t.Errorf("%s of key %.20q: error is %v", op, key, err)
			}
		}
	}
	if _, err := s.List(t.Context(), "../", "", 0); err == nil {
		t.Error("a list outside the root was answered")
	}
}

func TestStore_directoryRemovedMeanwhile(t *testing.T) {
	root := t.TempDir()
	s := mustOpen(t, root, system{})
	for _, value := range []string{"1", "2"} {
		if err := s.Create(t.Context(), "active/deep/d1", []byte(value)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(root, "active")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStore_readsOnlyWhatItLists counts the directories that a list opens.
func TestStore_readsOnlyWhatItLists(t *testing.T) {
	files := &reading{}
	s := mustOpen(t, t.TempDir(), files)
	for i := range 50 {
		for _, key := range []string{fmt.Sprintf("drills/d%02d/0000000001", i), fmt.Sprintf("active/d%02d", i), fmt.Sprintf("index/%010d/d", i)} {
			if err := s.Create(t.Context(), key, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		prefix, after string
		limit         int
		want          int64
	}{
		{"active/", "active/", 1000, 1}, {"drills/d07/", "drills/d07/", 1, 1}, {"drills/d0", "", 0, 11},
		{"index/", "index/", 5, 6}, {"index/", "index/0000000010/d", 5, 7}, {"none/", "", 0, 1},
	} {
		files.dirs.Store(0)
		if _, err := s.List(t.Context(), c.prefix, c.after, c.limit); err != nil {
			t.Fatal(err)
		}
		if got := files.dirs.Load(); got != c.want {
			t.Errorf("list of %s after %q, at most %d, reads %d directories, want %d", c.prefix, c.after, c.limit, got, c.want)
		}
	}
}

type reading struct {
	system
	dirs atomic.Int64
}

func (r *reading) ReadDir(path string) ([]os.DirEntry, error) {
	r.dirs.Add(1)
	return r.system.ReadDir(path)
}
