package events

import "time"

// Tick comes once a minute from the deployment's one timer (signal.tick). At is the slot it stands for.
type Tick struct {
	At time.Time `json:"at"`
}

// Alarm says that a monitor's alarm fires or has resolved (signal.alarm). Subject: the alarm's name.
type Alarm struct {
	Source string            `json:"source"` // cloudwatch, alertmanager, cloudmonitor, tcop, local, …
	Name   string            `json:"name"`
	ID     string            `json:"id,omitempty"` // the occurrence's own id at its source
	State  string            `json:"state"`        // firing, resolved
	Labels map[string]string `json:"labels,omitempty"`
	Reason string            `json:"reason,omitempty"`
	At     time.Time         `json:"at"`
}

// State says that a service's run changed (signal.state). It is a hint: the run is read before anything is believed.
type State struct {
	Service string    `json:"service"`
	Run     string    `json:"run"`
	Status  string    `json:"status,omitempty"` // the vendor's word
	At      time.Time `json:"at,omitzero"`
}

// EventType returns the type that the payload travels under.
func (Tick) EventType() string  { return TypeTick }
func (Alarm) EventType() string { return TypeAlarm }
func (State) EventType() string { return TypeState }

// Validate reports every missing or wrong field.
func (p Tick) Validate() error { return check(needTime("at", p.At)) }

// Validate reports every missing or wrong field.
func (p Alarm) Validate() error {
	return check(need("source", p.Source), need("name", p.Name), short("name", p.Name), oneOf("state", p.State, "firing", "resolved"), needTime("at", p.At), short("reason", p.Reason))
}

// Validate reports every missing or wrong field.
func (p State) Validate() error {
	return check(oneOf("service", p.Service, "fis", "ahas", "oos", "cfg"), need("run", p.Run))
}
