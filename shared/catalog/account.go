package catalog

import (
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/drill"
)

func clouds() []string { return []string{"aws", "aliyun", "tencent"} }

// cloudOf returns the cloud of a service.
func cloudOf(s drill.Service) string {
	switch s {
	case drill.FIS:
		return "aws"
	case drill.CFG:
		return "tencent"
	}
	return "aliyun"
}

// cloudOfAlarm returns the cloud of an alarm source, "" if it belongs to none.
func cloudOfAlarm(source string) string {
	switch source {
	case "cloudwatch":
		return "aws"
	case "cloudmonitor", "arms":
		return "aliyun"
	case "tcop":
		return "tencent"
	}
	return ""
}

func (l *loader) account(e entry) (drill.Account, bool) {
	fields := e.fields(kindAccount)
	a := drill.Account{Name: e.name}
	if v, ok := fields["cloud"]; ok {
		a.Cloud, _ = v.choice(clouds()...)
	} else {
		e.missing("cloud", "write aws, aliyun or tencent")
	}
	if v, ok := fields["id"]; ok {
		a.ID = accountID(v, a.Cloud)
	}
	if v, ok := fields["region"]; ok {
		a.Region, _ = v.line()
	} else {
		e.missing("region", "write the region of the service, such as us-east-1")
	}
	if v, ok := fields["role"]; ok {
		a.Role, _ = v.lineUpTo(maxURL)
	}
	if v, ok := fields["credentials"]; ok {
		a.Credentials, _ = v.reference()
	}
	return a, true
}

// accountID reads digits in quotes: as a number, a leading zero would be lost.
func accountID(v value, cloud string) string {
	id, ok := v.line()
	if !ok {
		return ""
	}
	digits := !strings.ContainsFunc(id, func(r rune) bool { return r < '0' || r > '9' })
	if !digits || cloud == "aws" && len(id) != 12 {
		v.wrong("write the account's number", "%s is not an account id of %s", v.shown(), cloud)
		return ""
	}
	return id
}

func (l *loader) channel(e entry) (drill.Channel, bool) {
	fields := e.fields(kindChannel)
	c := drill.Channel{Name: e.name, Timezone: l.defaults.timezone}
	if v, ok := fields["to"]; ok {
		c.To = address(v)
	} else {
		e.missing("to", "write it like slack:T123/C0123")
	}
	if v, ok := fields["lang"]; ok {
		c.Lang, _ = v.choice("en", "zh")
	}
	if v, ok := fields["oncall"]; ok {
		c.Oncall = address(v)
	}
	c.Timezone = zoneOf(fields, c.Timezone)
	return c, true
}

// address reads platform:place. It is not printed: it may be a webhook's secret address.
func address(v value) string {
	s, ok := v.lineUpTo(maxURL)
	if !ok {
		return ""
	}
	if _, err := chat.ParseAddress(s); err != nil {
		v.wrong("", "%s", err)
		return ""
	}
	if s != strings.TrimSpace(s) {
		v.wrong("remove the space", "begins or ends with a space")
		return ""
	}
	return s
}

func (l *loader) alarm(e entry) (drill.Alarm, bool) {
	fields := e.fields(kindAlarm)
	a := drill.Alarm{Name: e.name}
	var sources []string
	for _, source := range alarmSources() {
		if _, ok := fields[source]; ok {
			sources = append(sources, source)
		}
	}
	switch len(sources) {
	case 0:
		e.missing("the alarm's source", "write one of "+strings.Join(alarmSources(), ", "))
		return a, false
	case 1:
	default:
		e.key.wrong("keep one of them", "has several sources: %s", strings.Join(sources, ", "))
		return a, false
	}
	a.Source = sources[0]
	if v := fields[a.Source]; a.Source == "alertmanager" {
		a.Labels = labels(v)
	} else {
		a.Match, _ = v.lineUpTo(maxMatch)
	}
	v, ok := fields["account"]
	if !ok {
		return a, true
	}
	if a.Account, ok = v.line(); !ok {
		return a, false
	}
	account, ok := known(l, "accounts", l.accounts, v, a.Account)
	if cloud := cloudOfAlarm(a.Source); ok && cloud != "" && account.Cloud != cloud {
		v.wrong("name an account of "+cloud, "%s is an account of %s, %s belongs to %s", v.shown(), account.Cloud, a.Source, cloud)
	}
	return a, ok
}

func labels(v value) map[string]string {
	if v.node.Kind != yaml.MappingNode || len(v.node.Content) == 0 {
		v.wrong("write { alertname: CartErrors, env: prod }", "%s where labels are wanted", v.shown())
		return nil
	}
	out := map[string]string{}
	for _, e := range v.entries() {
		out[e.name], _ = e.textUpTo(maxMatch)
	}
	v.atMost(maxLabels, len(out), "labels")
	return out
}

// address of an HTTP probe or a runbook: http or https, a host, and no password in it.
func (v value) url() (string, bool) {
	s, ok := v.lineUpTo(maxURL)
	if !ok {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		v.wrong("write it like https://shop.example.com/healthz", "is not an http or https URL")
		return "", false
	}
	if u.User != nil {
		v.wrong("remove it; a probe cannot log in", "holds a user or a password")
		return "", false
	}
	return s, true
}
