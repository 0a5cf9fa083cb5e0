package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/events"
)

// What chat keeps beside the drills: which drill a thread is about, which buttons were pressed, and who was refused what.
const (
	threadPrefix = "chat/threads/"
	pressPrefix  = "chat/presses/"
	denialPrefix = "chat/denials/"
)

// BindThread says that a thread of a conversation is about a drill. The first that says so stays.
func (j *Journal) BindThread(ctx context.Context, place, thread, drill string) error {
	return j.first(ctx, threadPrefix+events.ID(place, thread), drill)
}

// ThreadDrill returns the drill that a thread is about, "" for none.
func (j *Journal) ThreadDrill(ctx context.Context, place, thread string) (string, error) {
	id, _, err := j.Register(ctx, threadPrefix+events.ID(place, thread))
	return string(id), err
}

// Press records that an actor used a button's token, and by what: the id of the press. The first press stays.
func (j *Journal) Press(ctx context.Context, token, actor, by string) error {
	return j.first(ctx, pressPrefix+events.ID(token, actor), by)
}

// Pressed returns the id of the press in which an actor used a button's token, "" for none.
func (j *Journal) Pressed(ctx context.Context, token, actor string) (string, error) {
	by, _, err := j.Register(ctx, pressPrefix+events.ID(token, actor))
	return string(by), err
}

func (j *Journal) first(ctx context.Context, name, value string) error {
	if err := j.Set(ctx, name, 0, []byte(value)); err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	return nil
}

// Denial is a command that somebody had no right to give.
type Denial struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id"` // of the request
	Actor  string    `json:"actor"`
	Verb   string    `json:"verb"`
	About  string    `json:"about,omitempty"` // drill, plan or scope
	Reason string    `json:"reason"`
}

// Deny records a denial. The same request is recorded once.
func (j *Journal) Deny(ctx context.Context, d Denial) error {
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("record denial: %w", err)
	}
	return j.first(ctx, denialPrefix+invertTime(d.At)+"/"+events.ID(d.Actor, d.ID), string(data))
}

// Denials returns the newest denials, at most limit.
func (j *Journal) Denials(ctx context.Context, limit int) ([]Denial, error) {
	items, err := j.registersUpTo(ctx, denialPrefix, limit)
	if err != nil {
		return nil, err
	}
	var out []Denial
	for _, it := range items {
		var d Denial
		if err := json.Unmarshal(it.Value, &d); err != nil {
			return out, fmt.Errorf("denial %s is damaged: %w", it.Name, err)
		}
		out = append(out, d)
	}
	return out, nil
}
