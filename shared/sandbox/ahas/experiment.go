package ahas

import (
	"slices"
	"time"
)

// The phases of a flow.
const (
	phasePrepare = "PREPARE"
	phaseAttack  = "ATTACK"
	phaseCheck   = "CHECK"
	phaseRecover = "RECOVER"
)

// The run modes of an experiment: flow after flow, or phase after phase.
const (
	runSequence = "SEQUENCE"
	runPhase    = "PHASE"
)

const (
	experimentReady = "READY"
	experimentDraft = "DRAFT"
)

// experiment is what can be run. It is never changed once a task was made from it: overrides work on a clone.
type experiment struct {
	id, name, description string
	namespace             string
	state                 string // READY or DRAFT; RUNNING is derived from the tasks
	runMode               string
	duration              time.Duration // past it a task is ended and its RECOVER activities run
	tags                  []string
	created               time.Time
	groups                []*flowGroup
}

type flowGroup struct {
	id, name, appName string
	appGroups, hosts  []string
	flows             []*flow
}

type flow struct {
	id      string
	prepare []*activity
	attack  *activity
	check   []*activity
	recover []*activity
}

// activity is one step of a flow. fails names the hosts on which it does not work.
type activity struct {
	id, name, appCode string
	userCheck         bool
	arguments         map[string]string
	takes             time.Duration
	fails             []string
}

// step is an activity at its place in the running order.
type step struct {
	phase    string
	flow     int // number of the flow within the experiment
	activity *activity
	group    *flowGroup
}

// order lists the activities as they are run.
func (e *experiment) order() []step {
	var steps []step
	n := 0
	for _, g := range e.groups {
		for _, f := range g.flows {
			steps = append(steps, f.steps(g, n)...)
			n++
		}
	}
	if e.runMode == runPhase {
		phases := []string{phasePrepare, phaseAttack, phaseCheck, phaseRecover}
		slices.SortStableFunc(steps, func(a, b step) int { return slices.Index(phases, a.phase) - slices.Index(phases, b.phase) })
	}
	return steps
}

func (f *flow) steps(g *flowGroup, n int) []step {
	var out []step
	add := func(phase string, list ...*activity) {
		for _, a := range list {
			out = append(out, step{phase: phase, flow: n, activity: a, group: g})
		}
	}
	add(phasePrepare, f.prepare...)
	add(phaseAttack, f.attack)
	add(phaseCheck, f.check...)
	add(phaseRecover, f.recover...)
	return out
}

// activities lists the flow's activities in any order.
func (f *flow) activities() []*activity {
	return slices.Concat(f.prepare, []*activity{f.attack}, f.check, f.recover)
}

// clone copies all that an override can change.
func (e *experiment) clone() *experiment {
	out := *e
	out.groups = nil
	for _, g := range e.groups {
		ng := *g
		ng.flows = nil
		for _, f := range g.flows {
			ng.flows = append(ng.flows, &flow{
				id: f.id, prepare: cloneAll(f.prepare), attack: cloneAll([]*activity{f.attack})[0], check: cloneAll(f.check), recover: cloneAll(f.recover),
			})
		}
		out.groups = append(out.groups, &ng)
	}
	return &out
}

func cloneAll(list []*activity) []*activity {
	var out []*activity
	for _, a := range list {
		c := *a
		out = append(out, &c)
	}
	return out
}

// apps lists the codes of the attacks.
func (e *experiment) apps() []string {
	apps := []string{}
	for _, g := range e.groups {
		for _, f := range g.flows {
			if !slices.Contains(apps, f.attack.appCode) {
				apps = append(apps, f.attack.appCode)
			}
		}
	}
	return apps
}
