package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/bundle"
	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/bus/memory"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/dir"
	"github.com/firedrill/firedrill/shared/probe"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/ahas"
	"github.com/firedrill/firedrill/shared/provider/cfg"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/fis"
	"github.com/firedrill/firedrill/shared/provider/oos"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// The two modes; each journal entry, page and message carries one.
const (
	sandboxMode = "SANDBOX"
	liveMode    = "LIVE"
)

// source is what events of this command come from.
const source = "/firedrill/local/cli"

// settings are what up and demo can be told.
type settings struct {
	addr, sandboxAddr string
	moved             string // why addr is not the one that was asked for, "" if it is
	data              string
	catalog           string // "" for the shipped one
	speed             float64
	every             time.Duration
	live              bool
	allowHosts        []string
	log               *slog.Logger
}

// system is the deployment in this process.
type system struct {
	set         settings
	mode        string
	clock       *sandbox.Clock
	box         *sandbox.Sandbox // nil in live mode
	boxURL      string
	boxListener net.Listener
	boxMoved    string // why the sandbox is not where it was asked to be, "" if it is
	keeper      *keeper
	catalog     atomic.Pointer[catalog.Catalog]
	upcoming    upcoming
	journal     *journal.Journal
	services    *provider.Services
	bus         *memory.Bus
	facts       *feed
	rooms       map[chat.Platform]rooms.Room // the sandbox's chat platforms; none in live mode
	roomEnv     map[string]string            // what connects Firedrill to chat platforms
	keys        token.Keys                   // of buttons and links
	talk        http.Handler                 // the chatops function
	messages    io.Closer
	damaged     []string // what is said of active drills whose record cannot be read
}

// openers are the four drivers.
func openers() map[drill.Service]driver.Opener {
	return map[drill.Service]driver.Opener{drill.FIS: fis.Open, drill.AHAS: ahas.Open, drill.OOS: oos.Open, drill.CFG: cfg.Open}
}

// random returns n hexadecimal digits nobody can guess.
func random(n int) string {
	b := make([]byte, (n+1)/2)
	rand.Read(b) //nolint:errcheck // it never fails: it ends the process instead
	return hex.EncodeToString(b)[:n]
}

// newSystem wires everything and starts nothing.
func newSystem(ctx context.Context, set settings) (*system, error) {
	s := &system{set: set, mode: sandboxMode, facts: newFeed(), roomEnv: map[string]string{}}
	if set.live {
		s.mode = liveMode
	}
	if err := s.loadCatalog(); err != nil {
		return nil, err
	}
	store, err := dir.Open(filepath.Join(set.data, "journal"))
	if err != nil {
		return nil, err
	}
	s.clock = sandbox.NewClock(time.Now, set.speed)
	s.journal = journal.Open(store, journal.Options{Now: s.clock.Now, Nonce: func() string { return random(20) }, Mode: s.mode})
	if err := s.catchUp(ctx); err != nil {
		return nil, err
	}
	if !set.live {
		if err := s.openSandbox(); err != nil {
			return nil, err
		}
	}
	return s, s.wire(ctx)
}

// catchUp moves a sped-up clock past what an earlier run of this command wrote, so that time never goes backwards: levers and alarms go by
// it as well as drills. A drill whose record is damaged keeps no other from going on.
func (s *system) catchUp(ctx context.Context) error {
	to := func(at time.Time) {
		if ahead := at.Sub(s.clock.Now()); ahead > 0 {
			s.clock.Advance(ahead)
		}
	}
	levers, err := guard.Levers(ctx, s.journal)
	if err != nil {
		return err
	}
	for _, l := range levers {
		to(l.At)
	}
	alarms, err := s.journal.Firing(ctx)
	if err != nil {
		return err
	}
	for _, a := range alarms {
		to(a.At)
	}
	ids, err := s.journal.ActiveIDs(ctx)
	if err != nil {
		return fmt.Errorf("read active drills: %w", err)
	}
	for _, id := range ids {
		e, err := s.journal.Head(ctx, id)
		if errors.Is(err, journal.ErrNotFound) {
			continue
		}
		if err != nil {
			s.damaged = append(s.damaged, fmt.Sprintf("the record of drill %s is damaged, and nobody looks after it: firedrill stop --direct %s stops its run, firedrill audit %s shows the record (%v)", id, id, id, err))
			continue
		}
		if e.Mode != s.mode {
			return fmt.Errorf("drill %s in %s is %s, this is %s: keep them apart with --data", id, s.set.data, e.Mode, s.mode)
		}
		to(e.At)
	}
	return nil
}

// wire connects functions, services and bus.
func (s *system) wire(ctx context.Context) error {
	root, err := s.journal.Identity(ctx)
	if err != nil {
		return err
	}
	s.services = provider.New(provider.Options{Openers: openers(), Wait: s.clock.Sleep, Config: s.config(root)})
	s.bus = memory.New(s.set.log, s.clock.Sleep)
	s.bus.Tap(s.facts.add)
	all := s.functions()
	n, err := s.notifier()
	if err != nil {
		return err
	}
	c, err := s.chatops()
	if err != nil {
		return err
	}
	s.talk = c.Handler()
	for _, r := range s.rooms {
		r.Connect(s.talk)
	}
	all = append(all, bundle.Function{Name: "notify", Types: notify.Types(), Handle: persistent(n.Handle)})
	for _, f := range all {
		h := function.Publishing(f.Handle, s.bus, s.journal)
		h = function.Logging(h, s.set.log.With("function", f.Name), s.clock.Now)
		s.bus.Subscribe(memory.Route{Name: f.Name, Types: f.Types, Handler: h, Workers: workersOf(f.Name)})
	}
	return nil
}

func (s *system) functions() []bundle.Function {
	return bundle.Functions(bundle.Options{
		Deployment: "local", Mode: s.mode, Journal: s.journal, Services: s.services, Catalog: s.catalog.Load, Access: s.access, Now: s.clock.Now,
		Wait: s.clock.Sleep, Nonce: func() string { return random(20) }, Every: s.set.every, Prober: probe.New(nil, time.Now),
		Reporter: &reports{s}, Link: s.link, Log: s.set.log,
		Publish: func(ctx context.Context, out []events.Event) error {
			return function.Send(ctx, s.bus, s.journal, out)
		},
	})
}

// access is who may do what. What comes from the local command itself was said by the person at the keyboard: it listens on loopback
// alone, and that person has the journal, the catalogue and in live mode the credentials in their hands anyway.
func (s *system) access() access.Policy {
	return s.catalog.Load().Access().With(access.Binding{Role: access.Admin.String(), To: string(chat.Local) + ":*/*"})
}

// config says how to reach a service: the sandbox, or in live mode the vendor with the account's own credentials.
func (s *system) config(root string) func(drill.Service, drill.Account) (driver.Config, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return func(name drill.Service, a drill.Account) (driver.Config, error) {
		c := driver.Config{Account: a.Name, AccountID: a.ID, Region: a.Region, Root: root, Transport: transport}
		if s.set.live {
			var err error
			c.Credentials = ambient(a)
			c.Endpoint, err = liveEndpoint(name)
			return c, err
		}
		c.Endpoint = s.boxURL
		c.Credentials = func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: sandbox.DefaultAccessKey, Secret: sandbox.DefaultSecret}, nil
		}
		return c, nil
	}
}

// tick sends the minute's tick until ctx ends, at every full minute of the system's clock.
func (s *system) tick(ctx context.Context) {
	for {
		now := s.clock.Now()
		next := now.Truncate(time.Minute).Add(time.Minute)
		if s.clock.Sleep(ctx, next.Sub(now)) != nil {
			return
		}
		s.sendTick(ctx, next)
	}
}

func (s *system) sendTick(ctx context.Context, at time.Time) {
	e, err := events.New(events.Envelope{ID: events.ID("tick", at.Format(time.RFC3339)), Source: "/firedrill/local/timer", Time: at}, events.Tick{At: at})
	if err == nil {
		err = s.bus.Publish(ctx, e)
	}
	if err != nil && ctx.Err() == nil {
		s.set.log.Error("the tick was not sent", "error", err)
	}
}
