package eventbridge

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/firedrill/firedrill/events"
)

// Source is the source of every entry; the event's own stands in the detail. Rules match on it, and a policy can hold who may
// put it on a bus (condition key events:source).
const Source = "firedrill"

const (
	maxEntries = 10        // of one call
	maxBatch   = 256 << 10 // bytes of one call, as EventBridge counts them; some regions and emulators take no more
	maxType    = 128       // bytes of a detail-type
	timeSize   = 14        // what a time counts for
)

// item is one event on its way out.
type item struct {
	id, kind string
	entry    types.PutEventsRequestEntry
	size     int
	err      error // why it is not out yet
}

// pack makes an entry of an event. An error wraps events.ErrInvalid: sending it again cannot help.
func (b *Bus) pack(e events.Event) (item, error) {
	it := item{id: e.ID(), kind: e.Type()}
	if err := e.Validate(); err != nil {
		return it, fmt.Errorf("%w: %w", events.ErrInvalid, err)
	}
	if len(it.kind) > maxType {
		return it, fmt.Errorf("%w: its type has %d bytes, at most %d are allowed", events.ErrInvalid, len(it.kind), maxType)
	}
	detail, err := e.MarshalJSON()
	if err != nil {
		return it, fmt.Errorf("%w: encode: %w", events.ErrInvalid, err)
	}
	if len(detail) > events.MaxBytes {
		return it, fmt.Errorf("%w: it has %d bytes, at most %d are allowed", events.ErrInvalid, len(detail), events.MaxBytes)
	}
	it.entry = types.PutEventsRequestEntry{
		EventBusName: &b.name, Source: aws.String(Source), DetailType: &it.kind, Detail: aws.String(string(detail)),
	}
	it.size = len(Source) + len(it.kind) + len(detail)
	if at := e.Time(); !at.IsZero() {
		it.entry.Time = &at
		it.size += timeSize
	}
	return it, nil
}

// batches cuts items into calls, in their order.
func batches(items []item) [][]item {
	var out [][]item
	from, size := 0, 0
	for i, it := range items {
		if i > from && (i-from == maxEntries || size+it.size >= maxBatch) {
			out = append(out, items[from:i])
			from, size = i, 0
		}
		size += it.size
	}
	if from < len(items) {
		out = append(out, items[from:])
	}
	return out
}
