package events

import (
	"fmt"
	"time"
)

// Start asks for a drill of a plan (command.start). Subject: the plan's name.
type Start struct {
	Plan       string         `json:"plan"`
	Parameters map[string]any `json:"parameters,omitempty"`
	DryRun     bool           `json:"dry_run,omitempty"`
	Actor      string         `json:"actor"`
	Slot       string         `json:"slot,omitempty"` // set by schedules: local wall-clock minute and zone, e.g. 2026-11-24T10:00[Europe/Berlin]
	ExpiresAt  time.Time      `json:"expires_at,omitzero"`
}

// Approve agrees to what a gate asks (command.approve). Subject: the drill's id, as for all commands that follow.
type Approve struct {
	Drill     string    `json:"drill"`
	Gate      string    `json:"gate,omitempty"` // empty: the one open gate
	Note      string    `json:"note,omitempty"`
	Actor     string    `json:"actor"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Reject declines what a gate asks (command.reject).
type Reject struct {
	Drill     string    `json:"drill"`
	Gate      string    `json:"gate,omitempty"`
	Note      string    `json:"note,omitempty"`
	Actor     string    `json:"actor"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Advance moves a waiting drill on (command.advance).
type Advance struct {
	Drill      string         `json:"drill"`
	Gate       string         `json:"gate,omitempty"`
	Step       string         `json:"step,omitempty"`
	Targets    []string       `json:"targets,omitempty"`
	Action     string         `json:"action"` // execute, skip, retry, cancel, complete, pause, resume
	Parameters map[string]any `json:"parameters,omitempty"`
	Note       string         `json:"note,omitempty"`
	Actor      string         `json:"actor"`
	ExpiresAt  time.Time      `json:"expires_at,omitzero"`
}

// Stop asks for a drill to be stopped (command.stop). It never expires.
type Stop struct {
	Drill  string `json:"drill"` // an id, or "all"
	Reason string `json:"reason,omitempty"`
	Actor  string `json:"actor"`
}

// Halt stops every drill of a scope and keeps new ones from starting (command.halt).
type Halt struct {
	Scope  string `json:"scope"` // all, environment/<name>, plan/<name>
	Reason string `json:"reason,omitempty"`
	Actor  string `json:"actor"`
}

// Release lifts a halt (command.release). The reason is required.
type Release struct {
	Scope  string `json:"scope"`
	Reason string `json:"reason"`
	Actor  string `json:"actor"`
}

// Note adds a remark to a drill's record (command.note).
type Note struct {
	Drill string `json:"drill"`
	Text  string `json:"text"`
	Actor string `json:"actor"`
}

// Answer answers an asked claim (command.answer).
type Answer struct {
	Drill string `json:"drill"`
	Claim string `json:"claim"` // c1, c2, … or the claim's text
	Holds bool   `json:"holds"`
	Note  string `json:"note,omitempty"`
	Actor string `json:"actor"`
}

// Conclude gives a person's verdict (command.conclude). After the first verdict it amends.
type Conclude struct {
	Drill   string `json:"drill"`
	Verdict string `json:"verdict"` // expected, unexpected, inconclusive
	Summary string `json:"summary"`
	Issue   string `json:"issue,omitempty"`
	Record  string `json:"record,omitempty"`
	Actor   string `json:"actor"`
}

// EventType returns the type that the payload travels under.
func (Start) EventType() string    { return TypeStart }
func (Approve) EventType() string  { return TypeApprove }
func (Reject) EventType() string   { return TypeReject }
func (Advance) EventType() string  { return TypeAdvance }
func (Stop) EventType() string     { return TypeStop }
func (Halt) EventType() string     { return TypeHalt }
func (Release) EventType() string  { return TypeRelease }
func (Note) EventType() string     { return TypeNote }
func (Answer) EventType() string   { return TypeAnswer }
func (Conclude) EventType() string { return TypeConclude }

// Validate reports every missing or wrong field.
func (p Start) Validate() error {
	return check(need("plan", p.Plan), need("actor", p.Actor), short("plan", p.Plan), short("actor", p.Actor))
}

// Validate reports every missing or wrong field.
func (p Approve) Validate() error { return check(onDrill(p.Drill, p.Actor), short("note", p.Note)) }

// Validate reports every missing or wrong field.
func (p Reject) Validate() error { return check(onDrill(p.Drill, p.Actor), short("note", p.Note)) }

// Validate reports every missing or wrong field.
func (p Advance) Validate() error {
	return check(onDrill(p.Drill, p.Actor), oneOf("action", p.Action, "execute", "skip", "retry", "cancel", "complete", "pause", "resume"), short("note", p.Note))
}

// Validate reports every missing or wrong field.
func (p Stop) Validate() error { return check(onDrill(p.Drill, p.Actor), short("reason", p.Reason)) }

// Validate reports every missing or wrong field.
func (p Halt) Validate() error {
	return check(need("actor", p.Actor), short("actor", p.Actor), scope(p.Scope), short("reason", p.Reason))
}

// Validate reports every missing or wrong field.
func (p Release) Validate() error {
	return check(need("actor", p.Actor), short("actor", p.Actor), scope(p.Scope), need("reason", p.Reason), short("reason", p.Reason))
}

// Validate reports every missing or wrong field.
func (p Note) Validate() error {
	return check(onDrill(p.Drill, p.Actor), need("text", p.Text), short("text", p.Text))
}

// Validate reports every missing or wrong field.
func (p Answer) Validate() error {
	return check(onDrill(p.Drill, p.Actor), need("claim", p.Claim), short("note", p.Note))
}

// Validate reports every missing or wrong field.
func (p Conclude) Validate() error {
	return check(onDrill(p.Drill, p.Actor), verdict(p.Verdict), need("summary", p.Summary), short("summary", p.Summary), short("issue", p.Issue), short("record", p.Record))
}

func onDrill(drill, actor string) error {
	return check(need("drill", drill), short("drill", drill), need("actor", actor), short("actor", actor))
}

func verdict(v string) error {
	return oneOf("verdict", v, "expected", "unexpected", "inconclusive")
}

func scope(s string) error {
	if s == "all" || len(s) > len("plan/") && s[:5] == "plan/" || len(s) > len("environment/") && s[:12] == "environment/" {
		return nil
	}
	return fmt.Errorf("scope: %q is not a scope; write all, environment/<name> or plan/<name>", s)
}
