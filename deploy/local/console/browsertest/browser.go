// Package browsertest drives a real Chromium as a person would: tests press what they see, and pictures for documents are taken.
//
// It speaks the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/) over the browser's own pipes, so that it needs no
// port, no driver and no library. It works where a process inherits files: not on Windows.
package browsertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// patience is how long anything of the browser's may take.
const patience = time.Minute

// Find returns the path of a Chromium, and skips the test where there is none or where tests are to be short.
func Find(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes some seconds")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no chromium here: install it to test the page in a browser")
	return ""
}

// Flags start a browser that is alone with the page: no account, no update, no sandbox (which root has not), a fresh profile that
// ends with the test.
func Flags(t testing.TB) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "firedrill-browser-") // not TempDir: the browser's children may still write when it has ended
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + dir,
	}
}

// Browser is a running Chromium. It is safe for concurrent use.
type Browser struct {
	t   testing.TB
	out *os.File // what we say

	mu      sync.Mutex
	next    int
	waiting map[int]chan message
	pages   map[string]*Page // by session
	ended   error            // set once the browser is gone
}

// message is anything that goes over the pipes.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Start starts a browser that ends with the test. It skips the test as Find does.
func Start(t testing.TB) *Browser {
	t.Helper()
	path := Find(t)
	ours, its, err := pipes()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd := exec.Command(path, append(Flags(t), "--remote-debugging-pipe", "about:blank")...)
	cmd.ExtraFiles, cmd.Stderr, cmd.WaitDelay = its, &errs, patience/10
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range its {
		_ = f.Close()
	}
	b := &Browser{t: t, out: ours[0], waiting: map[int]chan message{}, pages: map[string]*Page{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read(ours[1])
	}()
	t.Cleanup(func() {
		kill := time.AfterFunc(patience/3, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		_ = b.call("", "Browser.close", nil, nil) // without it, the end of the pipe ends it too
		_ = ours[0].Close()
		_ = cmd.Wait() // how it ends does not matter
		_ = ours[1].Close()
		<-read
		if t.Failed() {
			t.Logf("the browser said: %.2000s", errs.String())
		}
	})
	return b
}

// pipes returns our two ends and the browser's, which are its files 3 and 4: from us to it, and back.
func pipes() (ours, its []*os.File, err error) {
	r1, w1, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return []*os.File{w1, r2}, []*os.File{r1, w2}, nil
}

// read takes replies and events until the browser ends.
func (b *Browser) read(from io.Reader) {
	r := bufio.NewReader(from)
	for {
		raw, err := r.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			b.ended = fmt.Errorf("the browser has ended: %w", err)
			for id, ch := range b.waiting {
				close(ch)
				delete(b.waiting, id)
			}
			b.mu.Unlock()
			return
		}
		var m message
		if json.Unmarshal(bytes.TrimRight(raw, "\x00"), &m) != nil {
			continue
		}
		b.mu.Lock()
		ch, page := b.waiting[m.ID], b.pages[m.Session]
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		switch {
		case m.ID != 0 && ch != nil:
			ch <- m
		case m.ID == 0 && page != nil:
			page.happened(m)
		}
	}
}

// call asks the browser for something and decodes the result into out, if there is one.
func (b *Browser) call(session, method string, params, out any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	m := message{Session: session, Method: method}
	if params != nil {
		m.Params = raw
	}
	ch := make(chan message, 1)
	if err := b.send(m, ch); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case got, ok := <-ch:
		switch {
		case !ok:
			return fmt.Errorf("%s: %w", method, b.ended)
		case got.Error != nil:
			return fmt.Errorf("%s: %s", method, got.Error.Message)
		case out != nil:
			return json.Unmarshal(got.Result, out)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer in %s", method, patience)
	}
}

func (b *Browser) send(m message, reply chan message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended != nil {
		return b.ended
	}
	b.next++
	m.ID = b.next
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := b.out.Write(append(raw, 0)); err != nil {
		return errors.Join(errors.New("the browser does not listen"), err)
	}
	b.waiting[m.ID] = reply
	return nil
}
