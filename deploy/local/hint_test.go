package main

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
)

func TestHintOf(t *testing.T) {
	about := events.About{Drill: "k7m2", Plan: "-", Mode: "SANDBOX", Status: "unchanged", At: time.Unix(0, 0)}
	e, err := events.New(events.Envelope{ID: "f1", Source: "/firedrill/local/advance", Subject: "k7m2", Time: time.Unix(0, 0), Cause: "e1"},
		events.Refused{About: about, Check: "gate", Reason: "you chose skip already"})
	if err != nil {
		t.Fatal(err)
	}
	want := hint{Type: events.TypeRefused, Drill: "k7m2", Cause: "e1", Check: "gate", Reason: "you chose skip already"}
	if got := hintOf(e); got != want {
		t.Errorf("hint is %+v, want %+v", got, want)
	}
	tick, err := events.New(events.Envelope{ID: "t1", Source: "/firedrill/local/timer", Time: time.Unix(0, 0)}, events.Tick{At: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if got := hintOf(tick); got != (hint{Type: events.TypeTick}) {
		t.Errorf("a tick's hint is %+v", got)
	}
}
