package deploy

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/deploy/sam"
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
	tpl, err := sam.Load(templateFile, map[string]string{"Secrets": "drills"}, holds...)
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

// needed returns the actions that a function's role must have, no more and no fewer.
func needed(function string, calls []string) (map[string]bool, error) {
	out := map[string]bool{logStream: true, logWrite: true} // the platform writes what the function prints
	if !slices.Contains(calls, "s3.PutObject") || !slices.Contains(calls, "eventbridge.PutEvents") {
		return nil, fmt.Errorf("%s reaches neither journal nor bus: the symbols are not what this test takes them for", function)
	}
	for _, call := range calls {
		if function == "poll" && call == "fis.StartExperiment" && !recovers() {
			continue // poll starts recovery runs alone
		}
		actions, ok := actionsOf()[call]
		if !ok {
			return nil, fmt.Errorf("%s can call %s, and nothing says here which action AWS asks for it", function, call)
		}
		for _, a := range actions {
			out[a] = true
		}
	}
	return out, nil
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
		for _, a := range s.Actions {
			has[a] = true
			if !need[a] {
				out = append(out, "has "+a+", which nothing in the function calls")
			}
		}
	}
	for a := range need {
		if !has[a] {
			out = append(out, "lacks "+a)
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
			need, err := needed(f, calls)
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

// teeth takes each action away in turn, and adds each other one: every time the check must say so, and name it.
func teeth(t *testing.T, need map[string]bool, grants []sam.Statement) {
	t.Helper()
	for a := range need {
		var less []sam.Statement
		for _, s := range grants {
			s.Actions = slices.DeleteFunc(slices.Clone(s.Actions), func(has string) bool { return has == a })
			less = append(less, s)
		}
		if got := wrong(need, less); !slices.Contains(got, "lacks "+a) {
			t.Errorf("nobody noticed that %s is gone: %v", a, got)
		}
	}
	for _, a := range append(everyAction(), assumeRole, "s3:*", "*", "iam:PassRole", "fis:StartExperimen?") {
		if need[a] {
			continue
		}
		more := append(slices.Clone(grants), sam.Statement{Actions: []string{a}, Resources: []string{"*"}})
		if got := wrong(need, more); len(got) != 1 || !strings.HasPrefix(got[0], "has "+a+",") {
			t.Errorf("nobody noticed that %s came in: %v", a, got)
		}
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
