package main

import (
	"sync"

	"github.com/firedrill/firedrill/events"
)

// feed hands every published event to whoever listens: the terminal and the console page.
type feed struct {
	mu        sync.Mutex
	listeners map[chan events.Event]bool
}

func newFeed() *feed { return &feed{listeners: map[chan events.Event]bool{}} }

// add never blocks: a listener that does not keep up misses events, and reads the state again at the next one.
func (f *feed) add(e events.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch := range f.listeners {
		select {
		case ch <- e:
		default:
		}
	}
}

// listen returns a channel of events and the way to end it.
func (f *feed) listen() (<-chan events.Event, func()) {
	ch := make(chan events.Event, 1024)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners[ch] = true
	return ch, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, ch)
	}
}
