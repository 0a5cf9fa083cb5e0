package chatops

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// Publisher puts commands on the bus. Publishing again is harmless: ids stay the same.
type Publisher interface {
	Publish(ctx context.Context, out ...events.Event) error
}

// Reader finds plans and drills. A stop of a drill whose whole id is given and a stop of all never use it, and a halt uses Plans alone.
type Reader interface {
	// Plans returns every plan of the catalogue in the order in which they are shown. It makes no call to anybody.
	Plans(ctx context.Context) ([]Plan, error)
	// Active returns the ids of the drills that are active.
	Active(ctx context.Context) ([]string, error)
	// Newest returns the ids that begin with prefix among those of the newest drills, active or over, newest first. Letters are lower case.
	Newest(ctx context.Context, prefix string) ([]string, error)
	// Drill returns the drill with this whole id, or an error that wraps journal.ErrNotFound.
	Drill(ctx context.Context, id string) (*drill.Drill, error)
	// Halted returns the scopes that are halted.
	Halted(ctx context.Context) ([]string, error)
	// Report returns the page of a drill that is concluded, or an error that wraps journal.ErrNotFound.
	Report(ctx context.Context, id string) ([]byte, error)
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

// Memory is what chat keeps beside the drills.
type Memory interface {
	// ThreadDrill returns the drill that a thread is about, "" for none.
	ThreadDrill(ctx context.Context, place, thread string) (string, error)
	// Pressed returns the id of the press in which an actor used a button's token, "" for none; Press records it.
	Pressed(ctx context.Context, token, actor string) (string, error)
	Press(ctx context.Context, token, actor, by string) error
	// Deny records a command that somebody had no right to give.
	Deny(ctx context.Context, d journal.Denial) error
}

var _ Memory = (*journal.Journal)(nil)

// Function takes commands. All fields but Keys, Wall, Link, Lang and DrillID are required.
type Function struct {
	Receivers map[chat.Platform]chat.Receiver // the platforms that are set up
	Access    func() access.Policy
	Publisher Publisher
	Reader    Reader
	Inputs    Inputs
	Memory    Memory
	Keys      token.Keys       // of buttons and links; without any, no button works and no report is shown
	Now       func() time.Time // the clock of drills
	// Wall is the clock that signatures are checked against; nil means Now. The two differ where a sandbox runs faster than the world.
	Wall   func() time.Time
	Source string // /firedrill/<deployment>/chatops
	Mode   string // SANDBOX or LIVE
	// Link returns the page of a drill; nil for none.
	Link func(drill string) string
	// Lang returns the language of a conversation, en or zh; nil means English everywhere.
	Lang func(address string) string
	// DrillID returns the id of the drill that a start command leads to; nil when it is not known here.
	DrillID func(start events.Event) string
	Log     *slog.Logger
}

// Expiry is how long after it was typed a start, an answer to a gate or an approval is still carried out.
const Expiry = drill.RequestExpiry

// Handler returns the HTTP side: /chat/<platform>, and GET /r/<drill> for reports.
func (f *Function) Handler() http.Handler {
	d := &door{f: f, seen: newSeen(), wall: f.Wall}
	if d.wall == nil {
		d.wall = f.Now
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/chat/{platform}", d.serve)
	mux.HandleFunc("GET /r/{drill}", f.report)
	return mux
}
