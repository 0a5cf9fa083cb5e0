package events

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cloudevents/sdk-go/v2/event"
)

// Event is a CloudEvent 1.0, the only thing that crosses a function's boundary.
type Event = event.Event

// Payload is the data of one event type.
type Payload interface {
	EventType() string
	Validate() error
}

// Envelope is what New needs besides the payload.
type Envelope struct {
	ID          string
	Source      string // /firedrill/<deployment>/<function>
	Subject     string
	Time        time.Time
	Cause       string // id of the causing event
	Sequence    int    // journal rev, on facts; 0 for none
	Traceparent string // W3C trace context, "" for none
}

// maxText bounds free text in payloads, in bytes.
const maxText = 4096

// MaxBytes is the largest event that is read or published.
const MaxBytes = 64 << 10

// ErrInvalid marks an event that no retry can mend.
var ErrInvalid = errors.New("invalid event")

// Final reports whether no retry can mend an error. One that joins others is final only if each of them is: errors.Is would find ErrInvalid in
// one of them, and what the rest wants to have again would be lost.
func Final(err error) bool {
	switch x := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() error }:
		return Final(x.Unwrap())
	case interface{ Unwrap() []error }:
		all := x.Unwrap()
		if slices.Contains(all, ErrInvalid) {
			return true // marked with it; the others say why
		}
		return len(all) > 0 && !slices.ContainsFunc(all, func(one error) bool { return !Final(one) })
	}
	return err == ErrInvalid
}

// New makes an event; a payload that does not validate, or an event above MaxBytes, is an error that wraps ErrInvalid.
func New(env Envelope, p Payload) (Event, error) {
	if err := p.Validate(); err != nil {
		return Event{}, fmt.Errorf("%w: %s: %w", ErrInvalid, p.EventType(), err)
	}
	e := event.New()
	e.SetID(env.ID)
	e.SetType(p.EventType())
	e.SetSource(env.Source)
	if env.Subject != "" {
		e.SetSubject(env.Subject)
	}
	e.SetTime(env.Time)
	if env.Cause != "" {
		e.SetExtension("cause", env.Cause)
	}
	if env.Sequence > 0 {
		e.SetExtension("sequence", strconv.Itoa(env.Sequence))
	}
	if env.Traceparent != "" {
		e.SetExtension("traceparent", env.Traceparent)
	}
	if err := e.SetData(event.ApplicationJSON, p); err != nil {
		return Event{}, fmt.Errorf("encode %s: %w", p.EventType(), err)
	}
	if err := e.Validate(); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := fits(e); err != nil {
		return Event{}, err
	}
	return e, nil
}

// fits reports whether the structured form of the event stays within MaxBytes.
func fits(e Event) error {
	b, err := e.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encode %s: %w", e.Type(), err)
	}
	if len(b) > MaxBytes {
		return fmt.Errorf("%w: %s: %d bytes, the limit is %d", ErrInvalid, e.Type(), len(b), MaxBytes)
	}
	return nil
}

// Decode reads an event's payload and validates it. An event of another type, above MaxBytes, with a key that stands
// twice, with invalid UTF-8, or one that does not validate, is an error that wraps ErrInvalid.
func Decode[T Payload](e Event) (T, error) {
	var p T
	if e.Type() != p.EventType() {
		return p, fmt.Errorf("%w: type %q, want %q", ErrInvalid, e.Type(), p.EventType())
	}
	if n := len(e.Data()); n > MaxBytes {
		return p, fmt.Errorf("%w: %s: %d bytes, the limit is %d", ErrInvalid, e.Type(), n, MaxBytes)
	}
	if err := strict(e.Data()); err != nil {
		return p, fmt.Errorf("%w: %s: %w", ErrInvalid, e.Type(), err)
	}
	if err := json.Unmarshal(e.Data(), &p); err != nil {
		return p, fmt.Errorf("%w: %s: %w", ErrInvalid, e.Type(), err)
	}
	if err := p.Validate(); err != nil {
		return p, fmt.Errorf("%w: %s: %w", ErrInvalid, e.Type(), err)
	}
	return p, nil
}

// Parse reads one structured CloudEvent 1.0 and checks its size, its JSON and its envelope; every error wraps ErrInvalid.
// It does not look at the type: Decode does.
func Parse(b []byte) (Event, error) {
	var e Event
	if len(b) > MaxBytes {
		return e, fmt.Errorf("%w: %d bytes, the limit is %d", ErrInvalid, len(b), MaxBytes)
	}
	if err := strict(b); err != nil {
		return e, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := e.UnmarshalJSON(b); err != nil {
		return e, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if v := e.SpecVersion(); v != event.CloudEventsVersionV1 {
		return e, fmt.Errorf("%w: specversion %q, want %q", ErrInvalid, v, event.CloudEventsVersionV1)
	}
	if err := e.Validate(); err != nil {
		return e, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return e, nil
}

// Sequence returns the journal rev that a fact carries, 0 if none. Some platforms turn the string into a number on
// the way; both are read.
func Sequence(e Event) int {
	switch v := e.Extensions()["sequence"].(type) {
	case int32:
		return max(0, int(v))
	case string:
		n, err := strconv.Atoi(v)
		if err != nil {
			return 0
		}
		return max(0, n)
	}
	return 0
}

// Cause returns the id of the causing event, "" if none.
func Cause(e Event) string {
	s, _ := e.Extensions()["cause"].(string)
	return s
}

// Traceparent returns the W3C trace context that the event carries, "" if none.
func Traceparent(e Event) string {
	s, _ := e.Extensions()["traceparent"].(string)
	return s
}

// ID derives an id of 65 bits from parts: 13 letters and digits, the same for the same parts. Parts are length-prefixed,
// so ("ab","c") and ("a","bc") differ.
func ID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)))[:13]
}

// FactID derives a fact's id from its drill, the rev of its entry and its place in the entry's outbox.
func FactID(drill string, rev, n int) string {
	return ID("fact", drill, strconv.Itoa(rev), strconv.Itoa(n))
}

func check(errs ...error) error { return errors.Join(errs...) }

func need(field, v string) error {
	if strings.TrimSpace(v) == "" {
		return fmt.Errorf("%s: missing", field)
	}
	return nil
}

func needAny(field string, n int) error {
	if n == 0 {
		return fmt.Errorf("%s: missing", field)
	}
	return nil
}

func needTime(field string, t time.Time) error {
	if t.IsZero() {
		return fmt.Errorf("%s: missing; write an RFC 3339 time", field)
	}
	return nil
}

func oneOf(field, v string, allowed ...string) error {
	for _, a := range allowed {
		if v == a {
			return nil
		}
	}
	return fmt.Errorf("%s: %q is none of %s", field, v, strings.Join(allowed, ", "))
}

func short(field, v string) error {
	if len(v) > maxText {
		return fmt.Errorf("%s: %d bytes, the limit is %d", field, len(v), maxText)
	}
	if !utf8.ValidString(v) {
		return fmt.Errorf("%s: not valid UTF-8", field)
	}
	return nil
}

// Check validates an event of any known type, payload included; an unknown type is an error that names it.
func Check(e Event) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	known := checks()[e.Type()]
	if known == nil {
		return fmt.Errorf("%w: type %q is not known", ErrInvalid, e.Type())
	}
	return known(e)
}

func checks() map[string]func(Event) error {
	return map[string]func(Event) error{
		TypeReply: checked[Reply], TypeAnnounced: checked[Announced],
		TypeTick: checked[Tick], TypeAlarm: checked[Alarm], TypeState: checked[State],
		TypeStart: checked[Start], TypeApprove: checked[Approve], TypeReject: checked[Reject], TypeAdvance: checked[Advance],
		TypeStop: checked[Stop], TypeHalt: checked[Halt], TypeRelease: checked[Release], TypeNote: checked[Note],
		TypeAnswer: checked[Answer], TypeConclude: checked[Conclude],
		TypeRefused: checked[Refused], TypeRequested: checked[Requested], TypeWaiting: checked[Waiting], TypeApproved: checked[Approved],
		TypeStarted: checked[Started], TypeProgressed: checked[Progressed], TypeStopping: checked[Stopping], TypeStopped: checked[Stopped],
		TypeCompleted: checked[Completed], TypeFailed: checked[Failed], TypeRestored: checked[Restored], TypeConcluded: checked[Concluded],
		TypeAmended: checked[Amended], TypeAttached: checked[Attached],
	}
}

func checked[T Payload](e Event) error {
	_, err := Decode[T](e)
	return err
}
