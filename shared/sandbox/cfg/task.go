package cfg

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"
)

// The vendor's status codes.
const (
	taskNew, taskRunning, taskPaused, taskEnded               = 1001, 1002, 1003, 1004
	actionNew, actionWaiting, actionExecuting, actionOver     = 2001, 2002, 2003, 2004
	instanceNew, instanceExecuting, instanceOver              = 3001, 3002, 3003
	typeNone, typeGood, typeFailed, typeTerminated, typeSkips = 0, 1, 2, 3, 4
	manualMode, autoMode                                      = 1, 2
	dealRollback, dealPause                                   = 1, 2
)

// The states of a guardrail, in the vendor's words.
const (
	policyIdle, policyFired, policyRecovered = "未触发", "已触发", "已恢复"
)

type tag struct {
	Key   string `json:"TagKey"`
	Value string `json:"TagValue"`
}

type instance struct {
	id               int64
	object           string
	status, kind     int
	created, updated time.Time
	started, ended   time.Time
	live             bool      // the fault is in effect on it
	liveUntil        time.Time // when that ends by itself; zero if only a recovery ends it
}

type action struct {
	id                       int64
	spec                     *spec
	order                    int
	general, custom          string
	status, kind             int
	random, recover, execute int64
	created, updated         time.Time
	started, ended           time.Time
	attempts                 int
	due                      time.Time // waiting in auto mode: when it begins; executing: when it ends
	instances                []*instance
}

type group struct {
	id               int64
	title, desc      string
	order, mode      int
	objectType       int64
	objects          []string
	created, updated time.Time
	actions          []*action
}

type policy struct {
	status, rule string
	deal         int
}

type trigger struct {
	name, content string
	kind          int
	at            time.Time
}

type task struct {
	id, template     int64
	title, desc      string
	mode, pause      int
	deal             int
	tags             []tag
	policy           *policy
	rollback         bool // a triggered guardrail is running the recoveries
	status, kind     int
	expect           int
	summary, issue   string
	record           string
	created, updated time.Time
	started, ended   time.Time
	pauseFrom        time.Time // TaskPauseDuration counts from here
	groups           []*group
	logs             []string
	triggers         []trigger
	deleted          bool
}

var marked = regexp.MustCompile(`\[fd:[^\]]*\]`)

// mark is the part of the title that names a drill, or the tag that does.
func (t *task) mark() string {
	if m := marked.FindString(t.title); m != "" {
		return m
	}
	for _, g := range t.tags {
		if g.Key == "firedrill" {
			return g.Value
		}
	}
	return ""
}

// Beijing time, which has no summer time.
func beijing() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

func stampText(at time.Time) string { return at.In(beijing()).Format(time.DateTime) }

// stamp is a time as the vendor prints it, or null.
func stamp(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return stampText(at)
}

func (t *task) log(at time.Time, text string) { t.logs = append(t.logs, stampText(at)+" "+text) }

// find returns an action of the task and its group.
func (t *task) find(id int64) (*group, *action) {
	for _, g := range t.groups {
		for _, a := range g.actions {
			if a.id == id {
				return g, a
			}
		}
	}
	return nil, nil
}

// partner returns the action of the group whose RandomId is the given one.
func (g *group) partner(random int64) *action {
	if random == 0 {
		return nil
	}
	for _, a := range g.actions {
		if a.random == random {
			return a
		}
	}
	return nil
}

func (a *action) fault() bool { return a.spec.attribute == faultAttribute }

// name is the action's alias or title.
func (a *action) name() string {
	if s, ok := setting(a.general, "AliasTitle").(string); ok && s != "" {
		return s
	}
	return a.spec.name
}

// live tells whether the action's fault is in effect on an instance.
func (a *action) live() bool {
	return slices.ContainsFunc(a.instances, func(i *instance) bool { return i.live })
}

// begun tells whether the action ever acted on an instance.
func (a *action) begun() bool {
	for _, i := range a.instances {
		if !i.started.IsZero() {
			return true
		}
	}
	return false
}

func setting(config, name string) any {
	return parse([]byte(config)).m[name]
}

const maxSeconds = 7 * 24 * 60 * 60

// seconds reads a duration in seconds from an action's configuration.
func seconds(config, name string) (time.Duration, bool) {
	n, ok := number(setting(config, name))
	return time.Duration(min(n, maxSeconds)) * time.Second, ok && n > 0
}

// lasts is how long the action executes, and how long its fault is in effect at most (0: until recovered).
func (a *action) lasts() (executes, inEffect time.Duration) {
	d, ok := seconds(a.custom, "duration")
	if !ok {
		d, ok = seconds(a.custom, "timeout")
	}
	if !a.fault() || !ok {
		return a.spec.takes, 0
	}
	if a.recover != 0 {
		return a.spec.takes, d
	}
	return d, d
}

// object form of a JSON configuration, checked.
func validConfig(text string) bool {
	var m map[string]any
	return json.Unmarshal([]byte(text), &m) == nil && m != nil
}
