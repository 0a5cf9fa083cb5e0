package deploy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/deploy/sam"
	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/bus/eventbridge"
	"github.com/firedrill/firedrill/shared/deadletter/sqs"
	"github.com/firedrill/firedrill/shared/journal/s3"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/fis"
)

const (
	templateFile = "../template.yaml"
	logStream    = "logs:CreateLogStream"
	logWrite     = "logs:PutLogEvents"
	makeRole     = "iam:CreateServiceLinkedRole"
	assumeRole   = "sts:AssumeRole"
)

func load(t *testing.T, holds ...string) *sam.Template {
	t.Helper()
	tpl, err := sam.Load(templateFile, map[string]string{"Secrets": "drills", "AccountRole": "there"}, holds...)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// actionsOf says what AWS asks for a call, by the symbol that the linker keeps only if something can reach it. An empty list: AWS lets
// everybody make that call, or it is never made to a bucket that ParseURL takes.
func actionsOf() map[string][]string {
	return map[string][]string{
		"s3.PutObject": {"s3:PutObject"}, "s3.GetObject": {"s3:GetObject"}, "s3.ListObjectsV2": {"s3:ListBucket"}, "s3.DeleteObject": {"s3:DeleteObject"},
		"s3.CreateSession":      {}, // directory buckets alone
		"sts.AssumeRole":        {assumeRole},
		"sts.GetCallerIdentity": {}, // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
		"eventbridge.PutEvents": {"events:PutEvents"}, "sqs.Send": {"sqs:SendMessage"},
		// with tags, which every run of ours carries; the first one of an account makes a role
		"fis.StartExperiment": {"fis:StartExperiment", "fis:TagResource", makeRole},
		"fis.StopExperiment":  {"fis:StopExperiment"}, "fis.GetExperiment": {"fis:GetExperiment"}, "fis.ListExperiments": {"fis:ListExperiments"},
		"fis.ListExperimentResolvedTargets": {"fis:ListExperimentResolvedTargets"}, "fis.TagResource": {"fis:TagResource"},
		"fis.ListExperimentTemplates": {"fis:ListExperimentTemplates"}, "fis.GetSafetyLever": {"fis:GetSafetyLever"},
		"fis.UpdateSafetyLeverState": {"fis:UpdateSafetyLeverState"},
	}
}

var (
	client = regexp.MustCompile(`^github\.com/aws/aws-sdk-go-v2/service/([a-z0-9]+)\.\(\*Client\)\.([A-Z][A-Za-z0-9]*)$`)
	queue  = regexp.MustCompile(`^github\.com/firedrill/firedrill/shared/deadletter/(sqs)\.\(\*Queue\)\.(Send)$`)
)

// reach returns the calls to AWS that a bootstrap can make: its linker drops every method that nothing reaches, and keeps the rest in the
// symbol table.
func reach(bootstrap string) ([]string, error) {
	out, err := exec.Command("go", "tool", "nm", bootstrap).Output()
	if err != nil {
		return nil, fmt.Errorf("read the symbols of %s: %w", bootstrap, err)
	}
	found := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		symbol := fields[len(fields)-1]
		for _, known := range []*regexp.Regexp{client, queue} {
			if m := known.FindStringSubmatch(symbol); m != nil && m[2] != "Options" {
				found[m[1]+"."+m[2]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), lines.Err()
}

// needed returns what a function's role must be allowed, no more and no less: each action on each resource, under its condition.
func needed(tpl *sam.Template, function string, calls []string) (map[string]bool, error) {
	if !slices.Contains(calls, "s3.PutObject") || !slices.Contains(calls, "eventbridge.PutEvents") {
		return nil, fmt.Errorf("%s reaches neither journal nor bus: the symbols are not what this test takes them for", function)
	}
	actions := []string{logStream, logWrite} // the platform writes what the function prints
	if len(tpl.Queues(function)) > 0 {
		actions = append(actions, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes") // the platform reads the queue in the role's name
	}
	for _, call := range calls {
		if function == "poll" && call == "fis.StartExperiment" && !recovers() {
			continue // poll starts recovery runs alone
		}
		if function == "notify" && call == "eventbridge.PutEvents" {
			continue // the host links it; notify's handler returns no events, which its own tests hold it to
		}
		more, ok := actionsOf()[call]
		if !ok {
			return nil, fmt.Errorf("%s can call %s, and nothing says here which action AWS asks for it", function, call)
		}
		actions = append(actions, more...)
	}
	out := map[string]bool{}
	for _, a := range actions {
		on, err := resources(tpl, function, a)
		if err != nil {
			return nil, err
		}
		for _, r := range on {
			out[permission(a, r, condition(function, a))] = true
		}
	}
	return out, nil
}

const (
	experiments = "arn:aws:fis:*:123456789012:experiment/*"
	templates   = "arn:aws:fis:*:123456789012:experiment-template/*"
	fisRole     = "arn:aws:iam::123456789012:role/aws-service-role/fis.amazonaws.com/*"
)

// resources says what an action of a function is about.
func resources(tpl *sam.Template, function, action string) ([]string, error) {
	const bucket = "<Bucket.Arn>"
	switch action {
	case logStream, logWrite:
		return []string{"<" + strings.ToUpper(function[:1]) + function[1:] + "Logs.Arn>"}, nil
	case "s3:ListBucket":
		return []string{bucket}, nil
	case "s3:GetObject":
		return []string{bucket + "/journal/*", bucket + "/catalog/*"}, nil
	case "s3:PutObject":
		if function == "notify" { // it changes no drill
			return []string{bucket + "/journal/objects/*", bucket + "/journal/registers/*"}, nil
		}
		return []string{bucket + "/journal/*"}, nil
	case "s3:DeleteObject":
		return []string{bucket + "/journal/active/*", bucket + "/journal/alarms/*"}, nil
	case "events:PutEvents":
		return []string{"<Bus.Arn>"}, nil
	case "sqs:SendMessage": // to what its host refuses, and to what Lambda gives up in its name
		out := []string{"<Refused.Arn>"}
		for _, path := range [][]string{{"EventInvokeConfig", "DestinationConfig", "OnFailure", "Destination"}, {"DeadLetterQueue", "TargetArn"}} {
			if arn, ok := tpl.Property(function, path...).(string); ok {
				out = append(out, arn)
			}
		}
		return out, nil
	case "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes":
		var out []string
		for _, q := range tpl.Queues(function) {
			out = append(out, "<"+q+".Arn>")
		}
		return out, nil
	case "fis:StartExperiment":
		return []string{templates, experiments}, nil
	case "fis:GetExperiment", "fis:StopExperiment", "fis:TagResource", "fis:ListExperimentResolvedTargets":
		return []string{experiments}, nil
	case "fis:ListExperiments":
		return []string{"*"}, nil // AWS knows no narrower one
	case makeRole:
		return []string{fisRole}, nil
	case assumeRole:
		return []string{"arn:aws:iam::*:role/there"}, nil
	}
	return nil, fmt.Errorf("nothing says here what %s is about", action)
}

// published says which events a function puts on the bus, besides facts.
func published() map[string][]string {
	return map[string][]string{"start": {events.TypeStop}, "poll": {events.TypeAdvance, events.TypeApprove, events.TypeReject}, "chatops": {"dev.firedrill.command.*", "dev.firedrill.chat.*"}}
}

// condition is what a grant must be tied to, as JSON; "" for nothing.
func condition(function, action string) string {
	switch action {
	case makeRole:
		return `{"StringEquals":{"iam:AWSServiceName":"fis.amazonaws.com"}}`
	case "events:PutEvents":
		types, _ := json.Marshal(append([]string{"dev.firedrill.drill.*"}, published()[function]...)) // texts
		return `{"ForAllValues:StringEquals":{"events:source":"` + eventbridge.Source + `"},"ForAllValues:StringLike":{"events:detail-type":` + string(types) + `}}`
	}
	return ""
}

func permission(action, resource, condition string) string {
	if condition != "" {
		condition = " if " + condition
	}
	return action + " on " + resource + condition
}

// recovers reports whether a run of FIS may have a recovery run.
func recovers() bool {
	_, ok := any((*fis.Driver)(nil)).(driver.Recoverer)
	return ok
}

// wrong lists what a role has too much and too little.
func wrong(need map[string]bool, grants []sam.Statement) []string {
	var out []string
	has := map[string]bool{}
	for _, s := range grants {
		tied := ""
		if s.Condition != nil {
			b, _ := json.Marshal(s.Condition) // texts
			tied = string(b)
		}
		for _, a := range s.Actions {
			for _, r := range s.Resources {
				p := permission(a, r, tied)
				if has[p] = true; !need[p] {
					out = append(out, "has "+p+", which nothing in the function needs")
				}
			}
		}
	}
	for p := range need {
		if !has[p] {
			out = append(out, "lacks "+p)
		}
	}
	return out
}

// folder is where the bootstraps are built.
var folder = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "firedrill-deploy") })

// build builds every function's bootstrap, with its symbols, once.
var build = sync.OnceValues(func() (map[string]string, error) {
	folder, err := folder()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range names() {
		out[name] = filepath.Join(folder, name, "bootstrap")
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc,timetzdata", "-ldflags", "-w", "-o", out[name],
			"github.com/firedrill/firedrill/functions/"+name+"/bootstrap")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return out, fmt.Errorf("build %s: %w: %s", name, err, text)
		}
	}
	return out, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder, err := folder(); err == nil {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

func names() []string {
	return []string{"start", "advance", "poll", "abort", "conclude", "notify", "chatops"}
}

func bootstraps(t *testing.T) map[string]string {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds seven binaries")
	}
	built, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func TestPolicy_EachRoleHasWhatItsBinaryCanCall(t *testing.T) {
	built, tpl := bootstraps(t), load(t, "HasAccountRole")
	for _, f := range names() {
		t.Run(f, func(t *testing.T) {
			calls, err := reach(built[f])
			if err != nil {
				t.Fatal(err)
			}
			need, err := needed(tpl, f, calls)
			if err != nil {
				t.Fatal(err)
			}
			grants, err := tpl.Grants(tpl.RoleOf(f))
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wrong(need, grants) {
				t.Errorf("the role %s", w)
			}
			declared(t, calls)
			teeth(t, need, grants)
		})
	}
}

// declared wants the packages to own up to what they can call.
func declared(t *testing.T, calls []string) {
	t.Helper()
	known := everyAction()
	for _, call := range calls {
		for _, a := range actionsOf()[call] {
			if a != makeRole && a != assumeRole && !slices.Contains(known, a) {
				t.Errorf("%s is called, and the package's own list of permissions lacks it", a)
			}
		}
	}
}

func everyAction() []string {
	out := slices.Concat((*fis.Driver)(nil).Facts().Permissions, s3.Permissions(), eventbridge.Permissions(), sqs.Permissions())
	slices.Sort(out)
	return slices.Compact(out)
}

// teeth takes each action away in turn, gives each to another resource and frees it of its condition, and adds each other one: every time the check
// must say so, and name it.
func teeth(t *testing.T, need map[string]bool, grants []sam.Statement) {
	t.Helper()
	for i, s := range grants {
		for n, a := range s.Actions {
			for m, r := range s.Resources {
				is, rest := permissionOf(s, a, r), sam.Statement{Actions: slices.Delete(slices.Clone(s.Actions), n, n+1), Resources: s.Resources, Condition: s.Condition}
				others := sam.Statement{Actions: []string{a}, Resources: slices.Delete(slices.Clone(s.Resources), m, m+1), Condition: s.Condition}
				less := append(slices.Delete(slices.Clone(grants), i, i+1), rest, others)
				if got := wrong(need, less); !slices.Equal(got, []string{"lacks " + is}) {
					t.Errorf("nobody noticed that %s is gone: %v", is, got)
				}
				for _, elsewhere := range []string{"*", r + "*", "arn:aws:s3:::another", "<Other.Arn>"} {
					moved := sam.Statement{Actions: []string{a}, Resources: []string{elsewhere}, Condition: s.Condition}
					if got := wrong(need, append(less, moved)); elsewhere != r && len(got) != 2 {
						t.Errorf("nobody noticed that %s is about %s: %v", is, elsewhere, got)
					}
				}
				if s.Condition == nil {
					continue
				}
				if got := wrong(need, append(less, sam.Statement{Actions: []string{a}, Resources: []string{r}})); len(got) != 2 {
					t.Errorf("nobody noticed that %s has lost its condition: %v", is, got)
				}
			}
		}
	}
	for _, a := range append(everyAction(), assumeRole, "s3:*", "*", "iam:PassRole", "fis:StartExperimen?") {
		more := append(slices.Clone(grants), sam.Statement{Actions: []string{a}, Resources: []string{"arn:aws:x:::y"}})
		if got := wrong(need, more); len(got) != 1 || !strings.HasPrefix(got[0], "has "+a+" on arn:aws:x:::y") {
			t.Errorf("nobody noticed that %s came in: %v", a, got)
		}
	}
}

func permissionOf(s sam.Statement, action, resource string) string {
	if s.Condition == nil {
		return permission(action, resource, "")
	}
	b, _ := json.Marshal(s.Condition) // texts
	return permission(action, resource, string(b))
}

// made finds the commands and replies that code makes.
var made = regexp.MustCompile(`events\.(Start|Approve|Reject|Advance|Stop|Halt|Release|Note|Answer|Conclude|Reply|Tick|Alarm|State)\{[^}]`)

// TestPolicy_EachFunctionMayPublishWhatItMakes reads the sources: what a function makes besides facts, its role may put on the bus.
func TestPolicy_EachFunctionMayPublishWhatItMakes(t *testing.T) {
	inside := map[string]string{"start": "Start"} // it starts what is due itself, as if somebody had asked
	for _, f := range append(names(), "") {
		folder := filepath.Join("..", "functions", f)
		if f == "" {
			folder = filepath.Join("..", "shared", "conduct")
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, m := range made.FindAllStringSubmatch(string(source), -1) {
				may := slices.ContainsFunc(published()[f], func(typ string) bool {
					return strings.HasSuffix(typ, "*") || strings.Contains(typ, "."+strings.ToLower(m[1])+".")
				})
				if !may && inside[f] != m[1] {
					t.Errorf("%s makes an event %s, which %q may not put on the bus", file, m[1], f)
				}
			}
		}
	}
}

// TestPolicy_NobodyElseMayPutOurEventsOnTheBus: who could would give commands in anybody's name.
func TestPolicy_NobodyElseMayPutOurEventsOnTheBus(t *testing.T) {
	tpl := load(t)
	var roles []any
	for _, f := range names() {
		if f != "notify" {
			roles = append(roles, "<"+tpl.RoleOf(f)+".Arn>")
		}
	}
	want := map[string]any{"Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": "<Bus.Arn>", "Condition": map[string]any{
		"ForAnyValue:StringEquals": map[string]any{"events:source": eventbridge.Source}, "ArnNotEquals": map[string]any{"aws:PrincipalArn": roles}}}
	policy := tpl.Resources["BusPolicy"]
	if policy.Type != "AWS::Events::EventBusPolicy" || policy.Properties["EventBusName"] != "<Bus>" || !reflect.DeepEqual(policy.Properties["Statement"], want) {
		t.Errorf("the bus's policy is %v", policy)
	}
}

// TestPolicy_FunctionsDiffer guards the test itself: a linker that kept everything would make all roles alike.
func TestPolicy_FunctionsDiffer(t *testing.T) {
	built := bootstraps(t)
	for call, want := range map[string][]string{
		"fis.StartExperiment": {"poll", "start"}, "fis.StopExperiment": {"abort", "poll"}, "s3.DeleteObject": {"poll"},
		"fis.UpdateSafetyLeverState": nil, "fis.ListExperimentTemplates": nil, "fis.GetExperiment": {"abort", "advance", "conclude", "poll", "start"},
	} {
		var got []string
		for _, f := range names() {
			calls, err := reach(built[f])
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(calls, call) {
				got = append(got, f)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s can be reached in %v, want %v", call, got, want)
		}
	}
}
