package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/chat"
)

// ownerRole is what approval.from says for the role that is named like the plan's owner.
const ownerRole = "owner"

const principalForm = "write platform:tenant/user, such as slack:T123/U456"

// ceilings are the highest roles that words from a platform carry where the catalogue says nothing: of those that do not sign what is
// said.
func ceilings() map[string]access.Role {
	return map[string]access.Role{string(chat.DingTalk): access.Operator, string(chat.Mattermost): access.Operator}
}

// policy reads roles, bindings and ceilings. A binding with a mistake is left out, which takes a right away; a ceiling with a mistake
// is the lowest.
func (l *loader) policy() access.Policy {
	p := access.Policy{Own: named(l, "roles", l.role), Ceilings: ceilings()}
	maps.Copy(p.Ceilings, named(l, "ceilings", l.ceiling))
	for field := range l.wrong {
		if platform, ok := strings.CutPrefix(field, "ceilings."); ok {
			p.Ceilings[platform] = access.Viewer
		}
	}
	seen := map[string]value{}
	for _, of := range list(l, "bindings", func(v value) ([]access.Binding, bool) { return l.binding(v, p.Own, seen) }) {
		p.Bindings = append(p.Bindings, of...)
	}
	return p
}

// role reads one of the catalogue's own roles: the verbs that it may.
func (l *loader) role(e entry) ([]string, bool) {
	if _, builtin := access.RoleOf(e.name); builtin || e.name == ownerRole || e.name == access.Nobody.String() {
		e.key.wrong("give it another name", "%s is a role that there is already", strconv.Quote(e.name))
		return nil, false
	}
	fields := e.fields(kindRole)
	v, ok := fields["may"]
	if !ok {
		e.missing("may", "write the verbs, such as { may: [ start, approve ] }")
		return nil, false
	}
	verbs := v.words()
	if len(verbs) == 0 && v.null() || v.node.Kind == yaml.SequenceNode && len(v.node.Content) == 0 {
		v.wrong("write the verbs, such as [ start, approve ]", "names no verb")
	}
	var may []string
	for _, verb := range verbs {
		if !slices.Contains(access.Verbs(), verb.node.Value) {
			verb.wrong(instead(verb.node.Value, access.Verbs()), "%s is no verb", verb.shown())
			continue
		}
		may = append(may, verb.node.Value)
	}
	return may, true
}

func (l *loader) ceiling(e entry) (access.Role, bool) {
	if !slices.Contains(chat.Platforms(), chat.Platform(e.name)) {
		e.key.wrong(instead(e.name, platforms()), "%s is no platform", strconv.Quote(e.name))
		return access.Nobody, false
	}
	name, ok := e.choice(access.Roles()...)
	r, _ := access.RoleOf(name)
	return r, ok
}

// binding reads one entry of bindings: it becomes a binding for each principal. It counts as a whole or not at all, for one whose
// environments cannot be read must not hold everywhere.
func (l *loader) binding(v value, own map[string][]string, seen map[string]value) ([]access.Binding, bool) {
	before := len(l.problems)
	fields := v.fields(kindBinding)
	var b access.Binding
	if r, ok := fields["role"]; ok {
		b.Role = l.bindable(r, own)
	} else if v.fits() {
		v.wrong("write one of "+strings.Join(access.Roles(), ", "), "role is missing")
	}
	if e, ok := fields["environments"]; ok {
		for _, item := range e.words() {
			b.Environments = append(b.Environments, item.environment())
		}
		if len(b.Environments) == 0 && len(l.problems) == before {
			e.wrong("name one, or remove the field for everywhere", "names no environment")
		}
	}
	to, ok := fields["to"]
	if !ok && v.fits() {
		v.wrong(principalForm, "to is missing")
	}
	if !ok {
		return nil, false
	}
	var out []access.Binding
	for _, item := range people(to) {
		if b.To, ok = l.principal(item); ok {
			once(b, item, seen)
			out = append(out, b)
		}
	}
	return out, len(l.problems) == before
}

// bindable reads the name of a role that people can be bound to.
func (l *loader) bindable(v value, own map[string][]string) string {
	name, ok := v.line()
	if _, builtin := access.RoleOf(name); !ok || builtin || own[name] != nil || l.wrong["roles."+name] {
		return name
	}
	roles := slices.Concat(access.Roles(), slices.Collect(maps.Keys(own)))
	fix := instead(name, roles)
	if name == ownerRole {
		fix = "bind the role that is called like the plan's owner, and add it under roles"
	}
	if fix == "" {
		fix = "add it under roles"
	}
	v.wrong(fix, "the role %s is not known", v.shown())
	return name
}

// people returns the one text, or those of a list.
func people(v value) []value {
	if v.node.Kind != yaml.SequenceNode {
		return []value{v}
	}
	out := v.words()
	if len(v.node.Content) == 0 {
		v.wrong(principalForm, "names nobody")
	}
	return out
}

// principal reads who is bound. A user group is told as a hint and left out: who is in it is not known here.
func (l *loader) principal(v value) (string, bool) {
	s, ok := v.line()
	if !ok {
		return "", false
	}
	platform, tenant, user, ok := access.Split(s)
	switch {
	case !ok || strings.ContainsAny(s, " \t\u00a0\u3000") || strings.Contains(user, "/"):
		v.wrong(principalForm, "%s is not a person in chat", v.shown())
	case !slices.Contains(chat.Platforms(), chat.Platform(platform)):
		v.wrong(instead(platform, platforms()), "%s is no platform", strconv.Quote(platform))
	case strings.Contains(tenant, access.Everybody):
		v.wrong("name the tenant; the user alone may be *, for all of its members", "%s is everybody of every tenant", v.shown())
	case user != access.Everybody && strings.Contains(user, access.Everybody):
		v.wrong("name one person, or write * for all members of the tenant", "%s is a pattern", v.shown())
	case platform == string(chat.Slack) && groupOfSlack(user):
		l.hint(v, "bind the people: the id of each is in their profile, and begins with U", "%s is a user group, and who is in it is not known here: it is bound to nothing", v.shown())
	default:
		return s, true
	}
	return "", false
}

// groupOfSlack reports whether an id is a user group's: those of people begin with U or W.
func groupOfSlack(id string) bool {
	return id[0] == 'S' && !strings.ContainsFunc(id, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}

// once reports a binding that is there already, in all of its environments or in one.
func once(b access.Binding, v value, seen map[string]value) {
	environments, where := b.Environments, ""
	if len(environments) == 0 {
		environments = []string{access.Everywhere}
	}
	for _, e := range environments {
		key := strings.Join([]string{b.Role, b.To, e}, " ")
		if first, twice := seen[key]; twice {
			if e != access.Everywhere {
				where = " in " + e
			}
			v.wrong("keep one of them", "%s is bound to %s%s already, at %s", v.shown(), b.Role, where, first.place())
			return
		}
		seen[key] = v
	}
}

func platforms() []string {
	var out []string
	for _, p := range chat.Platforms() {
		out = append(out, string(p))
	}
	return out
}

// hint tells what is no mistake and yet seldom meant.
func (l *loader) hint(v value, fix, format string, args ...any) {
	l.hints = append(l.hints, Problem{v.src.file, max(v.node.Line, 1), max(v.node.Column, 1), v.field, fmt.Sprintf(format, args...), fix})
}

// checkApprovers finds plans that nobody could approve, and a catalogue that lets nobody do anything.
func (l *loader) checkApprovers(c *Catalog) {
	if len(c.access.Bindings) == 0 {
		if len(c.files) > 0 {
			l.hints = append(l.hints, Problem{c.files[0], 1, 1, "bindings", "nobody is bound to a role, so people may stop drills and do nothing else",
				"bind somebody, such as [ { role: operator, to: \"slack:T123/U456\" } ]"})
		}
		return
	}
	for _, p := range c.Plans() {
		role := p.Approver()
		if p.Approval.Need == 0 || c.access.Given(role, p.Environment) {
			continue
		}
		if role == "" {
			l.hint(l.asks[p.Name], "name the owner, or write from: approver", "its owner must approve it, and it has none: an admin alone can")
			continue
		}
		fix := fmt.Sprintf("bind somebody, such as { role: %s, to: \"slack:T123/U456\", environments: [ %s ] }", role, p.Environment)
		if _, builtin := access.RoleOf(role); !builtin && c.access.Own[role] == nil {
			fix = fmt.Sprintf("add %s: { may: [ approve, reject ] } under roles, and ", role) + fix
		}
		l.hint(l.asks[p.Name], fix, "nobody has the role %s in %s, so nobody can approve it", role, p.Environment)
	}
}
