package catalog

import (
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/drill"
)

// defaults hold for every plan that does not say otherwise.
type defaults struct {
	timezone    string
	environment string
	maxDuration time.Duration
	window      string
	approval    *drill.Approval // nil: it depends on the environment
}

// readDefaults joins the defaults of all files; a field may stand in one of them only.
func (l *loader) readDefaults() {
	l.defaults = defaults{timezone: "UTC", environment: drill.Production, maxDuration: 30 * time.Minute}
	fields, first := map[string]value{}, map[string]value{}
	for _, v := range l.sections["defaults"] {
		for name, f := range v.fields(kindDefaults) {
			if there, twice := first[name]; twice {
				f.wrong("keep one of them", "is here a second time, first at %s", there.place())
				continue
			}
			first[name], fields[name] = f, f
		}
	}
	d := &l.defaults
	d.timezone = zoneOf(fields, d.timezone)
	if v, ok := fields["environment"]; ok {
		d.environment = v.environment()
	}
	if v, ok := fields["max_duration"]; ok {
		d.maxDuration = maxDurationOf(v)
	}
	if v, ok := fields["window"]; ok {
		d.window = window(v)
	}
	if v, ok := fields["approval"]; ok {
		a := l.approval(v, builtinApproval(1))
		d.approval = &a
	}
}

// builtinApproval is what holds where the catalogue says nothing.
func builtinApproval(need int) drill.Approval {
	return drill.Approval{Need: need, From: "approver", Expires: drill.Duration(30 * time.Minute)}
}

// approvalOf returns the approval of a plan that has no block of its own.
func (d defaults) approvalOf(environment string) drill.Approval {
	if d.approval != nil {
		return *d.approval
	}
	if environment == drill.Production {
		return builtinApproval(1)
	}
	return drill.Approval{}
}

const maxApprovers = 10

// approval reads a block; what it leaves out is as in base.
func (l *loader) approval(v value, base drill.Approval) drill.Approval {
	fields := v.fields(kindApproval)
	if f, ok := fields["need"]; ok {
		base.Need, _ = f.integer(0, maxApprovers)
	}
	if f, ok := fields["self"]; ok {
		base.Self, _ = f.boolean()
	}
	if f, ok := fields["expires"]; ok {
		d, _ := f.durationFrom(minWait, maxWait)
		base.Expires = drill.Duration(d)
	}
	if f, ok := fields["from"]; ok {
		if base.From, ok = f.line(); ok && base.Need > 0 {
			l.checkRole(f, base.From)
		}
	}
	return base
}

// checkRole reports an approver's role that neither Firedrill nor the catalogue knows.
func (l *loader) checkRole(v value, role string) {
	roles := append(access.Roles(), ownerRole)
	for _, section := range l.sections["roles"] {
		if section.null() {
			continue
		}
		for i := 0; i+1 < len(section.node.Content); i += 2 {
			roles = append(roles, section.node.Content[i].Value)
		}
	}
	for _, r := range roles {
		if r == role {
			return
		}
	}
	fix := instead(role, roles)
	if fix == "" {
		fix = "write " + strings.Join(roles, ", ")
	}
	v.wrong(fix, "the role %s is not known, so nobody could approve", v.shown())
}

// window reads a window; "always" is none.
func window(v value) string {
	s, ok := v.line()
	if !ok {
		return ""
	}
	if _, err := parseWindow(s); err != nil {
		v.wrong(`write it like "Mon-Fri 10:00-16:00", several parted by ;, or always`, "%s", err)
		return ""
	}
	return s
}
