package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// Keep stores the state of services, so that a sandbox carries on after its process was killed.
type Keep interface {
	// Save replaces what is stored under the name, wholly or not at all, and durably once it returns.
	Save(name string, data []byte) error
	// Load returns what was saved; an error that is fs.ErrNotExist says that nothing was.
	Load(name string) ([]byte, error)
}

// The alarms are kept under a name and a version of their own.
const (
	keptAlarms        = "alarms"
	keptAlarmsVersion = 1
)

// keepEvery is how much real time lies between two looks of Tick for something to keep. What a tick plays follows from
// what was kept before; only the ids that it makes do not, and a call or a push that shows them keeps them first.
const keepEvery = time.Second

// kept is what the store is known to hold. It is safe for concurrent use.
type kept struct {
	store  Keep
	mu     sync.Mutex
	sums   map[string][sha256.Size]byte
	looked time.Time // when Tick last looked, in real time
}

// stored is what the store holds under a name.
type stored struct {
	At    time.Time       `json:"at"` // the sandbox's time when it was saved
	State json.RawMessage `json:"state"`
}

// Open assembles a sandbox that goes on from what Options.Keep holds, and keeps there what changes: a call is answered
// and an event pushed only once what it did is durable. A clock that is behind what was kept is moved on. Faults, the
// request log and what reads answered are not kept. If something stored cannot be read, nothing is overwritten.
func Open(o Options) (*Sandbox, error) {
	if o.Keep == nil {
		return New(o), nil
	}
	if o.ID == nil {
		return nil, errors.New("open sandbox: Options.Keep needs Options.ID, as the fixed sequence would give the same ids again")
	}
	s := New(o)
	var newest time.Time
	restore := func(name string, load func([]byte) error) error {
		at, err := s.restore(o.Keep, name, load)
		if at.After(newest) {
			newest = at
		}
		return err
	}
	errs := []error{restore(keptAlarms, s.alarms.load)}
	for _, v := range s.services {
		if k, ok := v.(service.Keeper); ok {
			errs = append(errs, restore(v.Name(), k.Load))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("open sandbox: %w", err)
	}
	if ahead := newest.Sub(s.now()); ahead > 0 && o.Clock != nil {
		o.Clock.Advance(ahead)
	}
	s.kept.store = o.Keep
	return s, nil
}

// restore loads one state and returns when it was saved; the zero time if there is none.
func (s *Sandbox) restore(from Keep, name string, load func([]byte) error) (time.Time, error) {
	data, err := from.Load(name)
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read what was kept of %s: %w", name, err)
	}
	var in stored
	if err := json.Unmarshal(data, &in); err != nil {
		return time.Time{}, fmt.Errorf("read what was kept of %s: %w", name, err)
	}
	if err := load(in.State); err != nil {
		return time.Time{}, fmt.Errorf("read what was kept of %s: %w", name, err)
	}
	s.kept.put(name, sha256.Sum256(in.State))
	return in.At, nil
}

// put must be called with mu held, or before anybody else has the sandbox.
func (k *kept) put(name string, sum [sha256.Size]byte) {
	if k.sums == nil {
		k.sums = map[string][sha256.Size]byte{}
	}
	k.sums[name] = sum
}

// keep stores a service's state if it changed. Once it returns nil, whatever the caller did before is durable.
func (s *Sandbox) keep(v service.Service) error {
	k, ok := v.(service.Keeper)
	if !ok || s.kept.store == nil {
		return nil
	}
	return s.store(v.Name(), k.Save)
}

func (s *Sandbox) keepAll() error {
	var errs []error
	for _, v := range s.services {
		errs = append(errs, s.keep(v))
	}
	return errors.Join(errs...)
}

func (s *Sandbox) keepAlarms() error {
	if s.kept.store == nil {
		return nil
	}
	return s.store(keptAlarms, func() ([]byte, error) {
		return service.Pack(keptAlarms, keptAlarmsVersion, s.alarms.list())
	})
}

// store saves under the lock: what is saved later is never older.
func (s *Sandbox) store(name string, save func() ([]byte, error)) error {
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	state, err := save()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(state)
	if old, ok := s.kept.sums[name]; ok && old == sum {
		return nil
	}
	data, err := json.Marshal(stored{At: s.now(), State: state})
	if err != nil {
		return fmt.Errorf("keep the state of %s: %w", name, err)
	}
	if err := s.kept.store.Save(name, data); err != nil {
		return fmt.Errorf("keep the state of %s: %w", name, err)
	}
	s.kept.put(name, sum)
	return nil
}

// keepSometimes is Tick's look for something to keep. What cannot be kept now is kept with the next call.
func (s *Sandbox) keepSometimes() {
	if s.kept.store == nil {
		return
	}
	now := s.opts.Real()
	s.kept.mu.Lock()
	due := now.Sub(s.kept.looked) >= keepEvery
	if due {
		s.kept.looked = now
	}
	s.kept.mu.Unlock()
	if due {
		_ = s.keepAll()
	}
}

// emitter returns what the n-th service pushes with: its state is kept before anybody learns of it.
func (s *Sandbox) emitter(n int) func(platform string, payload []byte) {
	return func(platform string, payload []byte) {
		if n < len(s.services) {
			_ = s.keep(s.services[n]) // a push is a hint: it says nothing that a later read would not
		}
		s.opts.Emit(platform, payload)
	}
}

// load takes up a list of alarms.
func (a *alarms) load(data []byte) error {
	var list []Alarm
	if err := service.Unpack(data, keptAlarms, keptAlarmsVersion, &list); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, v := range list {
		a.byName[v.Name] = v
	}
	return nil
}
