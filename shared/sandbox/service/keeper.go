package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Keeper is a service whose state outlives the process: what Save returns, Load takes up in a new service of the same
// kind, which then goes on as if nothing had happened. Runs and their timing, what was made at run time, idempotency
// tokens and the counters that ids come from are kept; signature nonces and events that wait to be pushed are not.
type Keeper interface {
	// Save returns the whole state. It plays nothing, and two calls with no change between them return the same bytes.
	Save() ([]byte, error)
	// Load replaces the whole state. An error says what is wrong with the data, and leaves the service as it was.
	Load(data []byte) error
}

// kept is what a saved state looks like from outside.
type kept struct {
	Service string          `json:"service"`
	Version int             `json:"version"`
	State   json.RawMessage `json:"state"`
}

// Pack writes a service's state with the service's name and the version of the state's form.
func Pack(name string, version int, state any) ([]byte, error) {
	raw, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("save the state of %s: %w", name, err)
	}
	return json.Marshal(kept{Service: name, Version: version, State: raw})
}

// Unpack reads into state what Pack wrote for the same name and version. A field that state does not know is an error:
// it would be lost at the next Save.
func Unpack(data []byte, name string, version int, state any) error {
	var k kept
	if err := decode(data, &k); err != nil {
		return fmt.Errorf("load the state of %s: %w", name, err)
	}
	switch {
	case k.Service != name:
		return fmt.Errorf("load the state of %s: it belongs to %q", name, k.Service)
	case k.Version != version:
		return fmt.Errorf("load the state of %s: it has version %d, want %d", name, k.Version, version)
	}
	if err := decode(k.State, state); err != nil {
		return fmt.Errorf("load the state of %s: %w", name, err)
	}
	return nil
}

func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}
