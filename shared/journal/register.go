package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// RegisterItem is the head of one register.
type RegisterItem struct {
	Name  string
	Rev   int // 0 when the register was never set
	Value []byte
	At    time.Time
}

// registered is how a register's rev is stored.
type registered struct {
	V     int       `json:"v"`
	Name  string    `json:"name"`
	Rev   int       `json:"rev"`
	At    time.Time `json:"at"`
	Nonce string    `json:"nonce"`
	Value string    `json:"value"`
}

// Register returns the value of a register and its rev; rev 0 and no value when it was never set. A lever or a lock
// that cannot be read is an error, never "not set".
func (j *Journal) Register(ctx context.Context, name string) ([]byte, int, error) {
	segment, err := escape("register name", name)
	if err != nil {
		return nil, 0, fmt.Errorf("read register: %w", err)
	}
	rev, data, err := j.last(ctx, registerPrefix+segment+"/")
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read register %s: %w", name, err)
	}
	item, err := decodeRegister(name, rev, data)
	return item.Value, item.Rev, err
}

// Set writes a register's next value, which must be UTF-8, over the rev that the caller has read (0 for a new one).
// ErrConflict means that somebody else set it since: read it again. Any other error means that the value is not known
// to be set.
func (j *Journal) Set(ctx context.Context, name string, rev int, value []byte) error {
	err := j.set(ctx, name, rev, value)
	if err != nil {
		return fmt.Errorf("set register %s after rev %d: %w", name, rev, err)
	}
	return nil
}

func (j *Journal) set(ctx context.Context, name string, rev int, value []byte) error {
	segment, err := escape("register name", name)
	if err != nil {
		return err
	}
	switch {
	case rev < 0 || int64(rev) >= maxInvert:
		return fmt.Errorf("rev %d is out of range", rev)
	case len(value) > MaxEntry:
		return fmt.Errorf("value has %d bytes, at most %d are allowed", len(value), MaxEntry)
	case !utf8.Valid(value):
		return errors.New("value is not UTF-8")
	}
	prefix := registerPrefix + segment + "/"
	if rev > 0 {
		_, err := j.store.Get(ctx, sequenceKey(prefix, rev))
		if errors.Is(err, ErrNotFound) {
			return fmt.Errorf("%w: rev %d is not there", ErrConflict, rev)
		}
		if err != nil {
			return err
		}
	}
	data, err := encode(registered{V: Version, Name: name, Rev: rev + 1, At: j.time(), Nonce: j.nonce(), Value: string(value)})
	if err != nil {
		return err
	}
	return j.create(ctx, sequenceKey(prefix, rev+1), data)
}

// Registers returns the heads of all registers whose name begins with prefix, in the order of the names. It costs one
// list for each, however often each was set.
func (j *Journal) Registers(ctx context.Context, prefix string) ([]RegisterItem, error) {
	return j.registersUpTo(ctx, prefix, math.MaxInt)
}

// registersUpTo returns the first registers with the prefix, in the order of their keys.
func (j *Journal) registersUpTo(ctx context.Context, prefix string, limit int) ([]RegisterItem, error) {
	var items []RegisterItem
	root := registerPrefix + escapePrefix(prefix)
	after := registerPrefix
	for {
		keys, err := j.store.List(ctx, root, after, 1)
		if err != nil {
			return nil, fmt.Errorf("list registers %s: %w", prefix, err)
		}
		if len(keys) == 0 || len(items) >= limit {
			slices.SortFunc(items, func(a, b RegisterItem) int { return strings.Compare(a.Name, b.Name) })
			return items, nil
		}
		segment, tail, _ := strings.Cut(strings.TrimPrefix(keys[0], registerPrefix), "/")
		rev, ok := revert(tail)
		name, err := unescape(segment)
		if !ok || err != nil {
			after = keys[0] // not ours
			continue
		}
		after = registerPrefix + segment + "/" + pastDigits
		item, err := j.registerFrom(ctx, name, segment, int(rev))
		if err != nil {
			return nil, fmt.Errorf("read register %s: %w", name, err)
		}
		items = append(items, item)
	}
}

func (j *Journal) registerFrom(ctx context.Context, name, segment string, rev int) (RegisterItem, error) {
	prefix := registerPrefix + segment + "/"
	data, err := j.store.Get(ctx, sequenceKey(prefix, rev))
	if errors.Is(err, ErrNotFound) {
		return RegisterItem{}, fmt.Errorf("rev %d is listed but not there", rev)
	}
	if err != nil {
		return RegisterItem{}, err
	}
	rev, data, err = j.forward(ctx, prefix, rev, data)
	if err != nil {
		return RegisterItem{}, err
	}
	return decodeRegister(name, rev, data)
}

func decodeRegister(name string, rev int, data []byte) (RegisterItem, error) {
	var r registered
	if err := json.Unmarshal(data, &r); err != nil {
		return RegisterItem{}, fmt.Errorf("rev %d of register %s is damaged: %w", rev, name, err)
	}
	if r.V != Version || r.Rev != rev || r.Name != name {
		return RegisterItem{}, fmt.Errorf("rev %d of register %s is damaged: it holds version %d, rev %d of %q", rev, name, r.V, r.Rev, r.Name)
	}
	return RegisterItem{Name: name, Rev: rev, Value: []byte(r.Value), At: r.At}, nil
}
