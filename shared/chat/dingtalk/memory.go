package dingtalk

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxRemembered is how many signatures are remembered. Only genuine ones get in, so that nobody else can push them out.
const maxRemembered = 4096

// memory knows for which body each signature was used. It is what stands in for a signature over the body: a pair of time and
// signature that leaked is good for nothing else than what it came with. It is of this instance alone.
type memory struct {
	mu   sync.Mutex
	uses map[[sha256.Size]byte]use
}

type use struct {
	body  [sha256.Size]byte
	until time.Time
}

func newMemory() *memory { return &memory{uses: map[[sha256.Size]byte]use{}} }

// admit reports whether the signature may stand for the body: it does so for the first one that it came with, and for the same again,
// which is a redelivery.
func (m *memory) admit(sign [sha256.Size]byte, body []byte, now time.Time) bool {
	digest := sha256.Sum256(body)
	m.mu.Lock()
	defer m.mu.Unlock()
	if u, ok := m.uses[sign]; ok && now.Before(u.until) {
		return u.body == digest
	}
	if len(m.uses) >= maxRemembered {
		m.forget(now)
	}
	m.uses[sign] = use{body: digest, until: now.Add(2*tolerance + time.Second)}
	return true
}

// forget drops what is too old to pass anyway, or else what will be first.
func (m *memory) forget(now time.Time) {
	var first [sha256.Size]byte
	var at time.Time
	for sign, u := range m.uses {
		if !now.Before(u.until) {
			delete(m.uses, sign)
			continue
		}
		if at.IsZero() || u.until.Before(at) {
			first, at = sign, u.until
		}
	}
	if len(m.uses) >= maxRemembered {
		delete(m.uses, first)
	}
}
