package slack

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A reply URL takes five answers in 30 minutes (https://docs.slack.dev/interactivity/handling-user-interaction).
const (
	hookUses = 5
	hookTime = 30 * time.Minute
)

// gone is a reply of 404 with a code.
type gone string

// hook is a reply URL.
type hook struct {
	id      string
	channel string
	user    string // to whom answers are shown
	ts      string // of the message whose button was pressed
	until   time.Time
	used    int
}

// hook makes a reply URL for something that a person did.
func (r *Room) hook(h hook) string {
	h.id, h.until = fmt.Sprintf("%s%06x", team, r.next()), r.now().Add(hookTime)
	r.hooks = append(r.hooks, &h)
	if n := len(r.hooks) - maxHooks; n > 0 {
		r.hooks = slices.Delete(r.hooks, 0, n)
	}
	return r.base + "/response/" + h.id
}

// respond takes an answer to a reply URL. It needs no token: whoever knows the URL may.
func (r *Room) respond(id string, q *http.Request) any {
	in, _, bad := read(q)
	if bad != "" {
		return gone(bad)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.hooks, func(h *hook) bool { return h.id == id })
	switch {
	case i < 0:
		return gone("no_such_url")
	case r.now().After(r.hooks[i].until):
		return gone("expired_url")
	case r.hooks[i].used == hookUses:
		return gone("used_url")
	}
	h := r.hooks[i]
	c := r.channels[h.channel]
	source := c.find(h.ts)
	if in.Delete {
		h.used++
		c.messages = slices.DeleteFunc(c.messages, func(m *message) bool { return m == source })
		return "ok"
	}
	m, no := r.draft(in)
	if no != nil {
		return no
	}
	h.used++
	if in.Replace && source != nil {
		source.change(m, in)
		return "ok"
	}
	m.thread = c.root(in.Thread)
	if in.Response != "in_channel" {
		m.private = h.user
	}
	r.add(c, m)
	return "ok"
}
