package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/drill"
)

// Catalog is a catalogue that was read. It does not change, and what its methods return must not be changed either.
type Catalog struct {
	plans    map[string]drill.Plan
	readable map[string]drill.Plan
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
func (c *Catalog) Plans() []drill.Plan { return byName(c.plans) }

// Readable returns every plan whose account and block could be read, sorted by name, whatever else is wrong in the catalogue: to ask drivers
// about the blocks, never to run.
func (c *Catalog) Readable() []drill.Plan { return byName(c.readable) }

func byName(plans map[string]drill.Plan) []drill.Plan {
	out := make([]drill.Plan, 0, len(plans))
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		out = append(out, plans[name])
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

// LangOf returns the language that a conversation is held in: that of the channel with this address, or the one that all channels of the
// same platform and tenant have in common, as for somebody who writes to the bot alone. "" where the catalogue does not tell.
func (c *Catalog) LangOf(address string) string {
	tenant, _, _ := strings.Cut(address, "/")
	langs := map[string]bool{}
	for _, ch := range c.Channels() {
		if ch.To == address {
			return ch.Lang
		}
		if strings.HasPrefix(ch.To, tenant+"/") {
			langs[ch.Lang] = true
		}
	}
	if len(langs) != 1 {
		return ""
	}
	return slices.Collect(maps.Keys(langs))[0]
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
