package aliyun

import (
	"context"
	"errors"
	"net/url"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Identity reads the id of the account that the credentials belong to. It asks STS, whose host is not the product's: a
// configured endpoint is used only if it is on the loopback interface, where the sandbox answers for STS as well.
func Identity(ctx context.Context, cfg driver.Config) (string, error) {
	if u, err := url.Parse(cfg.Endpoint); err != nil || !loopback(u.Hostname()) {
		cfg.Endpoint = ""
	}
	c, err := New(cfg, "sts.aliyuncs.com")
	if err != nil {
		return "", err
	}
	var out struct{ AccountId Text }
	if err := c.Do(ctx, Read, sts.CreateGetCallerIdentityRequest(), &out); err != nil {
		return "", err
	}
	if out.AccountId == "" {
		return "", &Error{Action: "GetCallerIdentity", Kind: Read, Stage: Undecodable, Status: 200, Err: errors.New("no account id")}
	}
	return string(out.AccountId), nil
}
