package sandbox

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// vendorCall is one call of a vendor's client.
type vendorCall = func(context.Context) (int, error)

// life starts and stops one run of a service with its vendor's client.
type life struct {
	prepare vendorCall // nil where a start needs nothing
	start   vendorCall
	stop    func(run string) vendorCall
}

func (v vendors) fisStart(template string) vendorCall {
	return func(ctx context.Context) (int, error) {
		_, err := fis.NewFromConfig(v.aws()).StartExperiment(ctx, &fis.StartExperimentInput{ExperimentTemplateId: aws.String(template), ClientToken: aws.String("k7m2q4x9a3bcd/main")})
		return 1, err
	}
}

func (v vendors) fisStop(run string) vendorCall {
	return func(ctx context.Context) (int, error) {
		_, err := fis.NewFromConfig(v.aws()).StopExperiment(ctx, &fis.StopExperimentInput{Id: aws.String(run)})
		return 1, err
	}
}

func (v vendors) fisStatus(ctx context.Context, run string) (string, error) {
	out, err := fis.NewFromConfig(v.aws()).GetExperiment(ctx, &fis.GetExperimentInput{Id: aws.String(run)})
	if err != nil {
		return "", err
	}
	return string(out.Experiment.State.Status), nil
}

func (v vendors) lives() map[string]life {
	return map[string]life{
		"fis": {start: v.fisStart("EXTlong00000000001"), stop: v.fisStop},
		"ahas": {
			start: v.alibaba("2019-09-01", "ExecuteExperiment", "ExperimentId", "1234567890123456789", "NameSpace", "default", "AhasRegionId", "cn-hangzhou"),
			stop: func(run string) vendorCall {
				return v.alibaba("2019-09-01", "FinishExperimentTask", "ExperimentTaskId", run, "NameSpace", "default", "AhasRegionId", "cn-hangzhou")
			},
		},
		"oos": {
			start: v.alibaba("2019-06-01", "StartExecution", "TemplateName", "pause-and-look", "Parameters", `{"NodeId":"i-abc"}`, "ClientToken", "k7m2q4x9a3bcd/main"),
			stop: func(run string) vendorCall {
				return v.alibaba("2019-06-01", "CancelExecution", "ExecutionId", run)
			},
		},
		"cfg": {
			prepare: v.tencent("CreateTaskFromTemplate", map[string]any{"TemplateId": 627, "TaskConfig": map[string]any{
				"TaskTitle": "购物车 \"cart\" 🛒 [fd:k7m2q4x9a3bcd]", "TaskGroupsConfig": []any{map[string]any{"TaskGroupInstances": []string{"ins-a"}}},
			}}),
			start: v.tencent("ExecuteTask", map[string]any{"TaskId": 3256}),
			stop: func(string) vendorCall {
				return v.tencent("ModifyTaskRunStatus", map[string]any{"TaskId": 3256, "Status": 1003})
			},
		},
	}
}

// lifeOf prepares a sandbox on a fixed clock, ready for the service's start.
func lifeOf(t *testing.T, name string) (*Sandbox, *Clock, life) {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	clock := NewFixed(start)
	s := New(Options{Clock: clock, Real: time.Now})
	l := vendors{secret: DefaultSecret, host: "127.0.0.1:8081", transport: s.Transport()}.lives()[name]
	if l.prepare != nil {
		if _, err := l.prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s, clock, l
}

// executed lists the runs that were started.
func executed(s *Sandbox) []service.Run {
	return slices.DeleteFunc(s.Runs(), func(r service.Run) bool { return !r.Executed })
}

func TestServices_startUnderFaults(t *testing.T) {
	for name := range (vendors{}).lives() {
		for effect, runs := range map[Effect]int{Throttle: 0, ErrorBefore: 0, ErrorAfter: 1, LoseReply: 1} {
			t.Run(name+" "+string(effect), func(t *testing.T) {
				s, _, l := lifeOf(t, name)
				if _, err := s.AddFault(Fault{Fault: effect, Service: name, Kind: service.Start, Times: 1}); err != nil {
					t.Fatal(err)
				}
				if _, err := l.start(t.Context()); err == nil {
					t.Error("the start went well")
				}
				if got := executed(s); len(got) != runs {
					t.Errorf("%d runs were started, want %d: %+v", len(got), runs, got)
				}
			})
		}
	}
}

func TestServices_aStopThatLiesChangesNothing(t *testing.T) {
	for name := range (vendors{}).lives() {
		t.Run(name, func(t *testing.T) {
			s, clock, l := lifeOf(t, name)
			if _, err := l.start(t.Context()); err != nil {
				t.Fatal(err)
			}
			clock.Advance(2 * time.Second)
			s.Tick()
			before := executed(s)
			if len(before) != 1 || before[0].Ended {
				t.Fatalf("runs after the start: %+v", before)
			}
			if _, err := s.AddFault(Fault{ID: "liar", Fault: Lie}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.stop(before[0].ID)(t.Context()); err != nil {
				t.Errorf("the stop that lies says %v", err)
			}
			if after := executed(s)[0]; after.Status != before[0].Status || after.Ended {
				t.Errorf("a stop that lied changed the run from %+v to %+v", before[0], after)
			}
			if f := s.Faults(); len(f) != 1 || f[0].Played != 1 {
				t.Errorf("the lie was not played: %+v", f)
			}
			s.RemoveFault("liar")
			if _, err := l.stop(before[0].ID)(t.Context()); err != nil {
				t.Fatal(err)
			}
			clock.Advance(time.Minute)
			s.Tick()
			if after := executed(s)[0]; after.Status == before[0].Status {
				t.Errorf("a true stop left the run at %s", after.Status)
			}
		})
	}
}

func TestServices_anAlarmStopsAnExperimentWithThatStopCondition(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	clock := NewFixed(start)
	var pushed []string
	var s *Sandbox
	s = New(Options{Clock: clock, Real: time.Now, Emit: func(platform string, payload []byte) {
		pushed = append(pushed, platform+" "+string(payload))
		s.Runs() // a subscriber may look at once
	}})
	v := vendors{secret: DefaultSecret, host: "127.0.0.1:8081", transport: s.Transport()}
	if _, err := v.fisStart("EXTalarm0000000001")(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.Advance(5 * time.Second)
	s.Tick()
	if live := s.Live(); len(live) != 1 {
		t.Fatalf("live before the alarm: %+v of %+v", live, s.Runs())
	}
	if _, err := s.SetAlarm("unrelated", "firing", ""); err != nil {
		t.Fatal(err)
	}
	if status := s.Runs()[0].Status; status != "running" {
		t.Errorf("another alarm left it %s", status)
	}
	pushed = nil
	if _, err := s.SetAlarm("checkout-5xx", "firing", "5xx above 1%"); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	s.Tick()
	if r := s.Runs()[0]; r.Status != "stopped" || len(r.Live) != 0 {
		t.Errorf("after the alarm: %+v", r)
	}
	if len(pushed) < 3 || !strings.Contains(pushed[0], "CloudWatch Alarm State Change") || !strings.Contains(pushed[len(pushed)-1], `"stopped"`) {
		t.Errorf("pushed: %v", pushed)
	}
}

func TestServices_staleReads(t *testing.T) {
	s, clock, l := lifeOf(t, "fis")
	v := vendors{secret: DefaultSecret, host: "127.0.0.1:8081", transport: s.Transport()}
	if _, err := l.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	run := executed(s)[0].ID
	clock.Advance(5 * time.Second)
	if status, err := v.fisStatus(t.Context(), run); err != nil || status != "running" {
		t.Fatalf("status %s, %v", status, err)
	}
	if _, err := l.stop(run)(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	id, err := s.AddFault(Fault{Fault: Stale, Service: "fis"})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := v.fisStatus(t.Context(), run); err != nil || status != "stopped" {
		t.Errorf("a read of age 0 says %s, %v; want the truth", status, err)
	}
	if _, err := s.AddFault(Fault{ID: id, Fault: Stale, Service: "fis", Age: drill.Duration(30 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	if status, err := v.fisStatus(t.Context(), run); err != nil || status != "running" {
		t.Errorf("a read from 30 s ago says %s, %v", status, err)
	}
	s.RemoveFault(id)
	if status, err := v.fisStatus(t.Context(), run); err != nil || status != "stopped" {
		t.Errorf("a true read says %s, %v", status, err)
	}
}
