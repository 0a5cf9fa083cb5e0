package chatops

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

const (
	seenFor = 15 * time.Minute // longer than a signature is good for
	seenMax = 4096
)

// seen keeps the answers to recent requests of this instance, so that a request which is sent again acts once. Other instances
// are covered by the commands' derived ids.
type seen struct {
	mu      sync.Mutex
	answers map[string]answered
}

type answered struct {
	reply Reply
	at    time.Time
}

func newSeen() *seen { return &seen{answers: map[string]answered{}} }

func seenKey(id string, body []byte) string {
	sum := sha256.Sum256(body)
	return id + " " + hex.EncodeToString(sum[:])
}

func (s *seen) get(key string, now time.Time) (Reply, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.answers[key]
	if !ok || now.Sub(a.at) > seenFor {
		return Reply{}, false
	}
	return a.reply, true
}

func (s *seen) put(key string, reply Reply, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) >= seenMax {
		for k, a := range s.answers {
			if now.Sub(a.at) > seenFor {
				delete(s.answers, k)
			}
		}
	}
	if len(s.answers) < seenMax {
		s.answers[key] = answered{reply: reply, at: now}
	}
}
