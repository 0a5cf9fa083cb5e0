package chatops

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/drill"
)

// Publisher puts commands on the bus. Publishing again is harmless: ids stay the same.
type Publisher interface {
	Publish(ctx context.Context, out ...events.Event) error
}

// Reader finds plans and drills. A stop of a drill whose whole id is given, a stop of all, and a halt never use it.
type Reader interface {
	// Plans returns every plan of the catalogue in the order in which they are shown.
	Plans(ctx context.Context) ([]Plan, error)
	// Drills returns the drills whose id begins with prefix, newest first; with "" all that are active. Letters are lower case.
	Drills(ctx context.Context, prefix string) ([]*drill.Drill, error)
}

// Plan is a plan, and when the schedule starts it next.
type Plan struct {
	drill.Plan
	Next time.Time // zero: never
}

// Inputs appends what must not wait for the bus to the journals themselves. An error that wraps drill.ErrAnswered or
// drill.ErrForbidden is an answer for the person; any other means that it is not known to be recorded.
type Inputs interface {
	Stop(ctx context.Context, p events.Stop) error // p.Drill is an id or "all"
	Halt(ctx context.Context, p events.Halt) error
	Approve(ctx context.Context, p events.Approve) error
}

// Function takes commands. All fields but Tenants, Wall, Link and DrillID are required.
type Function struct {
	Publisher Publisher
	Reader    Reader
	Inputs    Inputs
	Secrets   []webhook.Secret // any of them may have signed
	Tenants   []string         // those that may send; none: any that holds a secret
	Now       func() time.Time // the clock of drills
	// Wall is the clock that signatures are checked against; nil means Now. The two differ where a sandbox runs faster than the world.
	Wall   func() time.Time
	Source string // /firedrill/<deployment>/chatops
	Mode   string // SANDBOX or LIVE
	// Link returns the page of a drill; nil for none.
	Link func(drill string) string
	// DrillID returns the id of the drill that a start command leads to; nil when it is not known here.
	DrillID func(start events.Event) string
	Log     *slog.Logger
}

// Expiry is how long after it was typed a start, an answer to a gate or an approval is still carried out.
const Expiry = drill.RequestExpiry

// Handler returns the HTTP side: POST /chat/webhook.
func (f *Function) Handler() http.Handler {
	h := &hook{f: f, seen: newSeen(), wall: f.Wall}
	if h.wall == nil {
		h.wall = f.Now
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/chat/webhook", h.serve)
	return mux
}
