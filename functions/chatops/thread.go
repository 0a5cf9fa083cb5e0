package chatops

import (
	"context"
	"strings"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
)

const (
	leastID = 4 // characters of an id that a word in a thread must have to be taken for one
	digits  = "0123456789"
)

// read reads a typed command. In a drill's thread its id may be left out.
func (f *Function) read(ctx context.Context, in chat.Incoming) (grammar.Command, error) {
	where := grammar.Context{}
	if in.Thread != "" {
		id, err := f.Memory.ThreadDrill(ctx, place(in), in.Thread)
		if err != nil {
			f.Log.Warn("thread unknown: its drill must be named", "error", err)
		}
		where.Drill = id
		where.Names = func(word string) bool { return f.names(ctx, id, word) }
	}
	return grammar.ParseIn(in.Text, where)
}

// names reports whether a word in the thread of a drill stands for a drill: the beginning of this one's id, of another's that is there,
// or something that can hardly be anything else, so that a misspelt id is an error and not a remark.
func (f *Function) names(ctx context.Context, id, word string) bool {
	switch {
	case len(word) < leastID || len(word) > fullID || strings.Trim(word, digits+"abcdefghijklmnopqrstuvwxyz") != "":
		return false
	case strings.HasPrefix(id, word):
		return true
	case strings.ContainsAny(word, digits) && strings.Trim(word, digits) != "":
		return true
	case len(word) < short:
		return false
	}
	found, err := f.Reader.Drills(ctx, word)
	return err == nil && len(found) > 0
}

// place is the conversation as an address.
func place(in chat.Incoming) string { return string(in.From.Platform) + ":" + in.Channel }

// lang is the language of the conversation.
func (f *Function) lang(in chat.Incoming) string {
	if f.Lang == nil {
		return ""
	}
	return f.Lang(place(in))
}

// tell sends the answer after the acknowledgement, where that cannot say it. The command is taken by then: an answer that is lost is no
// reason to send it again. The text is part of the id: what failed first and is taken when it is delivered again is told twice.
func (f *Function) tell(ctx context.Context, in chat.Incoming, reply Reply) {
	if reply.Text == "" {
		return
	}
	p := events.Reply{
		To: place(in), User: in.From.String(), Thread: in.Thread, Message: in.Message, Text: reply.Text, Mode: f.Mode,
		Until: in.ReplyUntil, At: f.Now(),
	}
	if in.ReplyURL != "" && !f.Keys.Empty() {
		sealed, err := f.Keys.Seal(in.ReplyURL)
		if err != nil {
			f.Log.Warn("reply URL not sealed", "error", err)
		}
		p.URL = sealed
	}
	subject := reply.Drill
	if subject == "" {
		subject = "chat"
	}
	e, err := events.New(events.Envelope{ID: events.ID("reply", in.From.String(), in.ID, reply.Text), Source: f.Source, Subject: subject, Time: f.Now()}, p)
	if err == nil {
		err = f.Publisher.Publish(ctx, e)
	}
	if err != nil {
		f.Log.Warn("answer not sent", "drill", reply.Drill, "error", err)
	}
}
