package functions

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// aliyunPlan is a catalogue of one OOS plan whose template has the tasks, and whose recovery starts the node.
func aliyunPlan(tasks string) string {
	return `version: 1
accounts: { ali: { cloud: aliyun, id: "1234567890", region: cn-hangzhou } }
drills:
  node:
    title: A node goes down
    owner: team-order
    account: ali
    environment: staging
    unbounded: OOS has no run limit
    oos:
      safety_check: Skip
      template_content: '{"FormatVersion":"OOS-2019-06-01","Tasks":[` + tasks + `]}'
      recovery: { template: start-node, parameters: { NodeId: i-abc } }
`
}

// alive lists the faults that are in effect at a service.
func (r *rig) alive(name string) []string {
	var out []string
	for _, run := range r.box.Runs() {
		if run.Service == name {
			out = append(out, run.Live...)
		}
	}
	return out
}

// TestOOS_ARunThatHasShownNothingIsRecovered: the node is down when the template ends well, so the plan's recovery run starts it.
func TestOOS_ARunThatHasShownNothingIsRecovered(t *testing.T) {
	down := aliyunPlan(`{"Name":"stop","Action":"ACS::ExecuteAPI","Properties":{"Service":"ecs","API":"StopInstance","Parameters":{"InstanceId":"i-abc"}}},` +
		`{"Name":"tell","Action":"ACS::Notify","Properties":{}}`)
	bubble(t, func(o *options) { o.catalog = written(t, down) }, func(r *rig) {
		id := r.start("node", nil)
		d := r.until(id, 20, func(d *drill.Drill) bool { return d.Restored.State.Decided() })
		if d.Run(drill.Recovery) == nil || d.Restored.State != drill.RestoreDone || len(r.alive("oos")) != 0 {
			t.Errorf("restored %+v, live %v\n%s", d.Restored, r.alive("oos"), r.timeline(id))
		}
	})
}

// TestOOS_AStoppedCommandHasNotEndedItsFault: the command would have destroyed what it created, had it not been stopped before.
func TestOOS_AStoppedCommandHasNotEndedItsFault(t *testing.T) {
	burn := aliyunPlan(`{"Name":"burn","Action":"ACS::ECS::RunCommand","Properties":{"commandContent":"U=$(blade create cpu fullload); sleep 600; blade destroy $U","instanceId":"i-abc"}}`)
	bubble(t, func(o *options) { o.catalog = written(t, burn) }, func(r *rig) {
		id := r.start("node", nil)
		r.until(id, 5, func(d *drill.Drill) bool { return d.Run(drill.Main) != nil && d.Run(drill.Main).Injected })
		r.send(events.Stop{Drill: id, Actor: bob, Reason: "enough"})
		d := r.until(id, 20, func(d *drill.Drill) bool { return d.Restored.State.Decided() })
		if d.Restored.State == drill.RestoreNeedless || !d.Run(drill.Main).Injected || d.Run(drill.Recovery) == nil {
			t.Errorf("restored %+v\n%s", d.Restored, r.timeline(id))
		}
	})
}

// twice hands the first start over twice and returns the second reply, as a proxy does that lost the first one; instead of that reply
// it gives another, if there is one.
type twice struct {
	http.RoundTripper
	instead string
	done    bool
}

func (t *twice) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.done || req.URL.Query().Get("Action") != "ExecuteExperiment" {
		return t.RoundTripper.RoundTrip(req)
	}
	t.done = true
	first, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if t.instead != "" {
		first.StatusCode, first.Body = http.StatusBadRequest, io.NopCloser(strings.NewReader(t.instead))
		return first, nil
	}
	return t.RoundTripper.RoundTrip(req)
}

// TestAHAS_AStartThatWasHandedOverTwice is found and adopted; the drill is not refused while its run goes on.
func TestAHAS_AStartThatWasHandedOverTwice(t *testing.T) {
	for name, instead := range map[string]string{"the second copy is refused for its nonce": "", "it is throttled": `{"Code":"Throttling.User"}`} {
		t.Run(name, func(t *testing.T) {
			proxy := func(o *options) {
				o.transport = func(rt http.RoundTripper) http.RoundTripper { return &twice{RoundTripper: rt, instead: instead} }
			}
			bubble(t, proxy, func(r *rig) {
				e := r.event(events.Start{Plan: "payment-cpu", Actor: bob})
				_, _ = r.give("start", e)
				r.drain()
				id := events.ID("drill", "/test", e.ID())
				r.until(id, 10, func(d *drill.Drill) bool { return d.RunID() != "" || d.Status.Ended() })
				if d := r.load(id); d.RunID() == "" || r.runs("ahas") != 1 {
					t.Errorf("%d runs, ours is %q\n%s", r.runs("ahas"), d.RunID(), r.timeline(id))
				}
			})
		})
	}
}
