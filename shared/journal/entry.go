package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// Version is the format version of what this package writes.
	Version = 1
	// MaxEntry is the most bytes that one stored entry may have.
	MaxEntry = 1 << 20
)

// Entry is one immutable revision of a drill: its whole state after one change, and the facts that the change puts
// into the world. Append fills V, At, Mode, Nonce and PrevSHA256.
type Entry struct {
	V          int               `json:"v"`
	Rev        int               `json:"rev"`    // 1 and up, without a gap
	At         time.Time         `json:"at"`     // never earlier than the entry before; order is by Rev, not by At
	Mode       string            `json:"mode"`   // SANDBOX or LIVE
	Cause      string            `json:"cause"`  // id of the event that caused the change
	Nonce      string            `json:"nonce"`  // fresh for each attempt to append
	Actor      string            `json:"actor"`  // platform:tenant/user, schedule:<plan> or alarm:<source>/<name>
	Change     string            `json:"change"` // what happened, in a few words
	Drill      json.RawMessage   `json:"drill"`  // the state
	Outbox     []json.RawMessage `json:"outbox"` // structured CloudEvents, in the order in which they are published
	PrevSHA256 string            `json:"prev_sha256"`

	SHA256 string `json:"-"` // hex sum of this entry's stored bytes, set on everything that was read or appended
}

// DecodeEntry reads one stored entry.
func DecodeEntry(data []byte) (Entry, error) {
	if len(data) > MaxEntry {
		return Entry{}, fmt.Errorf("entry has %d bytes, at most %d are allowed", len(data), MaxEntry)
	}
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return Entry{}, fmt.Errorf("entry is not readable: %w", err)
	}
	switch {
	case e.V != Version:
		return Entry{}, fmt.Errorf("entry has format version %d, this program reads %d", e.V, Version)
	case e.Rev < 1 || int64(e.Rev) > maxInvert:
		return Entry{}, fmt.Errorf("entry has rev %d", e.Rev)
	case e.At.IsZero():
		return Entry{}, errors.New("entry has no time")
	case e.Nonce == "":
		return Entry{}, errors.New("entry has no nonce")
	}
	e.SHA256 = sum(data)
	return e, nil
}

// Append writes the next entry of a drill. e.Rev must be the head's rev plus one, or 1 for a new drill. It returns the
// entry as every later reader sees it. ErrConflict means that the rev is taken by somebody else, or does not follow
// what is there. Any other error means that the entry is not known to be written: read the head before acting.
func (j *Journal) Append(ctx context.Context, drill string, e Entry) (Entry, error) {
	out, err := j.append(ctx, drill, e)
	if err != nil {
		return Entry{}, fmt.Errorf("append rev %d of drill %s: %w", e.Rev, drill, err)
	}
	return out, nil
}

func (j *Journal) append(ctx context.Context, drill string, e Entry) (Entry, error) {
	if err := CheckID(drill); err != nil {
		return Entry{}, err
	}
	if e.Rev < 1 || int64(e.Rev) > maxInvert {
		return Entry{}, errors.New("revs begin at 1")
	}
	var prev Entry
	if e.Rev > 1 {
		var err error
		prev, err = j.entry(ctx, drill, e.Rev-1)
		if errors.Is(err, ErrNotFound) {
			return Entry{}, fmt.Errorf("%w: rev %d is not there", ErrConflict, e.Rev-1)
		}
		if err != nil {
			return Entry{}, fmt.Errorf("read the entry before: %w", err)
		}
	}
	e.V, e.Mode, e.Nonce, e.PrevSHA256 = Version, j.mode, j.nonce(), prev.SHA256
	e.At = j.time()
	if e.At.Before(prev.At) {
		e.At = prev.At
	}
	data, err := encode(e)
	if err != nil {
		return Entry{}, fmt.Errorf("encode: %w", err)
	}
	out, err := DecodeEntry(data) // also refuses what no reader would take
	if err != nil {
		return Entry{}, err
	}
	return out, j.create(ctx, sequenceKey(entryPrefix(drill), e.Rev), data)
}

// Head returns the newest entry of a drill, or ErrNotFound when the drill has none, or can have none because of its id. It costs one list and two gets,
// however long the drill's history is.
func (j *Journal) Head(ctx context.Context, drill string) (Entry, error) {
	if err := CheckID(drill); err != nil {
		return Entry{}, fmt.Errorf("read head: %w: %w", ErrNotFound, err)
	}
	rev, data, err := j.last(ctx, entryPrefix(drill))
	if err != nil {
		return Entry{}, fmt.Errorf("read head of drill %s: %w", drill, err)
	}
	e, err := decodeAt(data, rev)
	if err != nil {
		return Entry{}, fmt.Errorf("read head of drill %s: %w", drill, err)
	}
	return e, nil
}

// HeadAfter returns the newest entry at or after a known one. It costs one get per newer entry and one more: cheaper
// than Head after a conflict, and it asks for no list.
func (j *Journal) HeadAfter(ctx context.Context, drill string, known Entry) (Entry, error) {
	if err := CheckID(drill); err != nil {
		return Entry{}, fmt.Errorf("read head: %w: %w", ErrNotFound, err)
	}
	rev, data, err := j.forward(ctx, entryPrefix(drill), known.Rev, nil)
	if err != nil {
		return Entry{}, fmt.Errorf("read head of drill %s after rev %d: %w", drill, known.Rev, err)
	}
	if rev == known.Rev {
		return known, nil
	}
	e, err := decodeAt(data, rev)
	if err != nil {
		return Entry{}, fmt.Errorf("read head of drill %s: %w", drill, err)
	}
	return e, nil
}

// Entry returns one entry of a drill, or ErrNotFound.
func (j *Journal) Entry(ctx context.Context, drill string, rev int) (Entry, error) {
	if err := CheckID(drill); err != nil {
		return Entry{}, fmt.Errorf("read entry: %w: %w", ErrNotFound, err)
	}
	e, err := j.entry(ctx, drill, rev)
	if err != nil {
		return Entry{}, fmt.Errorf("read rev %d of drill %s: %w", rev, drill, err)
	}
	return e, nil
}

func (j *Journal) entry(ctx context.Context, drill string, rev int) (Entry, error) {
	if rev < 1 || int64(rev) > maxInvert {
		return Entry{}, ErrNotFound
	}
	data, err := j.store.Get(ctx, sequenceKey(entryPrefix(drill), rev))
	if err != nil {
		return Entry{}, err
	}
	return decodeAt(data, rev)
}

// Entries returns every entry of a drill, oldest first, or ErrNotFound when it has none. It does not check the chain:
// see Verify.
func (j *Journal) Entries(ctx context.Context, drill string) ([]Entry, error) {
	replies, err := j.replies(ctx, drill)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(replies))
	for i, r := range replies {
		if r.err == nil {
			entries[i], r.err = decodeAt(r.data, i+1)
		}
		if errors.Is(r.err, ErrNotFound) {
			r.err = errors.New("it is missing, though later ones are there") // not ErrNotFound: the drill exists
		}
		if r.err != nil {
			return nil, fmt.Errorf("read rev %d of drill %s: %w", i+1, drill, r.err)
		}
	}
	return entries, nil
}

// Drills lists every drill that has an entry, by id, whatever the index says. It costs a list for each.
func (j *Journal) Drills(ctx context.Context) ([]string, error) {
	var ids []string
	for after := ""; ; {
		keys, err := j.store.List(ctx, drillPrefix, after, 1)
		if err != nil {
			return nil, fmt.Errorf("list drills: %w", err)
		}
		if len(keys) == 0 {
			return ids, nil
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(keys[0], drillPrefix), "/")
		if CheckID(id) == nil {
			ids = append(ids, id)
		}
		after = drillPrefix + id + "/~" // behind every key of this one
	}
}

// replies reads the bytes of revs 1 to head.
func (j *Journal) replies(ctx context.Context, drill string) ([]reply, error) {
	if err := CheckID(drill); err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	head, data, err := j.last(ctx, entryPrefix(drill))
	if err != nil {
		return nil, fmt.Errorf("read entries of drill %s: %w", drill, err)
	}
	keys := make([]string, head-1)
	for i := range keys {
		keys[i] = sequenceKey(entryPrefix(drill), i+1)
	}
	return append(j.gets(ctx, keys), reply{data: data}), nil
}

func decodeAt(data []byte, rev int) (Entry, error) {
	e, err := DecodeEntry(data)
	if err != nil {
		return Entry{}, err
	}
	if e.Rev != rev {
		return Entry{}, fmt.Errorf("entry under rev %d holds rev %d", rev, e.Rev)
	}
	return e, nil
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
