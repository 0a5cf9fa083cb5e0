package chatops

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
)

const (
	leastID  = 4 // characters of an id that a word in a thread must have to be taken for one
	digits   = "0123456789"
	idSigns  = digits + "abcdefghijklmnopqrstuvwxyz"
	lookTime = 500 * time.Millisecond // how long a stop waits for what only helps to read it
)

// read reads a typed command. In a drill's thread its id may be left out. Words that are clear by themselves wait for nobody.
func (f *Function) read(ctx context.Context, in chat.Incoming) (grammar.Command, error) {
	c, err := grammar.Parse(in.Text)
	if in.Thread == "" || !c.Verb.OfDrill() || c.Verb == grammar.Stop && (c.Drill == grammar.All || whole(c.Drill)) {
		return c, err
	}
	id, lost := f.threadDrill(ctx, c.Verb, in)
	if lost != nil {
		f.Log.Warn("thread unknown: its drill must be named", "error", lost)
		if err != nil {
			return c, fmt.Errorf("find the thread's drill: %w", lost)
		}
	}
	return grammar.ParseIn(in.Text, grammar.Context{Drill: id, Names: func(v grammar.Verb, word string) (bool, error) { return f.names(ctx, id, v, word) }})
}

// whole reports whether a word can hardly be anything but the whole id of a drill.
func whole(word string) bool { return len(word) == fullID && strings.ContainsAny(word, digits) }

func (f *Function) threadDrill(ctx context.Context, v grammar.Verb, in chat.Incoming) (string, error) {
	if v == grammar.Stop {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lookTime)
		defer cancel()
	}
	return f.Memory.ThreadDrill(ctx, place(in), in.Thread)
}

// names reports whether a word in the thread of a drill stands for a drill: the beginning of this one's id, of another's that is there,
// or something that can hardly be anything else, so that a misspelt id is an error and not a remark. A stop is never refused over its
// words: for a stop only what is there counts, and the rest is its reason.
func (f *Function) names(ctx context.Context, id string, v grammar.Verb, word string) (bool, error) {
	mixed := strings.ContainsAny(word, digits) && strings.Trim(word, digits) != ""
	switch {
	case len(word) < leastID || strings.Trim(word, idSigns) != "":
		return false, nil
	case strings.HasPrefix(id, word):
		return true, nil
	case v != grammar.Stop:
		if mixed {
			return true, nil
		}
		known, err := f.known(ctx, word)
		if err != nil {
			f.Log.Warn("words cannot be told from ids", "verb", string(v), "error", err)
			err = &refusal{text: words.Say("the active drills cannot be read now, and %q may be one of them: write the drill's id first, such as %s", word, id)}
		}
		return known, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	known, err := f.known(ctx, word)
	if err != nil {
		f.Log.Warn("words cannot be told from ids", "verb", string(v), "error", err)
		return len(word) == fullID, nil
	}
	return known, nil
}

// known reports whether there is a drill whose id begins with a word, or one that is active and whose id the word begins with.
func (f *Function) known(ctx context.Context, word string) (bool, error) {
	active, err := f.matching(ctx, word)
	if err != nil || len(active) > 0 || len(word) < short || len(word) > fullID {
		return len(active) > 0, err
	}
	ids, err := f.Reader.Newest(ctx, word)
	return len(ids) > 0, err
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
