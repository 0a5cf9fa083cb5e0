package catalog

import (
	"maps"
	"slices"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/drill"
)

// Catalog is a catalogue that was read. It does not change, and what its methods return must not be changed either.
type Catalog struct {
	plans    map[string]drill.Plan
	accounts map[string]drill.Account
	channels map[string]drill.Channel
	freezes  []Freeze
	holidays []Holiday
	access   access.Policy
	hints    Problems
	later    map[string]any
	planned  map[string]map[string]any
	version  string
	files    []string
}

// Plan returns the plan of that name, resolved.
func (c *Catalog) Plan(name string) (drill.Plan, bool) {
	p, ok := c.plans[name]
	return p, ok
}

// Plans returns all plans, sorted by name.
func (c *Catalog) Plans() []drill.Plan {
	out := make([]drill.Plan, 0, len(c.plans))
	for _, name := range slices.Sorted(maps.Keys(c.plans)) {
		out = append(out, c.plans[name])
	}
	return out
}

// Suggest returns up to three names of plans that look like name, the most alike first.
func (c *Catalog) Suggest(name string) []string {
	return nearest(name, slices.Collect(maps.Keys(c.plans)))
}

// Version returns the SHA-256 of all files, in hex: it changes when any of them does.
func (c *Catalog) Version() string { return c.version }

// Files returns the files that were read, the first one first.
func (c *Catalog) Files() []string { return slices.Clone(c.files) }

// Accounts returns all accounts, sorted by name.
func (c *Catalog) Accounts() []drill.Account {
	out := make([]drill.Account, 0, len(c.accounts))
	for _, name := range slices.Sorted(maps.Keys(c.accounts)) {
		out = append(out, c.accounts[name])
	}
	return out
}

// Account returns the account of that name.
func (c *Catalog) Account(name string) (drill.Account, bool) {
	a, ok := c.accounts[name]
	return a, ok
}

// Channels returns all channels, sorted by name.
func (c *Catalog) Channels() []drill.Channel {
	out := make([]drill.Channel, 0, len(c.channels))
	for _, name := range slices.Sorted(maps.Keys(c.channels)) {
		out = append(out, c.channels[name])
	}
	return out
}

// LangOf returns the language of the channel with this address, "" for one that the catalogue does not have.
func (c *Catalog) LangOf(address string) string {
	for _, name := range slices.Sorted(maps.Keys(c.channels)) {
		if ch := c.channels[name]; ch.To == address {
			return ch.Lang
		}
	}
	return ""
}

// Freezes returns all freezes in the order of the files.
func (c *Catalog) Freezes() []Freeze { return slices.Clone(c.freezes) }

// Holidays returns all holidays in the order of the files.
func (c *Catalog) Holidays() []Holiday { return slices.Clone(c.holidays) }

// Access returns who may do what: roles, bindings and ceilings.
func (c *Catalog) Access() access.Policy { return c.access }

// Hints returns what is no mistake and yet seldom meant, in the order of files and lines. Of a catalogue with mistakes they may be beside
// the point.
func (c *Catalog) Hints() Problems { return slices.Clone(c.hints) }

// Kept returns a top-level field that is read and not acted upon: calendars or access.
func (c *Catalog) Kept(field string) any { return c.later[field] }

// KeptOf returns a field of a plan that is read and not acted upon: brake, calendars, holidays or schedule.calendars.
func (c *Catalog) KeptOf(plan, field string) any { return c.planned[plan][field] }
