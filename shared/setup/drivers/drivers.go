// Package drivers gives a function the managed services: the four drivers, their endpoints and the credentials of each account. A
// function that links it can call a service; notify and chatops must not.
package drivers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/ahas"
	"github.com/firedrill/firedrill/shared/provider/cfg"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/fis"
	"github.com/firedrill/firedrill/shared/provider/oos"
	"github.com/firedrill/firedrill/shared/setup"
)

// Drivers opens services.
type Drivers struct {
	*provider.Services
	p      *setup.Setup
	verify bool
	root   atomic.Pointer[string]

	mu     sync.Mutex
	checks map[drill.Account]*check
	roles  map[drill.Account]*aws.CredentialsCache
}

// Trust says what is known of credentials before the first call with them.
type Trust int

// The kinds of trust. A function that only ends runs trusts the catalogue: a run's id is known to its own account alone, and a stop must
// not wait for one more service.
const (
	Verify    Trust = iota // ask the cloud whose they are, and hold it against the catalogue
	AsWritten              // take the catalogue's word
)

// Open returns the services of a deployment; it makes no call.
func Open(p *setup.Setup, trust Trust) *Drivers {
	d := &Drivers{p: p, verify: trust == Verify, checks: map[drill.Account]*check{}, roles: map[drill.Account]*aws.CredentialsCache{}}
	d.Services = provider.New(provider.Options{Openers: openers(), Config: d.config, Wait: p.Wait})
	return d
}

func openers() map[drill.Service]driver.Opener {
	return map[drill.Service]driver.Opener{drill.FIS: fis.Open, drill.AHAS: ahas.Open, drill.OOS: oos.Open, drill.CFG: cfg.Open}
}

// Look reads the journal's identity, which every run is marked with, once. Where that does not succeed, opening a service says so.
func (d *Drivers) Look(ctx context.Context) {
	if d.root.Load() != nil {
		return
	}
	root, err := d.p.Journal.Identity(ctx)
	if err != nil {
		d.p.Log.WarnContext(ctx, "the journal does not answer", "error", err)
		return
	}
	d.root.Store(&root)
}

// config says how to reach a service with an account.
func (d *Drivers) config(name drill.Service, a drill.Account) (driver.Config, error) {
	root := d.root.Load()
	if root == nil {
		return driver.Config{}, errors.New("the journal's identity could not be read: without it no run can be told from those of others")
	}
	c, err := d.plain(name, a)
	if err != nil {
		return c, err
	}
	c.Root = *root
	if !d.verify || d.p.Mode != setup.Live {
		return c, nil
	}
	if a.ID == "" {
		return c, fmt.Errorf("the catalogue gives no id; write accounts.%s.id, so that no other account can be hit", a.Name)
	}
	c.Credentials = d.checked(a, c.Credentials).retrieve
	return c, nil
}

// plain is a configuration that trusts the catalogue.
func (d *Drivers) plain(name drill.Service, a drill.Account) (driver.Config, error) {
	c := driver.Config{Account: a.Name, AccountID: a.ID, Region: a.Region, Endpoint: d.p.Endpoints[name], Transport: d.p.Transport}
	if d.p.Mode != setup.Live && c.Endpoint == "" {
		return c, fmt.Errorf("mode %s never calls a vendor: set FIREDRILL_ENDPOINT_%s", d.p.Mode, strings.ToUpper(string(name)))
	}
	var err error
	c.Credentials, err = d.credentials(a)
	return c, err
}

// credentials finds an account's credentials in the environment, and assumes its role where it has one. References to a secret are
// not followed: to go on without them would be to act as somebody else.
func (d *Drivers) credentials(a drill.Account) (func(context.Context) (driver.Credentials, error), error) {
	if d.p.Mode == setup.Live && a.Credentials != "" {
		return nil, fmt.Errorf("account %s: references to secrets are not read here: put the credentials into the environment", a.Name)
	}
	if d.p.Mode == setup.Live && a.Role != "" {
		return d.assumed(a)
	}
	switch a.Cloud {
	case "aws":
		return d.p.AWSCredentials, nil
	case "aliyun":
		return d.aliyun, nil
	case "tencent":
		return cfg.EnvCredentials(d.p.Getenv), nil
	}
	return nil, fmt.Errorf("account %s: cloud %q has no known credentials", a.Name, a.Cloud)
}

// aliyun reads the variables of Alibaba Cloud's own tools.
func (d *Drivers) aliyun(context.Context) (driver.Credentials, error) {
	c := driver.Credentials{
		AccessKey: d.p.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), Secret: d.p.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
		Token: d.p.Getenv("ALIBABA_CLOUD_SECURITY_TOKEN"),
	}
	if c.AccessKey == "" || c.Secret == "" {
		return driver.Credentials{}, errors.New("no Alibaba credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET")
	}
	return c, nil
}
