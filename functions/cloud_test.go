package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/abort"
	"github.com/firedrill/firedrill/functions/advance"
	"github.com/firedrill/firedrill/functions/cloudtest"
	"github.com/firedrill/firedrill/functions/conclude"
	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/functions/poll"
	"github.com/firedrill/firedrill/functions/start"
	"github.com/firedrill/firedrill/shared/host/lambdatest"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/dir"
)

// cloud is a bus and a process for each function, under our own runtime API.
type cloud struct {
	*cloudtest.Cloud
	folder string
	procs  map[string]*lambdatest.Runtime
	wg     sync.WaitGroup
}

func routes() map[string][]string {
	return map[string][]string{"start": start.Types(), "advance": advance.Types(), "poll": poll.Types(), "abort": abort.Types(),
		"conclude": conclude.Types(), "notify": notify.Types()}
}

func newCloud(t *testing.T, built map[string]lambdatest.Built) *cloud {
	t.Helper()
	c := &cloud{Cloud: cloudtest.New(t), folder: t.TempDir(), procs: map[string]*lambdatest.Runtime{}}
	bus := httptest.NewServer(http.HandlerFunc(c.publish))
	t.Cleanup(func() { c.wg.Wait(); bus.Close() })
	store, err := dir.Open(filepath.Join(c.folder, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	c.Journal = journal.Open(store, journal.Options{Now: time.Now, Nonce: func() string { return "reader" }})
	c.Clock, c.Settle, c.Logs = cloudtest.Scheduler, c.wg.Wait, func(name string) string { return c.procs[name].Logs() }
	c.Invoke = func(name string, payload []byte) ([]byte, error) {
		got, err := c.procs[name].Try(payload, 90*time.Second)
		if err == nil && got.Error != "" {
			err = errors.New(got.Error)
		}
		return got.Body, err
	}
	if err := os.WriteFile(filepath.Join(c.folder, "drills.yaml"), []byte(c.Catalogue()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range cloudtest.Names() {
		c.procs[name] = lambdatest.Start(t, built[name].Path, cloudtest.Environment(c.folder, name, bus.URL, c.BoxURL)...)
	}
	return c
}

// publish is the bus: it takes an event and delivers it, twice, to whoever handles its type.
func (c *cloud) publish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Authorization") != "Bearer "+cloudtest.BusToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	e, err := events.Parse(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.Said(e)
	w.WriteHeader(http.StatusAccepted)
	c.wg.Go(func() {
		c.deliver(e)
		c.deliver(e)
	})
}

// deliver hands an event to its functions as a rule of EventBridge does, and again where it failed.
func (c *cloud) deliver(e events.Event) {
	payload := bridged(e)
	for name, types := range routes() {
		if !slices.Contains(types, e.Type()) {
			continue
		}
		c.wg.Go(func() {
			var err error
			for range 3 {
				if _, err = c.Invoke(name, payload); err == nil {
					return
				}
			}
			c.Fail(name, fmt.Errorf("%s: %w", e.Type(), err))
		})
	}
}

func bridged(e events.Event) []byte {
	detail, err := e.MarshalJSON()
	if err != nil {
		panic(err) // it was just read
	}
	b, err := json.Marshal(map[string]any{"version": "0", "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92", "detail-type": e.Type(), "source": "dev.firedrill",
		"account": "123456789012", "time": "2026-11-21T08:00:00Z", "region": "us-east-1", "resources": []string{}, "detail": json.RawMessage(detail)})
	if err != nil {
		panic(err)
	}
	return b
}
