package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
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
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/inbound"
)

// The secrets of signed webhooks, separated by commas: those that commands are signed with, and those that our messages are signed
// with. They are two lists, so that whoever receives messages cannot sign commands. What is not set is made up for this run.
const (
	secretsVariable    = "FIREDRILL_WEBHOOK_SECRETS"
	outSecretsVariable = "FIREDRILL_WEBHOOK_OUT_SECRETS"
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
	secrets, err := readSecrets(outSecretsVariable)
	if err != nil {
		return nil, err
	}
	hook, err := webhook.New(webhook.Options{Secrets: secrets, Now: time.Now, Loopback: !s.set.live})
	if err != nil {
		return nil, err
	}
	senders := map[chat.Platform]chat.Sender{chat.Webhook: hook}
	return &notify.Function{Journal: s.journal, Senders: chat.New(senders, local.New(file)), Link: s.link, Log: s.set.log}, nil
}

// readSecrets takes a list of secrets from the environment, or makes one up for this run.
func readSecrets(variable string) ([]webhook.Secret, error) {
	list := os.Getenv(variable)
	if list == "" {
		key := make([]byte, 32)
		rand.Read(key) //nolint:errcheck // it never fails: it ends the process instead
		list = "whsec_" + base64.StdEncoding.EncodeToString(key)
	}
	secrets, err := webhook.ParseSecrets(list)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	return secrets, nil
}

// chat is the function that takes commands from chat platforms.
func (s *system) chat() http.Handler {
	f := &chatops.Function{
		Publisher: s.bus, Reader: &chatops.Shelf{Journal: s.journal, Catalog: s.catalog.Load, Now: s.clock.Now}, Secrets: s.secrets, Now: s.clock.Now, Wall: time.Now, Source: "/firedrill/local/chatops", Mode: s.mode,
		Inputs: &chatops.Journaled{Journal: s.journal, Publisher: s.bus, Now: s.clock.Now, Source: "/firedrill/local/chatops"},
		Link:   s.link, Log: s.set.log,
		DrillID: func(e events.Event) string { return events.ID("drill", e.Source(), e.ID()) },
	}
	return f.Handler()
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
