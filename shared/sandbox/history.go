package sandbox

import (
	"sync"
	"time"
)

// The history's bounds: answers and bytes of their bodies.
const (
	maxAnswers     = 4096
	maxAnswerBytes = 16 << 20
)

// answer is what a read answered, and when.
type answer struct {
	key   string
	at    time.Time
	reply *reply
}

// history remembers the latest successful answers to reads. It is safe for concurrent use.
type history struct {
	mu      sync.Mutex
	answers []answer // oldest first
	bytes   int
}

func (h *history) add(a answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers = append(h.answers, a)
	h.bytes += a.reply.body.Len()
	for len(h.answers) > maxAnswers || h.bytes > maxAnswerBytes && len(h.answers) > 1 {
		h.bytes -= h.answers[0].reply.body.Len()
		h.answers[0] = answer{}
		h.answers = h.answers[1:]
	}
}

// asOf returns the newest answer to the key that was given at the time or before; if there is none, the oldest known.
func (h *history) asOf(key string, at time.Time) (*reply, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found *reply
	for _, a := range h.answers {
		if a.key != key {
			continue
		}
		if found != nil && a.at.After(at) {
			break
		}
		found = a.reply
	}
	return found, found != nil
}

func (h *history) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers, h.bytes = nil, 0
}
