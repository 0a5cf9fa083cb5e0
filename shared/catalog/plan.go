package catalog

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/drill"
)

// plan resolves one entry of drills.
func (l *loader) plan(e entry) (drill.Plan, bool) {
	if e.node.Kind != yaml.MappingNode {
		e.wrong("write title, account and a block such as fis: { template: EXT… }", "%s where a drill is wanted", e.shown())
		return drill.Plan{}, false
	}
	fields := e.fields(kindPlan)
	p := drill.Plan{Name: e.name, Title: e.name, Environment: l.defaults.environment}
	head(&p, fields)
	l.asks[p.Name] = e.key
	ok := l.service(&p, e, fields)
	ok = l.limits(&p, fields) && ok
	ok = l.links(&p, fields) && ok
	if v, has := fields["schedule"]; has {
		p.Schedule = l.schedule(v, p)
	}
	if v, has := fields["expect"]; has {
		p.Expect = claims(v)
	}
	checkStartable(p, e, fields)
	l.keep(e, fields)
	if p.Block != nil && p.Account.Cloud == cloudOf(p.Service) {
		l.readable[p.Name] = p
	}
	return p, ok
}

// head reads the fields that are words for people.
func head(p *drill.Plan, fields map[string]value) {
	if v, ok := fields["title"]; ok {
		p.Title, _ = v.line()
	}
	if v, ok := fields["owner"]; ok {
		p.Owner, _ = v.line()
	}
	if v, ok := fields["runbook"]; ok {
		p.Runbook, _ = v.url()
	}
	if v, ok := fields["environment"]; ok {
		p.Environment = v.environment()
	}
	if v, ok := fields["disabled"]; ok {
		p.Disabled, _ = v.boolean()
	}
}

// limits reads when the plan may run, for how long, beside what, and who must agree.
func (l *loader) limits(p *drill.Plan, fields map[string]value) bool {
	p.Timezone = zoneOf(fields, l.defaults.timezone)
	p.Window = l.defaults.window
	if v, ok := fields["window"]; ok {
		p.Window = window(v)
	}
	if p.Window == always {
		p.Window = ""
	}
	p.MaxDuration = drill.Duration(l.defaults.maxDuration)
	if v, ok := fields["max_duration"]; ok {
		p.MaxDuration = drill.Duration(maxDurationOf(v))
	}
	if v, ok := fields["unbounded"]; ok {
		p.Unbounded, _ = v.lineUpTo(maxNote)
	}
	p.Exclusive = exclusive(p, fields)
	p.Approval = l.defaults.approvalOf(p.Environment)
	if v, ok := fields["approval"]; ok {
		l.asks[p.Name] = v
		base := p.Approval
		if base == (drill.Approval{}) {
			base = builtinApproval(1)
		}
		p.Approval = l.approval(v, base)
	}
	return true
}

// exclusive returns the names of the plan's locks. No names mean no lock.
func exclusive(p *drill.Plan, fields map[string]value) []string {
	v, ok := fields["exclusive"]
	if !ok {
		owner := p.Owner
		if owner == "" {
			owner = p.Name
		}
		name := p.Environment + "/" + owner
		if v, ok := fields["owner"]; ok && p.Owner != "" {
			v.lock(name)
		}
		return []string{name}
	}
	if v.node.Kind == yaml.ScalarNode && v.node.Value == "none" {
		return nil
	}
	var names []string
	for _, item := range v.words() {
		item.lock(item.node.Value)
		names = append(names, item.node.Value)
	}
	v.atMost(maxLocks, len(names), "locks")
	if slices.Contains(names, "none") {
		v.wrong("write exclusive: none, or the names of locks", "none stands in a list of locks")
	}
	return names
}

// links looks up what the plan names: alarms and channels.
func (l *loader) links(p *drill.Plan, fields map[string]value) bool {
	all := true
	if v, ok := fields["stop_on"]; ok {
		p.Alarms = map[string]drill.Alarm{}
		for _, item := range v.words() {
			name := item.node.Value
			a, ok := known(l, "alarms", l.alarms, item, name)
			p.StopOn, p.Alarms[name], all = append(p.StopOn, name), a, all && ok
		}
		v.atMost(maxAlarms, len(p.StopOn), "alarms")
	}
	if v, ok := fields["notify"]; ok {
		for _, item := range v.words() {
			c, ok := known(l, "channels", l.channels, item, item.node.Value)
			p.Notify, all = append(p.Notify, c), all && ok
		}
		v.atMost(maxChannels, len(p.Notify), "channels")
	}
	return all
}

func (l *loader) schedule(v value, p drill.Plan) *drill.Schedule {
	fields := v.fields(kindSchedule)
	s := &drill.Schedule{Timezone: zoneOf(fields, p.Timezone), Missed: missedSkip}
	if c, ok := l.need(v, fields, "cron"); ok {
		s.Cron = cronOf(c)
	}
	if f, ok := fields["announce"]; ok {
		d, _ := f.durationFrom(minWait, maxWait)
		s.Announce = drill.Duration(d)
	}
	if f, ok := fields["missed"]; ok {
		s.Missed, _ = f.choice(missedSkip, missedRun)
	}
	return s
}

func cronOf(v value) string {
	expr, ok := v.line()
	if !ok {
		return ""
	}
	c, err := parseCron(expr)
	if err != nil {
		v.wrong(`write it like "0 10 * * TUE"`, "%s", err)
		return ""
	}
	if c.never() {
		v.wrong("write a day that exists", "%s is never due", v.shown())
		return ""
	}
	return expr
}

// checkStartable finds a schedule that could never start its drill, as nobody is there to give the parameters.
func checkStartable(p drill.Plan, e entry, fields map[string]value) {
	if p.Schedule == nil {
		return
	}
	var open []string
	for name, parameter := range p.Parameters {
		if parameter.Default == nil {
			open = append(open, name)
		}
	}
	if len(open) > 0 {
		slices.Sort(open)
		fields["schedule"].wrong("give each a default", "the schedule cannot start %s: no value for %s", e.name, strings.Join(open, ", "))
	}
}

// keep keeps the fields that nothing acts on yet.
func (l *loader) keep(e entry, fields map[string]value) {
	kept := map[string]any{}
	for _, name := range laterPlanKeys() {
		if v, ok := fields[name]; ok {
			kept[name] = v.plain(nil)
		}
	}
	if schedule, ok := fields["schedule"]; ok && schedule.node.Kind == yaml.MappingNode {
		for _, f := range schedule.entries() {
			if f.name == "calendars" {
				kept["schedule.calendars"] = f.plain(nil)
			}
		}
	}
	l.planned[e.name] = kept
}
