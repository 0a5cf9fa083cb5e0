package drivers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// check holds an account's credentials against the id in the catalogue, once.
type check struct {
	account drill.Account
	raw     func(context.Context) (driver.Credentials, error)
	ask     func(ctx context.Context) (string, error)

	mu   sync.Mutex
	done bool
}

// checked returns the check of an account; all its services share one.
func (d *Drivers) checked(a drill.Account, raw func(context.Context) (driver.Credentials, error)) *check {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.checks[a]
	if c == nil {
		c = &check{account: a, raw: raw, ask: func(ctx context.Context) (string, error) { return d.identity(ctx, a) }}
		d.checks[a] = c
	}
	return c
}

// retrieve returns credentials that are known to be the account's. An error stops the call that needed them.
func (c *check) retrieve(ctx context.Context) (driver.Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.done {
		id, err := c.ask(ctx)
		switch {
		case err != nil:
			return driver.Credentials{}, fmt.Errorf("account %s: ask whose the credentials are: %w", c.account.Name, err)
		case !strings.EqualFold(id, c.account.ID):
			return driver.Credentials{}, fmt.Errorf("account %s: the credentials belong to account %s, the catalogue says %s", c.account.Name, id, c.account.ID)
		}
		c.done = true
	}
	return c.raw(ctx)
}

// identity asks the first service of the account's cloud that can tell.
func (d *Drivers) identity(ctx context.Context, a drill.Account) (string, error) {
	name, ok := map[string]drill.Service{"aws": drill.FIS, "aliyun": drill.OOS, "tencent": drill.CFG}[a.Cloud]
	if !ok {
		return "", errors.New("its cloud is not known")
	}
	c, err := d.plain(name, a)
	if err != nil {
		return "", err
	}
	opened, err := openers()[name](c)
	if err != nil {
		return "", err
	}
	who, ok := opened.(driver.Identifier)
	if !ok {
		return "", errors.New("its service cannot tell")
	}
	return who.Identity(ctx)
}
