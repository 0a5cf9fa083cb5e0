package function

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// Causes tells whether an event has changed a drill already.
type Causes interface {
	CausedBy(ctx context.Context, drill, cause string) bool
}

// Refuser answers commands that change nothing.
type Refuser struct {
	Journal Causes
	Now     func() time.Time
	Mode    string
	Source  string // of the function, /firedrill/<deployment>/<function>
	Log     *slog.Logger
}

// CheckDrill refuses a command about a drill that is not there.
const CheckDrill = "drill"

// No is an answer to a command that changes nothing.
type No struct {
	Drill  string // as the command named it: there may be no such drill
	Plan   string // of a command that is about no drill; "" for none
	Actor  string // who is answered
	Cause  string // id of the command
	Check  string // what said no
	Reason string // what a person can act on
}

// Refuse makes the drill.refused that answers a command. A command that did change its drill and is delivered again is not answered; one
// that is refused again gets the same event.
func (r Refuser) Refuse(ctx context.Context, no No) ([]events.Event, error) {
	if r.Journal.CausedBy(ctx, no.Drill, no.Cause) {
		return nil, nil
	}
	if no.Plan == "" {
		no.Plan = "-"
	}
	now := r.Now()
	reason := strings.TrimPrefix(no.Reason, drill.ErrAnswered.Error()+": ")
	r.Log.Info("refused", "drill", no.Drill, "event", no.Cause, "check", no.Check, "reason", reason)
	e, err := events.New(events.Envelope{ID: events.ID("refused", no.Cause, no.Check), Source: r.Source, Subject: no.Drill, Time: now, Cause: no.Cause},
		events.Refused{About: events.About{Drill: no.Drill, Plan: no.Plan, Mode: r.Mode, Status: "unchanged", Actor: no.Actor, At: now}, Check: no.Check, Reason: reason})
	if err != nil {
		return nil, err
	}
	return []events.Event{e}, nil
}
