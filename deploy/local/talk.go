package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/chatops"
	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/local"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/inbound"
)

// secretsVariable holds the secrets of the signed webhook, separated by commas; the command makes one up where it is not set.
const secretsVariable = "FIREDRILL_WEBHOOK_SECRETS"

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
	hook, err := webhook.New(webhook.Options{Secrets: s.secrets, Now: time.Now, Loopback: !s.set.live})
	if err != nil {
		return nil, err
	}
	senders := map[chat.Platform]chat.Sender{chat.Webhook: hook}
	return &notify.Function{Journal: s.journal, Senders: chat.New(senders, local.New(file)), Link: s.link, Log: s.set.log}, nil
}

// readSecrets takes the webhook's secrets from the environment, or makes one up for this run.
func (s *system) readSecrets() error {
	var err error
	if list := os.Getenv(secretsVariable); list != "" {
		if s.secrets, err = webhook.ParseSecrets(list); err != nil {
			return fmt.Errorf("%s: %w", secretsVariable, err)
		}
		return nil
	}
	key := make([]byte, 32)
	rand.Read(key) //nolint:errcheck // it never fails: it ends the process instead
	s.secrets, err = webhook.ParseSecrets("whsec_" + base64.StdEncoding.EncodeToString(key))
	return err
}

// chat is the function that takes commands from chat platforms.
func (s *system) chat() http.Handler {
	f := &chatops.Function{
		Publisher: s.bus, Reader: reader{s}, Secrets: s.secrets, Now: s.clock.Now, Source: "/firedrill/local/chatops", Mode: s.mode,
		Inputs: &chatops.Journaled{Journal: s.journal, Publisher: s.bus, Now: s.clock.Now, Source: "/firedrill/local/chatops"},
		Link:   s.link, Log: s.set.log,
		DrillID: func(e events.Event) string { return events.ID("drill", e.Source(), e.ID()) },
	}
	return f.Handler()
}

// reader finds plans and drills for chatops.
type reader struct{ s *system }

// Plans lists the catalogue.
func (r reader) Plans(context.Context) ([]chatops.Plan, error) {
	var out []chatops.Plan
	for _, p := range r.s.catalog.Load().Plans() {
		v := chatops.Plan{Plan: p}
		if slot, ok := catalog.Next(p, r.s.clock.Now()); ok {
			v.Next = slot.At
		}
		out = append(out, v)
	}
	return out, nil
}

// Drills lists the active drills, or those whose id begins with prefix.
func (r reader) Drills(ctx context.Context, prefix string) ([]*drill.Drill, error) {
	items, _, err := r.s.journal.Recent(ctx, 1000, "")
	if err != nil {
		return nil, err
	}
	var out []*drill.Drill
	for _, it := range items {
		if !strings.HasPrefix(it.Drill, prefix) {
			continue
		}
		d, err := r.s.journal.Load(ctx, it.Drill)
		if err != nil {
			return nil, err
		}
		if prefix != "" || d.Active() {
			out = append(out, d)
		}
	}
	return out, nil
}

// postInbound takes a raw platform payload, as the runtime would hand it over.
func (s *system) postInbound(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		respondError(w, http.StatusRequestEntityTooLarge, err)
		return
	}
	in, err := decodeInbound(r.PathValue("platform"), body)
	if err != nil {
		respondError(w, http.StatusBadRequest, err)
		return
	}
	s.accept(w, r, in...)
}

// postAlarm takes a monitor's webhook.
func (s *system) postAlarm(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		respondError(w, http.StatusRequestEntityTooLarge, err)
		return
	}
	in, err := inbound.Alarm(r.PathValue("source"), r.Header.Get("Content-Type"), body)
	if err != nil {
		respondError(w, http.StatusBadRequest, err)
		return
	}
	s.accept(w, r, in...)
}
