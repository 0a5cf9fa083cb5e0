package shipped_test

import (
	"context"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/catalog/shipped"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/ahas"
	"github.com/firedrill/firedrill/shared/provider/cfg"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/fis"
	"github.com/firedrill/firedrill/shared/provider/oos"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// TestShipped_worksAgainstTheSandbox holds every plan to its driver's check and to a preview at the sandbox, which knows
// the templates, the instances and the parameters.
func TestShipped_worksAgainstTheSandbox(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	c, err := shipped.Load()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	box := sandbox.New(sandbox.Options{Real: time.Now, Now: func() time.Time { return now }})
	open := map[drill.Service]driver.Opener{drill.FIS: fis.Open, drill.AHAS: ahas.Open, drill.OOS: oos.Open, drill.CFG: cfg.Open}
	for _, p := range c.Plans() {
		t.Run(p.Name, func(t *testing.T) {
			d, err := open[p.Service](driver.Config{
				Account: p.Account.Name, Region: p.Account.Region, AccountID: p.Account.ID, Endpoint: "http://127.0.0.1:8081", Root: "root",
				Transport: box.Transport(),
				Credentials: func(context.Context) (driver.Credentials, error) {
					return driver.Credentials{AccessKey: sandbox.DefaultAccessKey, Secret: sandbox.DefaultSecret}, nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			identity(t, d, p)
			_, block, err := catalog.Resolve(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			id := "d-" + p.Name
			r := driver.Request{Drill: id, Role: drill.Main, Token: id + "/main", Root: "root", Plan: p.Name, Title: p.Title, Account: p.Account.Name,
				Region: p.Account.Region, Block: block, Timeout: p.MaxDuration.D(), Actor: "test:t/u", Mode: "SANDBOX", Since: now}
			if err := d.Check(r); err != nil {
				t.Fatal(err)
			}
			if previewer, ok := d.(driver.Previewer); ok {
				r.Role, r.Token = drill.Preview, id+"/preview"
				preview(t, previewer, r, p, func() { now = now.Add(5 * time.Second) })
			}
			if recoverer, ok := d.(driver.Recoverer); ok && block["recovery"] != nil {
				r.Role = drill.Main
				rec, ok := recoverer.Recovery(r)
				if !ok || d.Check(rec) != nil {
					t.Errorf("the recovery is not accepted: %v", d.Check(rec))
				}
			}
		})
	}
}

// identity checks that the account of the catalogue is the sandbox's.
func identity(t *testing.T, d driver.Driver, p drill.Plan) {
	t.Helper()
	i, ok := d.(driver.Identifier)
	if !ok {
		return
	}
	if id, err := i.Identity(t.Context()); err != nil || id != p.Account.ID {
		t.Errorf("the sandbox is account %q, the catalogue says %q: %v", id, p.Account.ID, err)
	}
}

func preview(t *testing.T, d driver.Previewer, r driver.Request, p drill.Plan, wait func()) {
	t.Helper()
	for range 60 {
		got, err := d.Preview(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if got.Refusal != "" {
			t.Fatalf("refused: %s", got.Refusal)
		}
		if got.Done {
			if n := len(got.Targets); got.Proved == "targets" && (n < p.Targets.Min || p.Targets.Max > 0 && n > p.Targets.Max) {
				t.Errorf("%d targets are not within %+v", n, p.Targets)
			}
			return
		}
		wait()
	}
	t.Error("the preview never ends")
}
