// Package access says who may do what. A person is known as platform:tenant/user and by nothing else; whoever is not bound to a
// role may do nothing, with one exception that is no question of roles: any member of a tenant that the deployment knows may
// stop a drill, at once.
//
// Roles are viewer < operator < approver < admin, each may do what the ones before it may, and a catalogue can add roles of its own that
// name their verbs. A binding gives a role to somebody, everywhere or in some environments. A ceiling is the highest role that words
// from a platform carry by themselves: for platforms whose signature does not cover what was said.
package access

import (
	"fmt"
	"slices"
	"strings"
)

// Role is how much somebody may do.
type Role int

// The roles.
const (
	Nobody Role = iota
	Viewer
	Operator
	Approver
	Admin
)

// names are the roles in the order of their rank.
func names() []string { return []string{"nobody", "viewer", "operator", "approver", "admin"} }

// String returns the role as it is written in a catalogue.
func (r Role) String() string {
	if r < Nobody || r > Admin {
		return "nobody"
	}
	return names()[r]
}

// Roles lists what a catalogue may write.
func Roles() []string { return names()[1:] }

// RoleOf returns the role of that name; ok is false for any other word.
func RoleOf(name string) (r Role, ok bool) {
	i := slices.Index(names(), name)
	return Role(max(i, 0)), i > 0
}

// Everywhere stands for all environments at once: what holds there needs a binding that names none.
const Everywhere = "*"

// Everybody stands for every member of a tenant, and in place of a tenant for every tenant of a platform.
const Everybody = "*"

// Binding gives a role to somebody.
type Binding struct {
	Role         string   // one of Roles, or of the catalogue's own
	To           string   // platform:tenant/user; user may be Everybody, and then tenant too
	Environments []string // none: everywhere
}

// Policy is all that is bound. Its zero value lets nobody do anything. It does not change.
type Policy struct {
	Bindings []Binding
	Own      map[string][]string // the catalogue's own roles, and the verbs of each
	Ceilings map[string]Role     // by platform
}

// With returns the policy with more bindings.
func (p Policy) With(more ...Binding) Policy {
	p.Bindings = append(slices.Clone(p.Bindings), more...)
	return p
}

// Denied says why somebody may not do something, and what would help.
type Denied struct {
	Actor, Verb string
	Has, Needs  string
	Environment string
}

// Error tells it to the one who asked.
func (d *Denied) Error() string {
	where := ""
	if d.Environment != "" && d.Environment != Everywhere {
		where = " in " + d.Environment
	}
	if d.Has == "" {
		return fmt.Sprintf("you may not %s%s: nothing is bound to you here. Give an admin this id to bind to a role: %s", d.Verb, where, d.Actor)
	}
	return fmt.Sprintf("you may not %s%s: that takes %s, and you (%s) are %s", d.Verb, where, d.Needs, d.Actor, d.Has)
}

// Verbs lists what a role of the catalogue's own may name: the words of commands.
func Verbs() []string {
	return []string{"help", "list", "plan", "status", "next", "report", "start", "advance", "skip", "retry", "cancel", "complete", "pause", "resume",
		"note", "answer", "conclude", "halt", "approve", "reject", "release", "stop"}
}

// execute is what a gate calls that which a person calls advance.
const execute, advance = "execute", "advance"

// needs is the least role for a verb; Admin for one that is not known.
func needs(verb string) Role {
	switch verb {
	case "help", "list", "plan", "status", "next", "report":
		return Viewer
	case "start", "advance", execute, "skip", "retry", "cancel", "complete", "pause", "resume", "note", "answer", "conclude", "halt":
		return Operator
	case "approve", "reject", "release":
		return Approver
	}
	return Admin
}

// May returns nil if the actor may do what the verb says in the environment, and a *Denied otherwise. An empty environment stands for
// what belongs to none, such as a list: a binding in any of them will do.
//
// A stop is not asked about here: who can be told from a stranger may stop. An alarm may stop, and a schedule may start; neither
// may do anything else.
func (p Policy) May(actor, verb, environment string) error {
	if verb == execute {
		verb = advance
	}
	if machine, ok := byMachine(actor); verb == "stop" || ok && verb == machine {
		return nil
	}
	least := needs(verb)
	return p.ask(actor, verb, least.String(), environment, func(b Binding) bool {
		r, ok := RoleOf(b.Role)
		return ok && r >= least || slices.Contains(p.Own[b.Role], verb)
	})
}

// MayAs is May for what a plan asks a role of its own for: the approval of its start. An empty role is nobody's.
func (p Policy) MayAs(actor, verb, role, environment string) error {
	return p.ask(actor, verb, role, environment, gives(role))
}

// Holds reports whether the actor has a role in the environment: one of that name, or one above it. An admin has every role.
func (p Policy) Holds(actor, role, environment string) bool {
	return p.MayAs(actor, "", role, environment) == nil
}

// Given reports whether anybody at all has a role in the environment.
func (p Policy) Given(role, environment string) bool {
	return slices.ContainsFunc(p.Bindings, func(b Binding) bool { return b.in(environment) && gives(role)(b) })
}

// gives tells the bindings that give a role.
func gives(role string) func(Binding) bool {
	least, ranked := RoleOf(role)
	return func(b Binding) bool {
		r, ok := RoleOf(b.Role)
		return role != "" && (b.Role == role || ok && (r == Admin || ranked && r >= least))
	}
}

// ask looks for a binding of the actor that is enough, and says what there is where none is.
func (p Policy) ask(actor, verb, role, environment string, enough func(Binding) bool) error {
	no := &Denied{Actor: actor, Verb: verb, Environment: environment, Needs: role}
	if _, ok := byMachine(actor); ok {
		no.Has = "no person"
		return no
	}
	var has []string
	for _, b := range p.of(actor, environment) {
		if enough(b) {
			return nil
		}
		has = append(has, b.Role)
	}
	slices.Sort(has)
	no.Has = strings.Join(slices.Compact(has), " and ")
	return no
}

// byMachine names the one verb that a schedule or an alarm has.
func byMachine(actor string) (verb string, ok bool) {
	switch platform, _, _ := strings.Cut(actor, ":"); platform {
	case "schedule":
		return "start", true
	case "alarm":
		return "stop", true
	}
	return "", false
}

// Known reports whether anything is bound to the actor.
func (p Policy) Known(actor string) bool { return len(p.of(actor, "")) > 0 }

// of returns the bindings that count for an actor in an environment.
func (p Policy) of(actor, environment string) []Binding {
	var out []Binding
	for _, b := range p.Bindings {
		if b.matches(actor) && b.in(environment) {
			out = append(out, b)
		}
	}
	return out
}

// in reports whether the binding holds in an environment; in the empty one each does.
func (b Binding) in(environment string) bool {
	return environment == "" || len(b.Environments) == 0 || slices.Contains(b.Environments, environment)
}

func (b Binding) matches(actor string) bool {
	platform, tenant, user, ok := Split(actor)
	if !ok || tenant == Everybody || user == Everybody {
		return false
	}
	p, t, u, ok := Split(b.To)
	return ok && p == platform && (t == tenant && (u == user || u == Everybody) || t == Everybody && u == Everybody)
}

// Split takes platform:tenant/user apart; ok is false for what is written in another way.
func Split(principal string) (platform, tenant, user string, ok bool) {
	platform, rest, colon := strings.Cut(principal, ":")
	tenant, user, slash := strings.Cut(rest, "/")
	return platform, tenant, user, colon && slash && platform != "" && tenant != "" && user != ""
}

// Under returns nil if words from the platform carry the verb by themselves, and an error that says what to do instead otherwise.
func (p Policy) Under(platform, verb string) error {
	ceiling, capped := p.Ceilings[platform]
	if !capped || verb == "stop" || needs(verb) <= ceiling {
		return nil
	}
	return fmt.Errorf("%s does not sign what is typed, so it can carry no more than an %s may do, and %s takes %s: use the button of the drill's message, or another platform",
		platform, ceiling, verb, needs(verb))
}
