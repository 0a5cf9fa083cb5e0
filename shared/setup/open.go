package setup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/bus/eventbridge"
	bus "github.com/firedrill/firedrill/shared/bus/http"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/dir"
	"github.com/firedrill/firedrill/shared/journal/s3"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// BusTokens is the variable with the tokens of POST /; the first one is also sent to a bus over HTTP.
const BusTokens = "FIREDRILL_BUS_TOKENS"

// NoTokens is the value of BusTokens where the platform checks who calls.
const NoTokens = "none"

// Setup is what every function is made from.
type Setup struct {
	*Settings
	Name      string
	Log       *slog.Logger
	Now       func() time.Time
	Wait      func(ctx context.Context, d time.Duration) error
	Nonce     func() string
	Getenv    func(name string) string // for credentials, at every call
	Transport *http.Transport          // the one that every client shares
	Journal   *journal.Journal
	Publisher function.Publisher
	Dead      DeadLetter // nil when none is configured
}

// DeadLetter keeps payloads that no retry can mend, as they came, for a person to look at.
type DeadLetter interface {
	Send(ctx context.Context, payload []byte, reason string) error
}

// Open opens journal, bus and dead-letter target. It makes no call to any of them.
func Open(name string, s *Settings, log *slog.Logger, getenv func(string) string) (*Setup, error) {
	p := &Setup{Settings: s, Name: name, Log: log, Now: time.Now, Wait: wait, Nonce: nonce, Getenv: getenv, Transport: transport()}
	store, err := p.store()
	errs := []error{err}
	if err == nil {
		p.Journal = journal.Open(store, journal.Options{Now: p.Now, Nonce: p.Nonce, Mode: s.Mode})
	}
	p.Publisher, err = p.bus()
	errs = append(errs, err)
	if s.DeadLetter != nil {
		p.Dead, err = p.deadLetter()
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, nil
}

func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16 // abort stops that many drills at once
	return t
}

func (p *Setup) store() (journal.Store, error) {
	switch p.Settings.Journal.Scheme {
	case "dir":
		return dir.Open(filepath.FromSlash(p.Settings.Journal.Path))
	case "s3":
		c, err := s3.ParseURL(p.Settings.Journal.String())
		if err != nil {
			return nil, fmt.Errorf("FIREDRILL_JOURNAL: %w", err)
		}
		c.Wait, c.Transport = p.Wait, p.Transport
		c.Credentials = func(ctx context.Context) (s3.Credentials, error) {
			v, err := p.AWSCredentials(ctx)
			return s3.Credentials(v), err
		}
		return s3.Open(c)
	}
	return nil, errors.New("FIREDRILL_JOURNAL: no such kind of store is built in")
}

func (p *Setup) bus() (function.Publisher, error) {
	switch p.Bus.Scheme {
	case "http", "https":
		token, _, _ := strings.Cut(p.Getenv(BusTokens), ",")
		if token = strings.TrimSpace(token); token == NoTokens {
			token = ""
		}
		return bus.Open(bus.Options{URL: p.Bus.String(), Token: token, Transport: p.Transport, Wait: p.Wait})
	case "eventbridge":
		c, err := eventbridge.ParseURL(p.Bus.String())
		if err != nil {
			return nil, fmt.Errorf("FIREDRILL_BUS: %w", err)
		}
		c.Wait, c.Transport = p.Wait, p.Transport
		c.Credentials = func(ctx context.Context) (eventbridge.Credentials, error) {
			v, err := p.AWSCredentials(ctx)
			return eventbridge.Credentials(v), err
		}
		return eventbridge.Open(c)
	}
	return nil, errors.New("FIREDRILL_BUS: no such kind of bus is built in")
}

// AWSCredentials reads what Lambda puts into the environment, or who else runs the function.
func (p *Setup) AWSCredentials(context.Context) (driver.Credentials, error) {
	c := driver.Credentials{AccessKey: p.Getenv("AWS_ACCESS_KEY_ID"), Secret: p.Getenv("AWS_SECRET_ACCESS_KEY"), Token: p.Getenv("AWS_SESSION_TOKEN")}
	if c.AccessKey == "" || c.Secret == "" {
		return driver.Credentials{}, errors.New("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the function a role")
	}
	return c, nil
}

// wait is the only place that waits, with the real clock.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// nonce returns 80 bits that nobody can guess.
func nonce() string {
	b := make([]byte, 10)
	rand.Read(b) //nolint:errcheck // it never fails: it ends the process instead
	return hex.EncodeToString(b)
}
