package sandbox

import (
	"slices"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// maxRequests bounds the request log.
const maxRequests = 1000

// Request is one line of the request log.
type Request struct {
	N       int          `json:"n"` // counts from 1
	At      time.Time    `json:"at"`
	Service string       `json:"service,omitempty"` // empty: no service recognised the request
	Op      string       `json:"op,omitempty"`
	Kind    service.Kind `json:"kind,omitempty"`
	Key     string       `json:"key,omitempty"`
	Status  int          `json:"status"`           // of the reply as it was sent; 0: none was
	Faults  []string     `json:"faults,omitempty"` // ids of the faults played, each with its effect: f1:latency
}

// record is the bounded request log. It is safe for concurrent use.
type record struct {
	mu    sync.Mutex
	lines []Request // oldest first
	n     int
}

func (l *record) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	r.N = l.n
	if len(l.lines) >= maxRequests {
		l.lines = l.lines[1:]
	}
	l.lines = append(l.lines, r)
}

func (l *record) list() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

func (l *record) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = nil
}
