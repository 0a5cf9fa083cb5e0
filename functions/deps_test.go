package functions

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/functions/cloudtest"
)

const module = "github.com/firedrill/firedrill/"

// rule says what a package must not link, and why.
type rule struct {
	pkg     string // below the module
	forbids []string
	why     string
}

func rules() []rule {
	drivers := []string{module + "shared/provider/fis", module + "shared/provider/cfg", module + "shared/provider/oos", module + "shared/provider/ahas"}
	sdks := []string{"github.com/aws/aws-sdk-go-v2/service", "github.com/aliyun/alibaba-cloud-sdk-go", "github.com/tencentcloud/tencentcloud-sdk-go"}
	runtimes := []string{"github.com/aws/aws-lambda-go", "github.com/aliyun/fc-runtime-go-sdk"}
	heavy := []string{"html/template", "text/template", "net/rpc", "google.golang.org/grpc", "github.com/santhosh-tekuri/jsonschema", "go.uber.org/zap"}
	outer := []string{module + "functions", module + "deploy"}
	const leaf = "a handler knows no SDK, no runtime, no cloud: those stand in leaves, wired in main"
	rs := []rule{
		{"shared/drill", append([]string{"net/http", "database/sql", module + "shared/journal", module + "shared/provider"}, outer...), "the domain is pure: no I/O"},
		{"events", append([]string{module + "shared"}, outer...), "the contract stands alone"},
		{"shared/journal", append([]string{module + "shared/provider", module + "shared/catalog"}, outer...), "the record knows no service and no catalogue"},
		{"shared/provider/driver", append([]string{module + "shared/journal"}, append(sdks, outer...)...), "the interface knows no implementation"},
		{"shared/provider", append(append([]string{module + "shared/journal"}, sdks...), drivers...), "the portable type is given its drivers; it links none"},
		{"functions/notify", append([]string{module + "shared/provider", module + "shared/conduct"}, drivers...), "notify talks to people: it cannot contain StartExperiment"},
		{"functions/chatops", append([]string{module + "shared/provider", module + "shared/conduct"}, drivers...), "chatops takes words from the internet: it cannot contain a call to a service"},
		{"functions/abort", []string{module + "shared/report", module + "shared/chat/webhook", module + "shared/chat/messages", module + "shared/probe"}, "a change to a report or a message must never redeploy abort"},
	}
	for _, name := range []string{"start", "advance", "poll", "abort", "conclude", "notify", "chatops"} {
		forbids := append(append(append([]string{module + "shared/sandbox", module + "deploy"}, sdks...), runtimes...), heavy...)
		rs = append(rs, rule{"functions/" + name, forbids, leaf})
	}
	rs = append(rs, bootstraps(drivers, heavy)...)
	for _, name := range []string{"fis", "cfg", "oos", "ahas"} {
		rs = append(rs, rule{"shared/provider/" + name, append([]string{module + "shared/journal", module + "shared/sandbox"}, append(heavy, outer...)...), "a driver is a leaf"})
	}
	return rs
}

// bootstraps are the rules for what is deployed. The test of the built binaries asks the linker besides, which sees what is really kept.
func bootstraps(drivers, heavy []string) []rule {
	calls := append([]string{module + "shared/conduct", "github.com/aws/aws-sdk-go-v2/service/fis", "github.com/aws/aws-sdk-go-v2/service/sts",
		"github.com/aliyun/alibaba-cloud-sdk-go", "github.com/tencentcloud/tencentcloud-sdk-go"}, drivers...)
	rs := []rule{
		{"functions/notify/bootstrap", calls, "what notify is deployed as cannot start an experiment"},
		{"functions/chatops/bootstrap", calls, "what chatops is deployed as cannot call a service"},
		{"functions/abort/bootstrap", []string{module + "shared/report", module + "shared/chat/webhook", module + "shared/chat/messages", module + "shared/probe"}, "a change to a report or a message must never redeploy abort"},
	}
	for _, name := range []string{"start", "advance", "poll", "abort", "conclude", "notify", "chatops"} {
		forbids := append([]string{module + "shared/sandbox", module + "deploy", "github.com/aws/aws-sdk-go-v2/config"}, heavy...)
		if name == "conclude" { // templ imports html/template and keeps no method of it: the linker's answer is what counts
			forbids = slices.DeleteFunc(forbids, func(s string) bool { return strings.HasSuffix(s, "/template") })
		}
		rs = append(rs, rule{"functions/" + name + "/bootstrap", forbids, "it makes every cold start slower, or a sandbox part of a deployment"})
	}
	return rs
}

func TestDeps_NothingPointsBack(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.pkg, func(t *testing.T) {
			t.Parallel()
			for _, dep := range deps(t, module+r.pkg) {
				for _, no := range r.forbids {
					if dep != module+r.pkg && (dep == no || strings.HasPrefix(dep, no+"/")) {
						t.Errorf("%s links %s: %s", r.pkg, dep, r.why)
					}
				}
			}
		})
	}
}

// TestDeps_TheCheckCanFail shows that a wrong import would be seen: the bundle does link what a handler must not.
func TestDeps_TheCheckCanFail(t *testing.T) {
	for _, dep := range deps(t, module+"deploy/local") {
		if dep == module+"shared/provider/fis" {
			return
		}
	}
	t.Error("deploy/local is not seen to link the fis driver, so the check sees nothing")
}

// TestDeps_NothingIsCompiledAtStart greps what the bootstraps link: a pattern of a package is compiled when it is first used, since every cold
// start waits for what a package does when the process starts.
func TestDeps_NothingIsCompiledAtStart(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range cloudtest.Names() {
		for _, dep := range deps(t, module+"functions/"+name+"/bootstrap") {
			if pkg, ours := strings.CutPrefix(dep, module); ours {
				seen[pkg] = true
			}
		}
	}
	if len(seen) < 30 {
		t.Fatalf("%d packages are looked at", len(seen))
	}
	compiled := regexp.MustCompile(`^(var )?\s?\w+\s*=\s*regexp\.MustCompile|^func init\(`)
	for pkg := range seen {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pkg), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			lines, err := read(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range lines {
				if compiled.MatchString(line) && !strings.HasSuffix(file, "_test.go") {
					t.Errorf("%s:%d: %s: wrap it in sync.OnceValue", file, i+1, line)
				}
			}
		}
	}
}

func deps(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc,timetzdata", pkg).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}
