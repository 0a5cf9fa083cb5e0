package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/chatops"
	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/local"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/inbound"
	"github.com/firedrill/firedrill/shared/setup/talk"
)

// link is where people read about a drill.
func (s *system) link(id string) string { return "http://" + s.set.addr + "/r/" + id }

// notifier is the notify function. Channels of this machine, and of platforms that are not set up, go to messages.txt in --data.
func (s *system) notifier() (*notify.Function, error) {
	if err := os.MkdirAll(s.set.data, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(s.set.data, "messages.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	s.messages = file
	get, err := s.talking()
	if err != nil {
		return nil, err
	}
	senders, err := talk.Senders(get, wire.Options{Loopback: !s.set.live, Now: time.Now, Wait: patient})
	if err != nil {
		return nil, err
	}
	return &notify.Function{
		Journal: s.journal, Senders: chat.New(senders, local.New(file)), Keys: s.keys, Link: s.link, Now: s.clock.Now, Wall: time.Now, Wait: patient,
		Of: s.channelsOf, Log: s.set.log,
	}, nil
}

// persistent delivers a fact again for as long as a room takes no more messages, in the world's time: the bus, which counts in the
// system's own, would give up within moments.
func persistent(h function.Handler) function.Handler {
	return func(ctx context.Context, in events.Event) (out []events.Event, err error) {
		for range 40 {
			out, err = h(ctx, in)
			var fail *chat.Error
			if !errors.As(err, &fail) || !chat.Retryable(err) {
				return out, err
			}
			if patient(ctx, min(max(fail.RetryAfter, time.Second), 15*time.Second)) != nil {
				return out, err
			}
		}
		return out, err
	}
}

// workersOf is how many events a function may have in hand: those of notify mostly wait for a room's turn.
func workersOf(name string) int {
	if name == "notify" {
		return 64
	}
	return 0
}

// channelsOf are the channels of a plan in today's catalogue.
func (s *system) channelsOf(_ context.Context, plan string) []drill.Channel {
	p, _ := s.catalog.Load().Plan(plan)
	return p.Notify
}

// patient waits in the world's time, which is the one that chat platforms count in.
func patient(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// talking returns what connects this process to chat: in live mode the environment, in the sandbox its own platforms alone, so that a
// rehearsal on a laptop cannot post into a real room. Webhooks are the exception: their secrets may be set in both, and what is not
// set is made up for this run.
func (s *system) talking() (talk.Get, error) {
	get := func(name string) string {
		if v, ok := s.roomEnv[name]; ok {
			return v
		}
		if s.set.live || name == talk.InSecrets || name == talk.OutSecrets || name == talk.Keys {
			return os.Getenv(name)
		}
		return ""
	}
	for _, name := range []string{talk.InSecrets, talk.OutSecrets, talk.Keys} {
		if get(name) == "" {
			s.roomEnv[name] = madeUp(name)
		}
	}
	var err error
	s.keys, err = talk.ReadKeys(get)
	return get, err
}

// madeUp is a secret for this run.
func madeUp(name string) string {
	key := make([]byte, 32)
	rand.Read(key) //nolint:errcheck // it never fails: it ends the process instead
	prefix := "whsec_"
	if name == talk.Keys {
		prefix = ""
	}
	return prefix + base64.StdEncoding.EncodeToString(key)
}

// chatops is the function that takes commands from chat platforms.
func (s *system) chatops() (*chatops.Function, error) {
	get, err := s.talking()
	if err != nil {
		return nil, err
	}
	receivers, err := talk.Receivers(get)
	if err != nil {
		return nil, err
	}
	return &chatops.Function{
		Receivers: receivers, Access: s.access, Publisher: s.bus,
		Reader: &chatops.Shelf{Journal: s.journal, Catalog: s.catalog.Load, Now: s.clock.Now},
		Inputs: &chatops.Journaled{Journal: s.journal, Publisher: s.bus, Now: s.clock.Now, Source: "/firedrill/local/chatops"},
		Memory: s.journal, Keys: s.keys, Now: s.clock.Now, Wall: time.Now, Source: "/firedrill/local/chatops", Mode: s.mode,
		Link: s.link, Lang: func(address string) string { return s.catalog.Load().LangOf(address) }, Log: s.set.log,
		DrillID: func(e events.Event) string { return events.ID("drill", e.Source(), e.ID()) },
	}, nil
}

// postInbound takes a raw platform payload, as the runtime would hand it over.
func (s *system) postInbound(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		respondError(w, http.StatusRequestEntityTooLarge, err)
		return
	}
	in, err := decodeInbound(r.PathValue("platform"), body)
	s.acceptSome(w, r, in, err)
}

// postAlarm takes a monitor's webhook.
func (s *system) postAlarm(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		respondError(w, http.StatusRequestEntityTooLarge, err)
		return
	}
	in, err := inbound.Alarm(r.PathValue("source"), r.Header.Get("Content-Type"), body)
	s.acceptSome(w, r, in, err)
}

// acceptSome publishes what could be read of a payload, and answers with what could not: one bad alert must not lose the others.
func (s *system) acceptSome(w http.ResponseWriter, r *http.Request, in []events.Event, unread error) {
	if unread == nil {
		s.accept(w, r, in...)
		return
	}
	if err := s.take(r.Context(), in...); err != nil {
		respondError(w, http.StatusServiceUnavailable, err)
		return
	}
	respondError(w, http.StatusBadRequest, unread)
}
