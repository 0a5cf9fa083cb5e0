package eventbridge

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/function"
)

const (
	attempts   = 4                      // at each event
	firstPause = 100 * time.Millisecond // before the second; doubles
)

var _ function.Publisher = (*Bus)(nil)

// Bus publishes events on one EventBridge bus. It is safe for concurrent use and needs no closing.
type Bus struct {
	name    string
	timeout time.Duration
	wait    func(ctx context.Context, d time.Duration) error
	client  *sdk.Client
}

// Permissions returns every action that a bus can call, for the policy of the function that uses it.
func Permissions() []string { return []string{"events:PutEvents"} }

// Publish puts events on the bus. It returns nil when EventBridge has taken every one, else an *UnsentError that names those
// that are not known to be out; the others are. One event that cannot go out holds no other back.
func (b *Bus) Publish(ctx context.Context, out ...events.Event) error {
	var pending, unsent []item
	for _, e := range out {
		it, err := b.pack(e)
		if err != nil {
			it.err = err
			unsent = append(unsent, it)
			continue
		}
		pending = append(pending, it)
	}
	pause := firstPause
	for n := 1; len(pending) > 0; n++ {
		again, final := b.round(ctx, pending)
		unsent, pending = append(unsent, final...), again
		if len(pending) == 0 || n == attempts || b.wait(ctx, pause) != nil {
			break
		}
		pause *= 2
	}
	return b.unsent(append(unsent, pending...), len(out))
}

// round sends every item once, and returns those that are not out: to be sent again, and those for which that is no use.
func (b *Bus) round(ctx context.Context, items []item) (again, final []item) {
	for _, batch := range batches(items) {
		for i, err := range b.put(ctx, batch) {
			it := batch[i]
			it.err = err
			switch {
			case err == nil:
			case temporary(err):
				again = append(again, it)
			default:
				final = append(final, it)
			}
		}
	}
	return again, final
}

// put makes one call, and returns an error or nil for each item.
func (b *Bus) put(ctx context.Context, batch []item) []error {
	errs := make([]error, len(batch))
	results, err := b.call(ctx, batch)
	for i := range batch {
		switch {
		case err != nil:
			errs[i] = err
		case i >= len(results):
			errs[i] = errNoResult
		case aws.ToString(results[i].ErrorCode) != "":
			errs[i] = &EntryError{Code: *results[i].ErrorCode, Message: aws.ToString(results[i].ErrorMessage)}
		case aws.ToString(results[i].EventId) == "":
			errs[i] = errNoResult
		}
	}
	return errs
}

func (b *Bus) call(ctx context.Context, batch []item) ([]types.PutEventsResultEntry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	in := &sdk.PutEventsInput{Entries: make([]types.PutEventsRequestEntry, len(batch))}
	for i, it := range batch {
		in.Entries[i] = it.entry
	}
	out, err := b.client.PutEvents(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(out.Entries) > len(batch) {
		return nil, errors.New("the reply is about more entries than were sent")
	}
	return out.Entries, nil
}
