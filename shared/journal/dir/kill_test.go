package dir_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/dir"
)

// childEnv makes the test binary append for ever to the journal in this directory.
const childEnv = "FIREDRILL_TEST_JOURNAL_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		fmt.Fprintln(os.Stderr, appendForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendForEver appends to drill d1 and prints each rev once it is acknowledged.
func appendForEver(path string) error {
	s, err := dir.Open(path)
	if err != nil {
		return err
	}
	j := openJournal(s)
	ctx := context.Background()
	head, err := j.Head(ctx, "d1")
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return err
	}
	state := json.RawMessage(`"` + strings.Repeat("state ", 2000) + `"`)
	for {
		next, err := j.Append(ctx, "d1", journal.Entry{Rev: head.Rev + 1, Actor: strconv.Itoa(os.Getpid()), Drill: state})
		switch {
		case errors.Is(err, journal.ErrConflict):
			if head, err = j.HeadAfter(ctx, "d1", head); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		head = next
		if _, err := fmt.Println(head.Rev); err != nil { // no buffer: the parent has it when this returns
			return err
		}
		if err := j.PutMarker(ctx, journal.Marker{Drill: "d1", Rev: head.Rev}); err != nil {
			return err
		}
	}
}

func openJournal(s journal.Store) *journal.Journal {
	n := 0
	return journal.Open(s, journal.Options{
		Now: func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) },
		Nonce: func() string {
			n++
			return fmt.Sprintf("%d-%d", os.Getpid(), n)
		}})
}

func TestStore_killedProcesses(t *testing.T) {
	path := t.TempDir()
	acknowledged := map[int]int{} // rev -> process
	for round := range 6 {
		for rev, pid := range appendAndKill(t, path, 20+7*round) {
			if other, ok := acknowledged[rev]; ok {
				t.Fatalf("rev %d was acknowledged to processes %d and %d", rev, other, pid)
			}
			acknowledged[rev] = pid
		}
	}
	s := open(t, path)
	j := openJournal(s)
	if err := j.Verify(t.Context(), "d1"); err != nil {
		t.Fatal(err)
	}
	entries, err := j.Entries(t.Context(), "d1")
	if err != nil {
		t.Fatal(err)
	}
	for rev, pid := range acknowledged {
		if rev > len(entries) || entries[rev-1].Actor != strconv.Itoa(pid) {
			t.Fatalf("rev %d, acknowledged to process %d, is lost: there are %d", rev, pid, len(entries))
		}
	}
	if m, err := j.Marker(t.Context(), "d1"); err != nil || m.Rev > len(entries) {
		t.Fatalf("marker is at rev %d of %d, error %v", m.Rev, len(entries), err)
	}
	keys, err := s.List(t.Context(), "", "", 0)
	if err != nil || len(keys) != len(entries)+1 {
		t.Fatalf("there are %d keys for %d entries and a marker, error %v", len(keys), len(entries), err)
	}
	litter, err := filepath.Glob(filepath.Join(path, ".tmp", "*"))
	t.Logf("%d acknowledged, %d entries, %d temporary files left, error %v", len(acknowledged), len(entries), len(litter), err)
}

// appendAndKill lets two processes append at once, kills each after n acknowledged revs, and returns those.
func appendAndKill(t *testing.T, path string, n int) map[int]int {
	t.Helper()
	type result struct {
		pid  int
		revs []int
		err  error
	}
	results := make(chan result, 2)
	for range cap(results) {
		go func() {
			pid, revs, err := runChild(t.Context(), path, n)
			results <- result{pid, revs, err}
		}()
	}
	all := map[int]int{}
	for range cap(results) {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		for _, rev := range r.revs {
			if _, ok := all[rev]; ok {
				t.Fatalf("rev %d was acknowledged twice", rev)
			}
			all[rev] = r.pid
		}
	}
	return all
}

func runChild(ctx context.Context, path string, n int) (int, []int, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return 0, nil, err
	}
	child := exec.CommandContext(ctx, self)
	child.Env = append(os.Environ(), childEnv+"="+path)
	var stderr strings.Builder
	child.Stderr = &stderr
	out, err := child.StdoutPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := child.Start(); err != nil {
		return 0, nil, err
	}
	var revs []int
	lines := bufio.NewScanner(out)
	for lines.Scan() { // goes on after the kill, to the last acknowledgement
		rev, err := strconv.Atoi(lines.Text())
		if err != nil {
			break
		}
		revs = append(revs, rev)
		if len(revs) == n {
			err = child.Process.Kill() // SIGKILL
		}
		if err != nil {
			break
		}
	}
	_ = child.Wait() // says "killed"
	if len(revs) < n {
		return 0, nil, fmt.Errorf("child ended after %d revs: %s", len(revs), stderr.String())
	}
	return child.Process.Pid, revs, nil
}
