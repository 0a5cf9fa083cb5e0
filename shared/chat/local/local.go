// Package local is the chat platform of the local command: it writes messages to its own output.
package local

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/chat"
)

// Sender writes each message as a few lines. It is safe for concurrent use: messages never mix.
type Sender struct {
	mu  sync.Mutex
	out io.Writer
}

var _ chat.Sender = (*Sender)(nil)

// New returns a sender that writes to out.
func New(out io.Writer) *Sender { return &Sender{out: out} }

// Capabilities says that replies are shown as such; nothing else is possible in a stream of text.
func (s *Sender) Capabilities(chat.Address) chat.Capabilities { return chat.Capabilities{Reply: true} }

// Post writes the message.
func (s *Sender) Post(_ context.Context, to chat.Address, m chat.Message) (chat.Posted, error) {
	return s.write(to.String(), m)
}

// Update returns chat.ErrUnsupported: what is written stays.
func (s *Sender) Update(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("update a local message: %w", chat.ErrUnsupported)}
}

// Reply writes the message below the others.
func (s *Sender) Reply(_ context.Context, p chat.Posted, m chat.Message) (chat.Posted, error) {
	return s.write(p.To, m)
}

func (s *Sender) write(to string, m chat.Message) (chat.Posted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.out, render(to, m)); err != nil {
		return chat.Posted{}, &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("write message: %w", err)}
	}
	return chat.Posted{To: to, ID: m.ID, Thread: m.Thread}, nil
}

func render(to string, m chat.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  ->  %s\n", chat.Line(m.Title, 200), to)
	indent(&b, m.Text)
	for _, f := range m.Fields {
		fmt.Fprintf(&b, "    %s: %s\n", f.Name, strings.ReplaceAll(chat.Clean(f.Value), "\n", "\n      "))
	}
	for _, c := range m.Buttons {
		fmt.Fprintf(&b, "    [%s] /drill %s\n", c.Label, c.Command)
	}
	if m.Mention != "" {
		fmt.Fprintf(&b, "    @ %s\n", chat.Line(m.Mention, 200))
	}
	if m.Link != "" {
		fmt.Fprintf(&b, "    %s\n", chat.Line(m.Link, 2000))
	}
	return b.String()
}

func indent(b *strings.Builder, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(chat.Clean(text), "\n") {
		fmt.Fprintf(b, "    %s\n", line)
	}
}
