package drill

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Matches reports whether an alarm, as its source names it, is the one that the catalogue means. An alarm raised through Firedrill
// itself (source local) goes by the catalogue's name.
func (a Alarm) Matches(source, name string, labels map[string]string) bool {
	if source == "local" && name == a.Name {
		return true
	}
	if a.Source != "any" && a.Source != source {
		return false
	}
	if a.Match != "" && a.Match != name && !strings.HasSuffix(name, ":"+a.Match) {
		return false
	}
	for k, v := range a.Labels {
		if labels[k] != v {
			return false
		}
	}
	return a.Match != "" || len(a.Labels) > 0
}

// Selector writes the alarm as one line for a marker, so that abort finds its drills without reading a journal.
func (a Alarm) Selector() string {
	q := url.Values{"name": {a.Name}, "source": {a.Source}, "match": {a.Match}}
	for _, k := range slices.Sorted(maps.Keys(a.Labels)) {
		q.Set("label."+k, a.Labels[k])
	}
	return q.Encode()
}

// ParseSelector reads what Selector wrote.
func ParseSelector(s string) (Alarm, bool) {
	q, err := url.ParseQuery(s)
	if err != nil || q.Get("source") == "" {
		return Alarm{}, false
	}
	a := Alarm{Name: q.Get("name"), Source: q.Get("source"), Match: q.Get("match")}
	for k := range q {
		if label, ok := strings.CutPrefix(k, "label."); ok {
			if a.Labels == nil {
				a.Labels = map[string]string{}
			}
			a.Labels[label] = q.Get(k)
		}
	}
	return a, true
}

// Selectors lists the selectors of the alarms that stop the plan's drills.
func (p Plan) Selectors() []string {
	var out []string
	for _, name := range p.StopOn {
		if a, ok := p.Alarms[name]; ok {
			out = append(out, a.Selector())
		}
	}
	return out
}

// StoppedBy returns the alarm of the plan that this one is, if there is one.
func (p Plan) StoppedBy(source, name string, labels map[string]string) (Alarm, bool) {
	for _, n := range p.StopOn {
		if a, ok := p.Alarms[n]; ok && a.Matches(source, name, labels) {
			return a, true
		}
	}
	return Alarm{}, false
}
