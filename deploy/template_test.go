package deploy

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/firedrill/firedrill/deploy/sam"
	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/abort"
	"github.com/firedrill/firedrill/functions/advance"
	"github.com/firedrill/firedrill/functions/conclude"
	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/functions/poll"
	"github.com/firedrill/firedrill/functions/start"
	"github.com/firedrill/firedrill/shared/bus/eventbridge"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/host/lambdatest"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/talk"
)

func types() map[string][]string {
	return map[string][]string{"start": start.Types(), "advance": advance.Types(), "poll": poll.Types(), "abort": abort.Types(),
		"conclude": conclude.Types(), "notify": notify.Types()}
}

func TestTemplate_SevenFunctions(t *testing.T) {
	tpl := load(t)
	want := slices.Sorted(slices.Values(names()))
	if got := tpl.Functions(); !slices.Equal(got, want) {
		t.Fatalf("functions are %v, want %v", got, want)
	}
	for _, f := range want {
		if got := tpl.Property(f, "CodeUri"); got != "build/"+f+"/"+f+".zip" {
			t.Errorf("%s is built from %v", f, got)
		}
		if tpl.RoleOf(f) != strings.ToUpper(f[:1])+f[1:]+"Role" {
			t.Errorf("%s has the role %s: each has its own", f, tpl.RoleOf(f))
		}
	}
}

func TestTemplate_OwnEventsReachWhoHandlesThem(t *testing.T) {
	got := map[string][]string{}
	for _, r := range load(t).Rules() {
		if r.Bus == "" {
			continue
		}
		if s := r.Texts("source"); !slices.Equal(s, []string{eventbridge.Source}) {
			t.Errorf("%s: the rule takes events from %v, the bus writes %s", r.Function, s, eventbridge.Source)
		}
		got[r.Function] = append(got[r.Function], r.Texts("detail-type")...)
	}
	for f, want := range types() {
		if !same(got[f], want) {
			t.Errorf("%s is sent %v, it handles %v", f, got[f], want)
		}
	}
	if len(got) != len(types()) {
		t.Errorf("rules call %v", slices.Sorted(maps.Keys(got)))
	}
}

func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// TestTemplate_SignalsReachWhoHandlesThem holds the rules on the account's own bus against the types that payloads of AWS become.
func TestTemplate_SignalsReachWhoHandlesThem(t *testing.T) {
	want := map[string]string{"FIS Experiment State Change": events.TypeState, "CloudWatch Alarm State Change": events.TypeAlarm}
	got := map[string][]string{}
	for _, r := range load(t).Rules() {
		switch {
		case r.Bus != "":
		case r.Schedule == "rate(1 minute)":
			got[events.TypeTick] = append(got[events.TypeTick], r.Function)
		case len(r.Texts("detail-type")) == 1:
			got[want[r.Texts("detail-type")[0]]] = append(got[want[r.Texts("detail-type")[0]]], r.Function)
		default:
			t.Errorf("%s of %s is neither a tick nor one kind of event", r.Name, r.Function)
		}
	}
	for kind, fs := range map[string][]string{events.TypeTick: {"poll", "start"}, events.TypeState: {"poll"}, events.TypeAlarm: {"abort"}} {
		if !same(got[kind], fs) {
			t.Errorf("%s reaches %v, want %v", kind, got[kind], fs)
		}
		for _, f := range fs {
			if !slices.Contains(types()[f], kind) {
				t.Errorf("%s does not handle %s", f, kind)
			}
		}
	}
}

// TestTemplate_AlarmPrefix wants the narrower rule where one is asked for, and the states that make an event in both.
func TestTemplate_AlarmPrefix(t *testing.T) {
	for _, holds := range [][]string{nil, {"HasPrefix"}} {
		for _, r := range load(t, holds...).Rules() {
			if r.Name != "AlarmsRule" {
				continue
			}
			detail := r.Pattern["detail"].(map[string]any)
			if _, ok := detail["alarmName"]; ok != (holds != nil) {
				t.Errorf("with %v the pattern is %v", holds, detail)
			}
			if !same(r.Texts("detail", "state", "value"), []string{"ALARM", "OK"}) {
				t.Errorf("states are %v", r.Texts("detail", "state", "value"))
			}
		}
	}
}

func TestTemplate_WideGrants(t *testing.T) {
	tpl := load(t, "HasLever")
	lever, lists := []string{"fis:GetSafetyLever", "fis:UpdateSafetyLeverState"}, []string{"fis:ListExperiments"}
	for _, role := range tpl.OfType("AWS::IAM::Role") {
		grants, err := tpl.Grants(role)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range grants {
			if slices.Contains(s.Resources, "*") && !slices.Equal(s.Actions, lists) {
				t.Errorf("%s may do %v to everything", role, s.Actions)
			}
			if len(s.Resources) == 0 || strings.Contains(strings.Join(s.Actions, ""), "*") {
				t.Errorf("%s has %v on %v", role, s.Actions, s.Resources)
			}
			if same(s.Actions, lever) != (role == "LeverRole") {
				t.Errorf("%s has %v: the safety lever is LeverRole's, and nothing else is", role, s.Actions)
			}
			if slices.Contains(s.Actions, "fis:StopExperiment") && s.Condition != nil {
				t.Errorf("%s can stop only under a condition", role)
			}
			if slices.Contains(s.Actions, "s3:DeleteObject") && !same(s.Resources, []string{"<Bucket.Arn>/journal/active/*", "<Bucket.Arn>/journal/alarms/*"}) {
				t.Errorf("%s may delete %v", role, s.Resources)
			}
		}
	}
}

// TestTemplate_NothingOfTheJournalExpires looks at every rule of the bucket's life cycle.
func TestTemplate_NothingOfTheJournalExpires(t *testing.T) {
	rules := load(t).Resources["Bucket"].Properties["LifecycleConfiguration"].(map[string]any)["Rules"].([]any)
	for _, one := range rules {
		r := one.(map[string]any)
		prefix, _ := r["Prefix"].(string)
		if r["AbortIncompleteMultipartUpload"] != nil && len(r) == 3 {
			continue
		}
		for _, kept := range []string{"journal/drills/x", "journal/registers/x", "journal/identity"} {
			if strings.HasPrefix(kept, prefix) {
				t.Errorf("the rule %v takes %s away", r["Id"], kept)
			}
		}
		if r["ExpirationInDays"] != nil && prefix != "journal/objects/" {
			t.Errorf("the rule %v takes %s away", r["Id"], prefix)
		}
	}
}

// secretsOf says which secret goes to which functions, and so to no other.
func secretsOf() map[string][]string {
	return map[string][]string{
		"FIREDRILL_ALARM_TOKENS": {"abort"}, "FIREDRILL_WEBHOOK_SECRETS": {"chatops"}, "FIREDRILL_WEBHOOK_OUT_SECRETS": {"notify"},
		"FIREDRILL_CHAT_KEYS": {"chatops", "notify"}, "FIREDRILL_DINGTALK_APP_SECRETS": {"chatops", "notify"}, // its robot signs with the app's secret
		"FIREDRILL_SLACK_SIGNING_SECRETS": {"chatops"}, "FIREDRILL_FEISHU_ENCRYPT_KEYS": {"chatops"}, "FIREDRILL_FEISHU_VERIFICATION_TOKENS": {"chatops"},
		"FIREDRILL_WECOM_TOKENS": {"chatops"}, "FIREDRILL_WECOM_AES_KEYS": {"chatops"},
		"FIREDRILL_SLACK_BOT_TOKENS": {"notify"}, "FIREDRILL_FEISHU_APP_SECRETS": {"notify"}, "FIREDRILL_WECOM_APP_SECRETS": {"notify"},
		"FIREDRILL_FEISHU_HOOKS": {"notify"}, "FIREDRILL_DINGTALK_ROBOTS": {"notify"}, "FIREDRILL_WECOM_ROBOTS": {"notify"},
		"FIREDRILL_DINGTALK_CARD_SECRETS": {"chatops", "notify"}, // a card is sent only where its buttons can be believed
	}
}

func chats() []string {
	return []string{"HasSlack", "HasFeishu", "HasDingTalk", "HasWeCom", "HasChat", "SendsFeishu", "SendsDingTalk", "SendsWeCom"}
}

// extras are the conditions of what a platform has besides its app.
func extras() []string {
	return []string{"HasFeishuHooks", "HasDingTalkRobots", "HasDingTalkCards", "HasWeComRobots"}
}

func TestTemplate_SecretsComeFromSecretsManager(t *testing.T) {
	tpl := load(t, slices.Concat(chats(), extras(), []string{"HasAliyun", "HasTencent"})...)
	clouds := []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"}
	for _, f := range names() {
		env := tpl.Env(f)
		for variable, owners := range secretsOf() {
			value, ok := env[variable]
			if ok != slices.Contains(owners, f) {
				t.Errorf("%s: %s is set: %v; it belongs to %v", f, variable, ok, owners)
			}
			if ok && !strings.HasPrefix(value, "{{resolve:secretsmanager:drills:SecretString:") {
				t.Errorf("%s is %q", variable, value)
			}
		}
		for _, variable := range clouds {
			value, ok := env[variable]
			if drives := f != "notify" && f != "chatops"; ok != drives || ok && !strings.HasPrefix(value, "{{resolve:secretsmanager:") {
				t.Errorf("%s: %s is %q", f, variable, value)
			}
		}
	}
}

// given reads the variables that the template gives a function, as the function does, with plausible values in them.
func given(tpl *sam.Template, f string) talk.Get {
	values := map[string]string{
		"FIREDRILL_CHAT_KEYS": base64.StdEncoding.EncodeToString(make([]byte, 32)), "FIREDRILL_SLACK_SIGNING_SECRETS": strings.Repeat("a1", 16), "FIREDRILL_SLACK_TENANTS": "T0DRILL",
		"FIREDRILL_SLACK_APPS": "A0DRILL", "FIREDRILL_SLACK_BOT_TOKENS": "xoxb-1-abcdefghijkl", "FIREDRILL_FEISHU_TENANTS": "2ed263bf32cf1651", "FIREDRILL_FEISHU_APP_ID": "cli_drill",
		"FIREDRILL_FEISHU_HOOKS": "ops=0123-4567:secretsecret", "FIREDRILL_DINGTALK_TENANTS": "dingdrill", "FIREDRILL_DINGTALK_APP_KEY": "dingappdrill",
		"FIREDRILL_DINGTALK_ROBOT_CODES": "dingbotdrill", "FIREDRILL_DINGTALK_ROBOTS": "ops=token:SECdrill", "FIREDRILL_DINGTALK_CARD_TEMPLATE": "card.schema",
		"FIREDRILL_WECOM_TENANTS": "wwdrill0000000001", "FIREDRILL_WECOM_AGENT": "1000002", "FIREDRILL_WECOM_TOKENS": "QDG6eK", "FIREDRILL_WECOM_AES_KEYS": strings.Repeat("a", 43),
		"FIREDRILL_WECOM_ROBOTS": "ops=01234567-89ab-cdef-0123-456789abcdef",
	}
	env := tpl.Env(f)
	return func(name string) string {
		value, ok := env[name]
		if v, known := values[name]; ok && known {
			return v
		}
		if ok && strings.HasPrefix(value, "{{") && !strings.HasPrefix(name, "FIREDRILL_WEBHOOK") {
			return "an-app-secret-of-some-length"
		}
		return ""
	}
}

// TestTemplate_ChatPlatformsAreSetUpWhole opens the platforms with the template's variables: all of them with all that they have, the apps alone, and
// robots of groups without an app.
func TestTemplate_ChatPlatformsAreSetUpWhole(t *testing.T) {
	robots := []string{"HasChat", "SendsFeishu", "SendsDingTalk", "SendsWeCom", "HasFeishuHooks", "HasDingTalkRobots", "HasWeComRobots"}
	for name, c := range map[string]struct {
		holds   []string
		in, out int
	}{"all": {append(chats(), extras()...), 4, 4}, "apps": {chats(), 4, 4}, "robots": {robots, 0, 3}} {
		tpl := load(t, c.holds...)
		receivers, err := talk.Receivers(given(tpl, "chatops"))
		if c.in > 0 && (err != nil || len(receivers) != c.in) || len(receivers) != c.in {
			t.Errorf("%s: chatops has %d platforms, %v", name, len(receivers), err)
		}
		senders, err := talk.Senders(given(tpl, "notify"), wire.Options{Now: time.Now, Wait: func(context.Context, time.Duration) error { return nil }})
		if err != nil || len(senders) != c.out {
			t.Errorf("%s: notify has %d platforms, %v", name, len(senders), err)
		}
	}
}

// TestTemplate_EveryVariableOfChatReachesAFunction: what docs/chat says can be set, can be set here.
func TestTemplate_EveryVariableOfChatReachesAFunction(t *testing.T) {
	tpl := load(t, append(chats(), extras()...)...)
	in, out := tpl.Env("chatops"), tpl.Env("notify")
	for _, v := range talk.Variables() {
		_, a := in[v]
		if _, b := out[v]; !a && !b {
			t.Errorf("the template gives nobody %s", v)
		}
	}
	if _, ok := out[talk.InTenants]; ok || in[talk.InTenants] != tpl.Values["WebhookTenants"] {
		t.Error("who may send commands is chatops's alone to know")
	}
}

// shop is an S3 server in this process with a catalogue in it.
func shop(t *testing.T) string {
	t.Helper()
	backend := s3mem.New()
	const text = "version: 1\naccounts: { aws: { cloud: aws, id: \"123456789012\", region: us-east-1 } }\n" +
		"drills: { one: { title: One, owner: sre, account: aws, environment: staging, fis: { template: EXTwait00000000001 } } }\n"
	if err := backend.CreateBucket("drills"); err != nil {
		t.Fatal(err)
	}
	if _, err := backend.PutObject("drills", "catalog/drills.yaml", nil, strings.NewReader(text), int64(len(text)), nil); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.Handler(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()))
	t.Cleanup(server.Close)
	return server.URL
}

// environ is a function's environment as Lambda would hand it over, with S3 in this process.
func environ(t *testing.T, tpl *sam.Template, function, server string) []string {
	t.Helper()
	values := map[string]string{
		"FIREDRILL_DEADLETTER": "https://sqs.us-east-1.amazonaws.com/123456789012/refused", "FIREDRILL_ALARM_TOKENS": strings.Repeat("t", 32),
		"FIREDRILL_WEBHOOK_SECRETS": "whsec_" + strings.Repeat("A", 43) + "=", "FIREDRILL_WEBHOOK_OUT_SECRETS": "whsec_" + strings.Repeat("B", 43) + "=",
	}
	env := []string{"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y", "AWS_SESSION_TOKEN=z"}
	for name, value := range tpl.Env(function) {
		if v, ok := values[name]; ok {
			value = v
		}
		if strings.HasPrefix(value, "s3://") {
			value = strings.ReplaceAll(value, "<Bucket>", "drills") + "&path_style=true&endpoint=" + server
		}
		env = append(env, name+"="+strings.ReplaceAll(value, "<Bus>", "firedrill-prod"))
	}
	return env
}

// TestTemplate_TheFunctionsStartWithTheirVariables runs every bootstrap with the variables of the template, and then without each in turn
// that it cannot do without.
func TestTemplate_TheFunctionsStartWithTheirVariables(t *testing.T) {
	built, server, tpl := bootstraps(t), shop(t), load(t)
	needs := []string{"FIREDRILL_JOURNAL", "FIREDRILL_BUS", "FIREDRILL_DEPLOYMENT", "FIREDRILL_DEADLETTER", "FIREDRILL_CATALOG", "FIREDRILL_ALARM_TOKENS",
		"FIREDRILL_WEBHOOK_SECRETS", "FIREDRILL_WEBHOOK_OUT_SECRETS"}
	for _, f := range names() {
		t.Run(f, func(t *testing.T) {
			env := environ(t, tpl, f, server)
			lambdatest.Start(t, built[f], env...).Ready()
			for _, variable := range needs {
				i := slices.IndexFunc(env, func(pair string) bool { return strings.HasPrefix(pair, variable+"=") })
				if i < 0 {
					continue
				}
				r := lambdatest.Start(t, built[f], slices.Delete(slices.Clone(env), i, i+1)...)
				if f == "abort" && variable == "FIREDRILL_CATALOG" {
					r.Ready() // a stop does not need it
					continue
				}
				if code := r.Exit(); code != 1 || !strings.Contains(r.Logs(), variable) {
					t.Errorf("without %s it ends with %d:\n%s", variable, code, r.Logs())
				}
			}
		})
	}
}

func TestTemplate_EveryVariableIsKnown(t *testing.T) {
	tpl := load(t, slices.Concat(chats(), extras(), []string{"HasAliyun", "HasTencent"})...)
	for _, f := range names() {
		env := environ(t, tpl, f, "http://127.0.0.1:1")
		if _, err := setup.Read(env); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		if _, err := setup.Read(append(env, "FIREDRILL_ENDPIONT_FIS=x")); err == nil {
			t.Error("a misspelt variable is taken")
		}
	}
}

func TestTemplate_AbortIsNeverStarved(t *testing.T) {
	tpl := load(t, "ReservesAbort", "LimitsChat")
	for f, want := range map[string]any{"abort": tpl.Values["AbortConcurrency"], "chatops": tpl.Values["ChatConcurrency"], "poll": nil} {
		if got := tpl.Property(f, "ReservedConcurrentExecutions"); got != want {
			t.Errorf("%s has %v reserved, want %v", f, got, want)
		}
	}
	if queue, all := number(t, tpl.Property("abort", "Events", "Stops", "Properties", "ScalingConfig", "MaximumConcurrency")), number(t, tpl.Values["AbortConcurrency"]); queue < 2 || queue >= all {
		t.Errorf("the queue takes %d of abort's %d instances: some are for monitors that post", queue, all)
	}
}

// TestTemplate_AStopIsTriedUntilItIsDone wants what can stop a drill to stand on a queue that hands it over again and again for more than a day,
// whatever the function answers, and to be kept for a person when even that has not helped. Lambda's own queue gives a failed event up after
// three minutes.
func TestTemplate_AStopIsTriedUntilItIsDone(t *testing.T) {
	const day = 24 * 60 * 60
	tpl := load(t)
	for _, r := range tpl.Rules() {
		if r.Function == "abort" && r.Queue != "Stops" {
			t.Errorf("the rule %s calls abort itself: what fails for three minutes is given up", r.Name)
		}
	}
	if got := tpl.Queues("abort"); !slices.Equal(got, []string{"Stops"}) {
		t.Fatalf("abort is fed from %v", got)
	}
	if got := tpl.Property("abort", "DeadLetterQueue", "TargetArn"); got != "<Stops.Arn>" || tpl.Property("abort", "EventInvokeConfig", "DestinationConfig") != nil {
		t.Errorf("what Lambda gives up goes to %v, where nobody tries it again, or in a wrapping", got)
	}
	source := tpl.Property("abort", "Events", "Stops", "Properties").(map[string]any)
	if !slices.Equal(source["FunctionResponseTypes"].([]any), []any{"ReportBatchItemFailures"}) || source["BatchSize"] != "1" {
		t.Errorf("the queue's event source is %v", source)
	}
	queue := tpl.Resources["Stops"].Properties
	redrive := queue["RedrivePolicy"].(map[string]any)
	every, times, kept := number(t, queue["VisibilityTimeout"]), number(t, redrive["maxReceiveCount"]), number(t, queue["MessageRetentionPeriod"])
	if limit := number(t, tpl.Property("abort", "Timeout")); every != 6*limit || every > 120 {
		t.Errorf("it is tried every %d s: want six times abort's own limit of %d s, and two minutes at most", every, limit)
	}
	if every*times < day || kept != 14*day || every*times > kept {
		t.Errorf("it is tried for %d s, and kept for %d s", every*times, kept)
	}
	if redrive["deadLetterTargetArn"] != "<Undelivered.Arn>" || queue["SqsManagedSseEnabled"] != "true" {
		t.Errorf("the queue is %v", queue)
	}
}

func number(t *testing.T, v any) int {
	t.Helper()
	text, _ := v.(string)
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%v is no number", v)
	}
	return n
}

// TestTemplate_OnlyTheRulesFillTheStops wants nobody else to be let in, and nothing without TLS.
func TestTemplate_OnlyTheRulesFillTheStops(t *testing.T) {
	tpl := load(t)
	policy := tpl.Resources["QueuePolicy"].Properties
	all := []string{"<Refused.Arn>", "<Undelivered.Arn>", "<Stops.Arn>"}
	if got := denied(policy["PolicyDocument"], "sqs:*", "Bool", "aws:SecureTransport", "false"); !same(got, all) || len(policy["Queues"].([]any)) != len(all) {
		t.Errorf("without TLS these are closed: %v, of %v", got, policy["Queues"])
	}
	var rules []any
	for _, name := range tpl.OfType("AWS::Events::Rule") {
		rules = append(rules, "<"+name+".Arn>")
	}
	for _, one := range policy["PolicyDocument"].(map[string]any)["Statement"].([]any) {
		s := one.(map[string]any)
		if s["Effect"] != "Allow" || s["Resource"] != "<Stops.Arn>" {
			continue
		}
		want := map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": rules}}
		if !reflect.DeepEqual(s["Condition"], want) || s["Action"] != "sqs:SendMessage" || !reflect.DeepEqual(s["Principal"], map[string]any{"Service": "events.amazonaws.com"}) {
			t.Errorf("the queue is open by %v", s)
		}
		return
	}
	t.Error("no rule may put anything on the queue")
}
