package ahas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// override is ExecuteExperiment's Definition: what one run does differently. Unknown fields are passed over, as the
// vendor does; a field of the wrong type is refused.
type override struct {
	Param []struct {
		GroupID       string   `json:"groupId"`
		AppName       string   `json:"appName"`
		AppGroups     []string `json:"appGroups"`
		Hosts         []string `json:"hosts"`
		ActivityParam []struct {
			FlowID    string            `json:"flowId"`
			AppCode   string            `json:"appCode"`
			Arguments map[string]string `json:"arguments"`
		} `json:"activityParam"`
	} `json:"param"`
}

// parseObject decodes one JSON object and nothing after it.
func parseObject(text string, into any) *refusal {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return badDefinition("want a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(into); err != nil {
		return badDefinition(err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return badDefinition("text after the JSON object")
	}
	return nil
}

// with returns the experiment as one run wants it; "" changes nothing.
func (e *experiment) with(definition string) (*experiment, *refusal) {
	if definition == "" {
		return e, nil
	}
	var o override
	if r := parseObject(definition, &o); r != nil {
		return nil, r
	}
	out := e.clone()
	for i, p := range o.Param {
		g := out.group(p.GroupID)
		if p.GroupID == "" || g == nil {
			return nil, badDefinition(fmt.Sprintf("param[%d].groupId %q is no flow group of the experiment", i, p.GroupID))
		}
		if p.AppName != "" {
			g.appName = p.AppName
		}
		if p.AppGroups != nil {
			g.appGroups = p.AppGroups
		}
		if p.Hosts != nil {
			g.hosts = p.Hosts
		}
		for j, a := range p.ActivityParam {
			if !g.override(a.FlowID, a.AppCode, a.Arguments) {
				return nil, badDefinition(fmt.Sprintf("param[%d].activityParam[%d] names no activity of the flow group", i, j))
			}
		}
		if len(g.hosts) == 0 {
			return nil, badDefinition(fmt.Sprintf("param[%d].hosts is empty", i))
		}
	}
	return out, nil
}

func (e *experiment) group(id string) *flowGroup {
	for _, g := range e.groups {
		if g.id == id {
			return g
		}
	}
	return nil
}

// override sets the arguments of the activities with the code, of the attack without one, in the flow named or the first.
func (g *flowGroup) override(flowID, appCode string, arguments map[string]string) bool {
	found := false
	for n, f := range g.flows {
		if (flowID == "" && n > 0) || (flowID != "" && f.id != flowID) {
			continue
		}
		for _, a := range f.activities() {
			if a.appCode != appCode && (appCode != "" || a != f.attack) {
				continue
			}
			found = true
			if arguments != nil {
				a.arguments = arguments
			}
		}
	}
	return found
}

// blueprint is CreateExperiment's Definition.
type blueprint struct {
	RunMode    string `json:"runMode"`
	Duration   int64  `json:"duration"` // seconds
	FlowGroups []struct {
		GroupName string   `json:"groupName"`
		AppName   string   `json:"appName"`
		AppGroups []string `json:"appGroups"`
		Hosts     []string `json:"hosts"`
		Flows     []struct {
			Prepare []plannedActivity `json:"prepare"`
			Attack  *plannedActivity  `json:"attack"`
			Check   []plannedActivity `json:"check"`
			Recover []plannedActivity `json:"recover"`
		} `json:"flows"`
	} `json:"flowGroups"`
}

type plannedActivity struct {
	AppCode      string            `json:"appCode"`
	ActivityName string            `json:"activityName"`
	UserCheck    *bool             `json:"userCheck"` // default true
	Arguments    map[string]string `json:"arguments"`
}

// build makes an experiment of a definition.
func (s *Service) build(definition string) (*experiment, *refusal) {
	var b blueprint
	if r := parseObject(definition, &b); r != nil {
		return nil, r
	}
	if b.RunMode != runSequence && b.RunMode != runPhase {
		return nil, badDefinition("runMode must be SEQUENCE or PHASE")
	}
	if b.Duration <= 0 || b.Duration > 7*24*3600 || len(b.FlowGroups) == 0 {
		return nil, badDefinition("duration and flowGroups are mandatory")
	}
	e := &experiment{id: s.newID(), state: experimentReady, runMode: b.RunMode, duration: time.Duration(b.Duration) * time.Second}
	for i, g := range b.FlowGroups {
		if g.AppName == "" || len(g.AppGroups) == 0 || len(g.Hosts) == 0 || len(g.Flows) == 0 {
			return nil, badDefinition(fmt.Sprintf("flowGroups[%d]: appName, appGroups, hosts and flows are mandatory", i))
		}
		name := g.GroupName
		if name == "" {
			name = fmt.Sprintf("默认分组%d", i+1)
		}
		group := &flowGroup{id: s.newID(), name: name, appName: g.AppName, appGroups: g.AppGroups, hosts: g.Hosts}
		for j, f := range g.Flows {
			if f.Attack == nil {
				return nil, badDefinition(fmt.Sprintf("flowGroups[%d].flows[%d]: exactly one attack is mandatory", i, j))
			}
			nf := &flow{id: s.newID(), prepare: s.plan(f.Prepare), attack: s.plan([]plannedActivity{*f.Attack})[0], check: s.plan(f.Check), recover: s.plan(f.Recover)}
			if len(nf.recover) == 0 { // the platform pairs every attack with its undoing
				nf.recover = s.plan([]plannedActivity{{AppCode: nf.attack.appCode + ".stop", UserCheck: f.Attack.UserCheck}})
			}
			for _, a := range nf.activities() {
				if a.appCode == "" {
					return nil, badDefinition(fmt.Sprintf("flowGroups[%d].flows[%d]: appCode is mandatory", i, j))
				}
			}
			group.flows = append(group.flows, nf)
		}
		e.groups = append(e.groups, group)
	}
	return e, nil
}

func (s *Service) plan(list []plannedActivity) []*activity {
	var out []*activity
	for _, p := range list {
		a := &activity{id: s.newID(), name: p.ActivityName, appCode: p.AppCode, arguments: p.Arguments, takes: 2 * time.Second, userCheck: p.UserCheck == nil || *p.UserCheck}
		if a.name == "" {
			a.name = p.AppCode
		}
		out = append(out, a)
	}
	return out
}
