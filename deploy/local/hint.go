package main

import "github.com/firedrill/firedrill/events"

// hint is what the stream says of an event: enough for a page to know what to read again, and to show a refusal beside what was asked.
type hint struct {
	Type   string `json:"type"`
	Drill  string `json:"drill"`
	Cause  string `json:"cause,omitempty"`  // id of the event that asked for it
	Check  string `json:"check,omitempty"`  // of a refusal: who said no
	Reason string `json:"reason,omitempty"` // of a refusal: why
}

func hintOf(e events.Event) hint {
	h := hint{Type: e.Type(), Drill: e.Subject()}
	h.Cause, _ = e.Extensions()["cause"].(string)
	if r, err := events.Decode[events.Refused](e); err == nil {
		h.Check, h.Reason = r.Check, r.Reason
	}
	return h
}
