package inbound_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/inbound"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decoder returns the decoder that a sample is for.
func decoder(name string) func([]byte) ([]events.Event, error) {
	switch {
	case strings.HasPrefix(name, "aws"):
		return inbound.AWS
	case strings.HasPrefix(name, "aliyun"):
		return inbound.Aliyun
	case strings.HasPrefix(name, "tencent"):
		return inbound.Tencent
	}
	source, ext := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
	source, _, _ = strings.Cut(source, "-")
	contentType := "application/json; charset=utf-8"
	if ext == ".form" {
		contentType = "application/x-www-form-urlencoded; charset=UTF-8"
	}
	return func(b []byte) ([]events.Event, error) { return inbound.Alarm(source, contentType, b) }
}

// said shows what an event says, one line each.
func said(es []events.Event) string {
	var lines []string
	for _, e := range es {
		var data map[string]any
		_ = json.Unmarshal(e.Data(), &data)
		b, _ := json.Marshal(data)
		lines = append(lines, fmt.Sprintf("%s %q %s %s", strings.TrimPrefix(e.Type(), "dev.firedrill."), e.Subject(), e.Time().Format(time.RFC3339Nano), b))
	}
	return strings.Join(lines, "\n")
}

func TestSamples_BecomeEvents(t *testing.T) {
	for name, want := range map[string]string{
		"aws-scheduled.json":       `signal.tick.v1 "" 2026-11-20T10:00:00Z {"at":"2026-11-20T10:00:00Z"}`,
		"aws-scheduler.json":       `signal.tick.v1 "" 2026-11-20T10:00:00Z {"at":"2026-11-20T10:00:00Z"}`,
		"aws-fis.json":             `signal.state.v1 "EXPaBCD1efg2HIJkL3" 2026-11-20T10:00:00Z {"at":"2026-11-20T10:00:00Z","run":"EXPaBCD1efg2HIJkL3","service":"fis","status":"running"}`,
		"aws-alarm-metric.json":    `signal.alarm.v1 "ServerCpuTooHigh" 2019-10-02T17:04:40.989Z {"at":"2019-10-02T17:04:40.989Z","id":"123456789012/us-east-1/ServerCpuTooHigh/1570035880989","labels":{"account":"123456789012","region":"us-east-1"},"name":"ServerCpuTooHigh","reason":"Threshold Crossed: 1 out of the last 1 datapoints [99.5 (02/10/19 16:59:00)] was greater than the threshold (50.0) (muted by arn:aws:cloudwatch:us-east-1:123456789012:alarm-mute-rule:deploys)","source":"cloudwatch","state":"firing"}`,
		"aws-alarm-composite.json": `signal.alarm.v1 "ServiceAggregatedAlarm" 2022-07-22T15:57:45.394Z {"at":"2022-07-22T15:57:45.394Z","id":"123456789012/us-east-1/ServiceAggregatedAlarm/1658505465394","labels":{"account":"123456789012","region":"us-east-1"},"name":"ServiceAggregatedAlarm","reason":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:SuppressionDemo.EventBridge.FirstChild transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC (actions suppressed by WaitPeriod: Actions suppressed by WaitPeriod)","source":"cloudwatch","state":"firing"}`,
		"aws-alarm-direct.json":    `signal.alarm.v1 "lambda-demo-metric-alarm" 2023-08-04T12:36:15.49Z {"at":"2023-08-04T12:36:15.49Z","id":"444455556666/us-east-1/lambda-demo-metric-alarm/1691152575490","labels":{"account":"444455556666","region":"us-east-1"},"name":"lambda-demo-metric-alarm","reason":"test","source":"cloudwatch","state":"firing"}`,
		"aws-alarm-sns.json":       `signal.alarm.v1 "ServerCpuTooHigh" 2019-10-02T17:04:40.989Z {"at":"2019-10-02T17:04:40.989Z","id":"123456789012/us-east-1/ServerCpuTooHigh/1570035880989","labels":{"account":"123456789012","region":"us-east-1"},"name":"ServerCpuTooHigh","reason":"Threshold Crossed","source":"cloudwatch","state":"firing"}`,
		"aliyun-timer.json":        `signal.tick.v1 "" 2026-01-02T03:04:00Z {"at":"2026-01-02T03:04:00Z"}`,
		"aliyun-scheduled.json":    `signal.tick.v1 "" 2026-01-02T03:10:00Z {"at":"2026-01-02T03:10:00Z"}`,
		"aliyun-oos.json": `signal.state.v1 "exec-x" 2026-01-01T19:04:05.123Z {"at":"2026-01-01T19:04:05.123Z","run":"exec-x","service":"oos","status":"Success"}
signal.state.v1 "exec-p" 2026-01-01T19:04:05.123Z {"at":"2026-01-01T19:04:05.123Z","run":"exec-p","service":"oos"}`,
		"aliyun-eventbridge-oos.json": `signal.state.v1 "exec-y" 2026-01-01T19:04:05.123Z {"at":"2026-01-01T19:04:05.123Z","run":"exec-y","service":"oos","status":"Failed"}`,
		"cloudmonitor.form":           `signal.alarm.v1 "checkout-5xx" 2026-01-02T03:04:05Z {"at":"2026-01-02T03:04:05Z","id":"applyTemplate_1/{userId=1690000000000001, instanceId=i-abc}/1767323045","labels":{"instanceId":"i-abc","metric":"CPUUtilization","namespace":"acs_ecs_dashboard","rule":"applyTemplate_1","userId":"1690000000000001"},"name":"checkout-5xx","reason":"CRITICAL CPUUtilization $Average\u003e=95 value 97.2 web-1","source":"cloudmonitor","state":"firing"}`,
		"arms.json":                   `signal.alarm.v1 "CartErrors" 2026-01-02T03:04:05.123456789Z {"at":"2026-01-02T03:04:05.123456789Z","id":"c2a7c9a8d6c1@2026-01-02T03:04:05.123456789Z","labels":{"_aliyun_arms_alert_name":"CartErrors","alertname":"CartErrors","severity":"critical"},"name":"CartErrors","source":"arms","state":"firing"}`,
		"alertmanager.json": `signal.alarm.v1 "CartErrors" 2026-11-24T10:01:02.345678901Z {"at":"2026-11-24T10:01:02.345678901Z","id":"5ef77f1f8a3ecfb5@2026-11-24T10:01:02.345678901Z","labels":{"alertname":"CartErrors","env":"prod","pod":"cart-1"},"name":"CartErrors","reason":"购物车错误率过高 \"5%\" 🔥","source":"alertmanager","state":"firing"}
signal.alarm.v1 "CartErrors" 2026-11-24T09:00:30Z {"at":"2026-11-24T09:00:30Z","id":"90ad1c6f7f2b1f11@2026-11-24T09:00:00Z","labels":{"alertname":"CartErrors","env":"prod","pod":"cart-2"},"name":"CartErrors","reason":"gone","source":"alertmanager","state":"resolved"}`,
		"tencent-timer.json":     `signal.tick.v1 "" 2019-02-21T11:49:00Z {"at":"2019-02-21T11:49:00Z"}`,
		"tencent-event.json":     `signal.alarm.v1 "cvm:ErrorEvent:PingUnreachable" 2021-03-11T02:42:39.146Z {"at":"2021-03-11T02:42:39.146Z","id":"13a3f42d-7258-4ada-da6d-023a333b4662","labels":{"region":"ap-guangzhou","subject":"ins-sjdksjk"},"name":"cvm:ErrorEvent:PingUnreachable","source":"tcop","state":"firing"}`,
		"tencent-eventlist.json": `signal.alarm.v1 "cvm:ErrorEvent:PingUnreachable" 2021-03-11T02:42:39.146Z {"at":"2021-03-11T02:42:39.146Z","id":"13a3f42d-7258-4ada-da6d-023a333b4662","labels":{"region":"ap-guangzhou","subject":"ins-sjdksjk"},"name":"cvm:ErrorEvent:PingUnreachable","source":"tcop","state":"resolved"}`,
		"tcop-metric.json":       `signal.alarm.v1 "Default" 2021-05-11T12:31:00Z {"at":"2021-05-11T12:31:00Z","id":"9LCvdYx3sawt1H1emvaaMpx0/","labels":{"deviceName":"h-02","metric":"mem_usage","namespace":"qce/cvm","objId":"f49fc905-0000-0000-0000-000000000000","objName":"172.22.0.4#4112475","policy":"policy-8f5m0jo2","region":"sg","unInstanceId":"ins-jis5nk7e"},"name":"Default","reason":"MemoryUtilization \u003e 90 % now 90.683","source":"tcop","state":"firing"}`,
		"tcop-event.json":        `signal.alarm.v1 "AlarmForTetHoliday" 2021-04-20T02:23:25Z {"at":"2021-04-20T02:23:25Z","id":"U4LkCLqoFkA5Hmksqp7HRg93/","labels":{"deviceName":"Unnamed33","metric":"ping_unreachable","region":"hk","unInstanceId":"ins-7hw5sju6"},"name":"AlarmForTetHoliday","reason":"ping_unreachable now","source":"tcop","state":"resolved"}`,
		"generic.json":           `signal.alarm.v1 "checkout-5xx" 2026-11-24T10:00:00Z {"at":"2026-11-24T10:00:00Z","id":"PLACEHOLDER","labels":{"env":"prod"},"name":"checkout-5xx","source":"local","state":"firing"}`,
	} {
		t.Run(name, func(t *testing.T) {
			es, err := decoder(name)(sample(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if name == "generic.json" {
				a, err := events.Decode[events.Alarm](es[0])
				if err != nil {
					t.Fatal(err)
				}
				want = strings.Replace(want, "PLACEHOLDER", a.ID, 1)
			}
			if got := said(es); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			again, err := decoder(name)(sample(t, name))
			if err != nil {
				t.Fatal(err)
			}
			for i := range es {
				if es[i].ID() != again[i].ID() || es[i].Source() != again[i].Source() {
					t.Errorf("delivered again, event %d has another id", i)
				}
			}
		})
	}
}

func TestSamples_AreAllRead(t *testing.T) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		if _, err := decoder(f.Name())(sample(t, f.Name())); err != nil {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
}

func TestCloudWatch_SameChangeByFourWaysIsOneEvent(t *testing.T) {
	sns := sample(t, "aws-alarm-sns.json")
	var records struct {
		Records []struct {
			Sns json.RawMessage `json:"Sns"`
		} `json:"Records"`
	}
	if err := json.Unmarshal(sns, &records); err != nil {
		t.Fatal(err)
	}
	bridge, err := inbound.AWS(sample(t, "aws-alarm-metric.json"))
	if err != nil {
		t.Fatal(err)
	}
	lambda, err := inbound.AWS(sns)
	if err != nil {
		t.Fatal(err)
	}
	http, err := inbound.Alarm("cloudwatch", "text/plain; charset=UTF-8", records.Records[0].Sns)
	if err != nil {
		t.Fatal(err)
	}
	var n struct{ Message string }
	if err := json.Unmarshal(records.Records[0].Sns, &n); err != nil {
		t.Fatal(err)
	}
	raw, err := inbound.AWS([]byte(n.Message)) // SNS with raw message delivery, on a queue
	if err != nil {
		t.Fatal(err)
	}
	if bridge[0].ID() != lambda[0].ID() || bridge[0].ID() != http[0].ID() || bridge[0].ID() != raw[0].ID() {
		t.Errorf("ids %s, %s, %s, %s: want one", bridge[0].ID(), lambda[0].ID(), http[0].ID(), raw[0].ID())
	}
}

// topic wraps a message as SNS hands it to a function, and as it posts it over HTTP.
func topic(t *testing.T, message []byte) (records, post []byte) {
	t.Helper()
	post, err := json.Marshal(map[string]string{"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": string(message)})
	if err != nil {
		t.Fatal(err)
	}
	return []byte(`{"Records":[{"EventSource":"aws:sns","Sns":` + string(post) + `}]}`), post
}

func TestAWS_ATopicMayStandAroundWhatCallsAFunction(t *testing.T) {
	_, start := ourStart(t)
	composite := `{"AlarmName":"ServiceAggregatedAlarm","AlarmDescription":null,"AWSAccountId":"123456789012","NewStateValue":"ALARM","NewStateReason":"r","StateChangeTime":"2022-07-22T15:57:45.394+0000",
		"Region":"US East (N. Virginia)","AlarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServiceAggregatedAlarm","OldStateValue":"OK","AlarmRule":"ALARM(a)","TriggeringChildren":[]}`
	for name, body := range map[string][]byte{
		"aws-fis.json": nil, "aws-scheduled.json": nil, "aws-alarm-metric.json": nil, "aws-alarm-composite.json": nil, "aws-alarm-direct.json": nil,
		"one of ours": start, "one of ours on its bus": []byte(`{"detail-type":"` + events.TypeStart + `","source":"firedrill","detail":` + string(start) + `}`), "a composite alarm's own": []byte(composite),
	} {
		if body == nil {
			body = sample(t, name)
		}
		bare, err := inbound.AWS(body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wrapped, post := topic(t, body)
		got, err := inbound.AWS(wrapped)
		if err != nil || len(got) != 1 || got[0].ID() != bare[0].ID() {
			t.Errorf("%s: by a topic it is %v, %v", name, got, err)
		}
		twice, _ := topic(t, wrapped)
		if got, err := inbound.AWS(twice); !errors.Is(err, events.ErrInvalid) || len(got) != 0 {
			t.Errorf("%s: a topic around a topic is read: %v, %v", name, got, err)
		}
		if got, err := inbound.Alarm("cloudwatch", "text/plain", post); err == nil && got[0].Type() != events.TypeAlarm {
			t.Errorf("%s: who may post alarms posted %s", name, got[0].Type())
		}
	}
}

func TestAWS_TimesThatAreNotRFC3339(t *testing.T) {
	want, ready := ourStart(t)
	for name, written := range map[string]string{"no colon": `"2026-11-24T09:00:00.000+0000"`, "another zone": `"2026-11-24T17:00:00+0800"`} {
		got, err := inbound.AWS([]byte(strings.Replace(string(ready), `"2026-11-24T09:00:00Z"`, written, 1)))
		if err != nil || !got[0].Time().Equal(want.Time()) || string(got[0].Data()) != string(want.Data()) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	twice := strings.Replace(string(ready), `"time":"2026-11-24T09:00:00Z"`, `"time":"2026-11-24T09:00:00+0000","time":"2027-11-24T09:00:00Z"`, 1)
	if _, err := inbound.AWS([]byte(twice)); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("two times: %v", err)
	}
	first, err := inbound.AWS([]byte(`{"id":"1","detail-type":"Scheduled Event","source":"aws.events","time":"1970-01-01T00:00:00Z","detail":{}}`)) // AWS's own sample
	if err != nil || said(first) != `signal.tick.v1 "" 1970-01-01T00:00:00Z {"at":"1970-01-01T00:00:00Z"}` {
		t.Errorf("%v, %v", first, err)
	}
}

func TestAlarm_StatesDifferInID(t *testing.T) {
	fire := sample(t, "aws-alarm-metric.json")
	ok := []byte(strings.Replace(string(fire), `"value":"ALARM"`, `"value":"OK"`, 1))
	a, err := inbound.AWS(fire)
	if err != nil {
		t.Fatal(err)
	}
	b, err := inbound.AWS(ok)
	if err != nil {
		t.Fatal(err)
	}
	if a[0].ID() == b[0].ID() {
		t.Error("firing and resolved have the same id")
	}
	p, err := events.Decode[events.Alarm](b[0])
	if err != nil || p.State != "resolved" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestAlarm_InsufficientDataSaysNothing(t *testing.T) {
	body := strings.Replace(string(sample(t, "aws-alarm-metric.json")), `"value":"ALARM"`, `"value":"INSUFFICIENT_DATA"`, 1)
	if es, err := inbound.AWS([]byte(body)); err != nil || len(es) != 0 {
		t.Errorf("got %d events, %v", len(es), err)
	}
}

func TestCloudMonitor_FormAndOldJSONAreTheSameAlarm(t *testing.T) {
	old := `{"alertName":"checkout-5xx","alertState":"ALARM","timestamp":1767323045000,"ruleId":"applyTemplate_1","metricName":"CPUUtilization","metricProject":"acs_ecs_dashboard",
		"dimensions":[{"userId":1690000000000001},{"instanceId":"i-abc"}],"curValue":97.2}`
	form, err := inbound.Alarm("cloudmonitor", "application/x-www-form-urlencoded", sample(t, "cloudmonitor.form"))
	if err != nil {
		t.Fatal(err)
	}
	js, err := inbound.Alarm("cloudmonitor", "application/json", []byte(old))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := events.Decode[events.Alarm](form[0])
	b, err := events.Decode[events.Alarm](js[0])
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(a.Labels) != fmt.Sprint(b.Labels) || a.Name != b.Name || a.State != b.State || !a.At.Equal(b.At) {
		t.Errorf("form %+v\njson %+v", a, b)
	}
	viaFunction, err := inbound.Aliyun(sample(t, "cloudmonitor.form"))
	if err != nil || viaFunction[0].ID() != form[0].ID() {
		t.Errorf("through the function: %v, %v", viaFunction, err)
	}
}

func TestTCOP_RecoveryIsLaterThanItsFiring(t *testing.T) {
	fire := string(sample(t, "tcop-metric.json"))
	for name, body := range map[string]string{
		"with a time":    strings.NewReplacer(`"alarmStatus":"1"`, `"alarmStatus":0`, `"recoverTime":"0"`, `"recoverTime":"2021-05-11 20:40:00"`).Replace(fire),
		"with duration":  strings.NewReplacer(`"alarmStatus":"1"`, `"alarmStatus":"0"`, `"durationTime":0`, `"durationTime":"540"`).Replace(fire),
		"with no length": strings.NewReplacer(`"alarmStatus":"1"`, `"alarmStatus":"0"`).Replace(fire),
	} {
		t.Run(name, func(t *testing.T) {
			on, err := inbound.Tencent([]byte(fire))
			if err != nil {
				t.Fatal(err)
			}
			off, err := inbound.Alarm("tcop", "application/json", []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			a, _ := events.Decode[events.Alarm](on[0])
			b, err := events.Decode[events.Alarm](off[0])
			if err != nil {
				t.Fatal(err)
			}
			if b.State != "resolved" || !b.At.After(a.At) || fmt.Sprint(a.Labels) != fmt.Sprint(b.Labels) {
				t.Errorf("fires %+v\nrecovers %+v", a, b)
			}
		})
	}
}

func ourStart(t testing.TB) (events.Event, []byte) {
	t.Helper()
	e, err := events.New(events.Envelope{ID: "abc", Source: "/firedrill/home/chatops", Subject: "checkout", Time: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), Cause: "c1"},
		events.Start{Plan: "checkout", Actor: "webhook:acme/alice"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return e, b
}

func TestOwnEvents_ComeOutAsTheyWentIn(t *testing.T) {
	want, b := ourStart(t)
	quoted, _ := json.Marshal(string(b))
	unwrapped := strings.NewReplacer(`"specversion":"1.0"`, `"specversion":"1.0.2"`, `"2026-11-24T09:00:00Z"`, `1795510800000`, `"source"`, `"tags":{"a":"b"},"resource":["x"],"source"`).Replace(string(b))
	for name, c := range map[string]struct {
		read func([]byte) ([]events.Event, error)
		body string
	}{
		"eventbridge detail":            {inbound.AWS, `{"detail-type":"` + events.TypeStart + `","source":"/firedrill/home/chatops","detail":` + string(b) + `}`},
		"scheduler input":               {inbound.AWS, string(b)},
		"aliyun as it is":               {inbound.Aliyun, string(b)},
		"aliyun in data":                {inbound.Aliyun, `{"specversion":"1.0","id":"x","source":"fd","type":"` + events.TypeStart + `","time":"2026-11-24T17:00:00.1PRC","data":` + string(b) + `}`},
		"tencent in data, as text":      {inbound.Tencent, `{"EventList":[{"specversion":"1.0.2","id":"x","source":"fd","type":"` + events.TypeStart + `","time":"1795510800000","data":` + string(quoted) + `}]}`},
		"tencent with the envelope off": {inbound.Tencent, unwrapped},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.read([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || got[0].ID() != want.ID() || got[0].Source() != want.Source() || !got[0].Time().Equal(want.Time()) ||
				events.Cause(got[0]) != "c1" || string(got[0].Data()) != string(want.Data()) {
				t.Errorf("got %v\nwant %v", got, want)
			}
		})
	}
}

func TestMalformed_IsInvalidAndSaysWhatWasSeen(t *testing.T) {
	_, b := ourStart(t)
	form := "application/x-www-form-urlencoded"
	alarm := func(source, contentType string) func([]byte) ([]events.Event, error) {
		return func(b []byte) ([]events.Event, error) { return inbound.Alarm(source, contentType, b) }
	}
	for name, c := range map[string]struct {
		read func([]byte) ([]events.Event, error)
		body string
		want string
	}{
		"nothing":                              {inbound.AWS, "", "empty"},
		"not json":                             {inbound.AWS, "hello", "begins with"},
		"cut short":                            {inbound.AWS, string(sample(t, "aws-fis.json"))[:200], "not valid json"},
		"an empty object":                      {inbound.AWS, "{}", "neither"},
		"another detail-type":                  {inbound.AWS, `{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2"}`, "EC2 Instance"},
		"an alarm from another source":         {inbound.AWS, `{"detail-type":"CloudWatch Alarm State Change","source":"me","detail":{}}`, "aws.cloudwatch"},
		"a tick from another source":           {inbound.AWS, `{"detail-type":"Scheduled Event","source":"me","time":"2026-11-20T10:00:00Z"}`, "aws.events"},
		"an experiment without id":             {inbound.AWS, `{"detail-type":"FIS Experiment State Change","source":"aws.fis","detail":{}}`, "experiment-id"},
		"an unknown alarm state":               {inbound.AWS, strings.Replace(string(sample(t, "aws-alarm-metric.json")), `"ALARM"`, `"PURPLE"`, 1), "PURPLE"},
		"a time of year one":                   {inbound.AWS, strings.Replace(string(sample(t, "aws-fis.json")), "2026", "0001", 1), "out of range"},
		"our event wrapped as another":         {inbound.AWS, `{"detail-type":"` + events.TypeTick + `","detail":` + string(b) + `}`, "wrapped as"},
		"our event wrapped as another, aliyun": {inbound.Aliyun, `{"specversion":"1.0","id":"x","source":"fd","type":"` + events.TypeTick + `","data":` + string(b) + `}`, "wrapped as"},
		"records of a queue":                   {inbound.AWS, `{"Records":[{"EventSource":"aws:sqs"}]}`, "aws:sqs"},
		"an sns message that is no alarm":      {inbound.AWS, `{"Records":[{"EventSource":"aws:sns","Sns":{"Type":"Notification","Message":"hi"}}]}`, "JSON object"},
		"an sns subscription":                  {alarm("cloudwatch", "text/plain"), `{"Type":"SubscriptionConfirmation","Message":"x","SubscribeURL":"https://sns.example/secret-token"}`, "confirm the subscription"},
		"an unknown aliyun type":               {inbound.Aliyun, `{"specversion":"1.0","id":"x","source":"acs.ecs","type":"ecs:Disk"}`, "ecs:Disk"},
		"an aliyun event of another version":   {inbound.Aliyun, `{"specversion":"0.3","id":"x","source":"acs.oos","type":"oos"}`, "0.3"},
		"a system event of another product":    {inbound.Aliyun, `{"product":"ECS","name":"x"}`, "ECS"},
		"a system event without execution":     {inbound.Aliyun, `{"product":"OOS","name":"x","content":{}}`, "executionId"},
		"a form with a field twice":            {alarm("cloudmonitor", form), "alertName=a&alertName=b", "2 times"},
		"a form with an unknown state":         {alarm("cloudmonitor", form), "alertName=a&alertState=MAYBE", "MAYBE"},
		"an unknown tencent type":              {inbound.Tencent, `{"Type":"Kafka"}`, "Kafka"},
		"a tencent event without time":         {inbound.Tencent, `{"specversion":"1.0","id":"1","source":"cvm.cloud.tencent","type":"cvm:ErrorEvent:X","status":"1"}`, "no time"},
		"a tencent event without state":        {inbound.Tencent, `{"specversion":"1.0","id":"1","source":"cvm.cloud.tencent","type":"cvm:ErrorEvent:X","time":1615430559146}`, "neither 1 nor 0"},
		"a tcop alarm of status 7":             {alarm("tcop", ""), `{"alarmStatus":7,"sessionId":"s"}`, "neither 1 nor 0"},
		"a tcop alarm without session":         {alarm("tcop", ""), `{"alarmStatus":1}`, "sessionId"},
		"a tcop alarm without a name":          {alarm("tcop", ""), `{"alarmStatus":1,"sessionId":"s","firstOccurTime":"2021-05-11 20:31:00"}`, "no name"},
		"no alerts":                            {alarm("alertmanager", ""), `{"alerts":[]}`, "no alerts"},
		"an alert without name":                {alarm("alertmanager", ""), `{"alerts":[{"status":"firing","startsAt":"2026-11-24T10:00:00Z"}]}`, "alertname"},
		"a resolved alert without end":         {alarm("alertmanager", ""), `{"alerts":[{"status":"resolved","labels":{"alertname":"a"},"startsAt":"2026-11-24T10:00:00Z","endsAt":"0001-01-01T00:00:00Z"}]}`, "out of range"},
		"a generic alarm without time":         {alarm("generic", ""), `{"name":"a","state":"firing"}`, "at is missing"},
		"a generic alarm of no state":          {alarm("generic", ""), `{"name":"a","state":"on","at":"2026-11-24T10:00:00Z"}`, "firing, resolved"},
		"a source that nobody knows":           {alarm("zabbix", ""), `{}`, "zabbix"},
		"too large":                            {inbound.AWS, `{"a":"` + strings.Repeat("x", inbound.MaxBytes) + `"}`, "limit"},
		"too large a form":                     {inbound.Aliyun, "a=" + strings.Repeat("x", inbound.MaxBytes), "limit"},
		"too many items":                       {inbound.Aliyun, "[" + strings.Repeat("{},", 1000) + "{}]", "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			es, err := c.read([]byte(c.body))
			if !errors.Is(err, events.ErrInvalid) || len(es) != 0 {
				t.Fatalf("got %d events, error %v", len(es), err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q does not say %q", err, c.want)
			}
			if strings.Contains(err.Error(), "secret-token") || len(err.Error()) > 600 {
				t.Errorf("error says too much: %q", err)
			}
		})
	}
}

func TestAlertmanager_OneBadAlertKeepsNoOtherBack(t *testing.T) {
	body := `{"alerts":[{"status":"firing","labels":{},"startsAt":"2026-11-24T10:00:00Z"},{"status":"firing","labels":{"alertname":"a"},"startsAt":"2026-11-24T10:00:00Z"}]}`
	es, err := inbound.Alarm("alertmanager", "application/json", []byte(body))
	if len(es) != 1 || es[0].Subject() != "a" {
		t.Errorf("events %v", es)
	}
	if !errors.Is(err, events.ErrInvalid) || !strings.Contains(err.Error(), "item 1") {
		t.Errorf("error %v", err)
	}
}

func TestAlertmanager_RepeatedAndRefiredAlerts(t *testing.T) {
	body := string(sample(t, "alertmanager.json"))
	first, err := inbound.Alarm("alertmanager", "", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	again, err := inbound.Alarm("alertmanager", "", []byte(strings.Replace(body, "10:01:02.345678901Z", "12:00:00Z", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if first[0].ID() == again[0].ID() {
		t.Error("an alert that fires anew has the id of the old one")
	}
	if first[1].ID() != again[1].ID() {
		t.Error("an alert that is only repeated has another id")
	}
}
