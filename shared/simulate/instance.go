package simulate

import (
	"context"
	"errors"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/bundle"
)

// The errors that calls get from the scheduler.
var (
	errCrashed     = errors.New("the instance has died")
	errUnreachable = errors.New("connection refused")
	errLost        = errors.New("connection reset: the reply is lost")
)

// instance is one function at work on one delivered event.
type instance struct {
	n      int
	to     bundle.Function
	event  events.Event
	try    int // deliveries of this event to this function before this one
	ctx    context.Context
	cancel context.CancelFunc

	dead   bool      // it makes no call any more, and what it returns is thrown away
	frozen time.Time // it stands still until then
	calls  int       // parked so far
	wrote  bool      // it has appended an entry in status starting

	done  bool
	err   error
	panic string
}

type instanceKey struct{}

func instanceOf(ctx context.Context) *instance {
	i, _ := ctx.Value(instanceKey{}).(*instance)
	return i
}

// sort of a call: what may go wrong with it.
type sort int

const (
	storeRead sort = iota
	storeWrite
	vendorRead
	vendorWrite
	vendorStart // the one call that injects
	publish
)

// act is what becomes of a call.
type act int

const (
	pass         act = iota
	crashBefore      // the instance dies, nothing happened
	crashAfter       // the call takes effect, and the instance dies before it knows
	failBefore       // an error, nothing happened
	loseReply        // it takes effect, and an error comes back
	throttle         // the vendor says that there were too many calls
	innerBefore      // the vendor's 5xx, nothing happened
	innerAfter       // the vendor's 5xx, though it took effect
	stale            // a read answers what it answered a moment ago
	slow             // it takes effect after a while; the caller's deadline may be over by then
	slowReply        // it takes effect at once, and the reply comes after a while
	freezeBefore     // the instance stands still, then makes the call
	freezeAfter      // the call takes effect, then the instance stands still
)

var actNames = [...]string{"pass", "crash-before", "crash-after", "fail-before", "lose-reply", "throttle", "5xx-before", "5xx-after", "stale",
	"slow", "slow-reply", "freeze-before", "freeze-after"}

func (a act) String() string { return actNames[a] }

// fate is what the scheduler decides about one call.
type fate struct {
	act   act
	lasts time.Duration
}

// call is one call of an instance, parked at the scheduler.
type call struct {
	inst    *instance
	ctx     context.Context
	sort    sort
	op, key string
	n       int
	do      func(ctx context.Context, a act) error // a is pass, or one of the sandbox's own faults

	decided bool      // its fate is sealed: what it waits for is time
	fate    fate      //
	until   time.Time // it is held till then
	back    bool      // it has taken effect: the reply is on its way
	err     error     // what it returns at once
	resume  chan struct{}
}

// deadline is when the caller gives up, the zero time if never.
func (c *call) deadline() time.Time {
	at, ok := c.ctx.Deadline()
	if !ok {
		return time.Time{}
	}
	return at
}
