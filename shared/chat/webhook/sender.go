package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// Options are what a Sender needs.
type Options struct {
	Secrets  []Secret         // all of them sign; the newest first
	Now      func() time.Time // the clock
	Loopback bool             // allow http and https to this machine: for SANDBOX alone
}

// Sender posts messages as signed JSON. It makes one attempt a call, follows no redirect, connects to public addresses only, and
// leaves a receiver alone for as long as its Retry-After says.
type Sender struct {
	o    Options
	wire *wire.Client
}

var _ chat.Sender = (*Sender)(nil)

// New returns a sender. It is an error to have no secret or no clock.
func New(o Options) (*Sender, error) {
	if len(o.Secrets) == 0 {
		return nil, errors.New("webhook sender: no secret to sign with")
	}
	c, err := wire.New(wire.Options{Loopback: o.Loopback, Now: o.Now, Wait: never})
	if err != nil {
		return nil, err
	}
	return &Sender{o: o, wire: c}, nil
}

// never is how a sender waits that keeps to no rate.
func never(context.Context, time.Duration) error { return nil }

// Capabilities says that receivers group by the payload's thread, and take no updates.
func (s *Sender) Capabilities(chat.Address) chat.Capabilities { return chat.Capabilities{} }

// Post sends the message once. The message's ID is the webhook-id: a receiver may fold what it gets twice.
func (s *Sender) Post(ctx context.Context, to chat.Address, m chat.Message) (chat.Posted, error) {
	body, err := encode(m, "")
	if err != nil {
		return chat.Posted{}, &chat.Error{Code: chat.Invalid, Err: err}
	}
	if err := s.send(ctx, to, m.ID, body); err != nil {
		return chat.Posted{}, err
	}
	return chat.Posted{To: to.String(), ID: m.ID, Thread: m.Thread}, nil
}

// Update returns chat.ErrUnsupported.
func (s *Sender) Update(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, unsupported("update")
}

// Reply returns chat.ErrUnsupported: post with the same thread instead.
func (s *Sender) Reply(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, unsupported("reply to")
}

func unsupported(what string) error {
	return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s a webhook message: %w", what, chat.ErrUnsupported)}
}

func (s *Sender) send(ctx context.Context, to chat.Address, id string, body []byte) error {
	call := wire.Call{URL: to.Place, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, What: "post to " + to.String()}
	if to.Platform != chat.Webhook {
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%w: %s is no webhook", chat.ErrAddress, to)}
	}
	if err := Sign(call.Header, id, s.o.Now(), body, s.o.Secrets); err != nil {
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: %w", call.What, err)}
	}
	_, err := s.wire.Do(ctx, call)
	return err
}
