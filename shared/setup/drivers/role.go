package drivers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// expiryWindow is how long before their end credentials of a role are replaced.
const expiryWindow = 2 * time.Minute

// assumed returns the credentials of an account's role, which the function's own role must be allowed to assume. They are kept until
// shortly before their end, one set for each account.
func (d *Drivers) assumed(a drill.Account) (func(context.Context) (driver.Credentials, error), error) {
	arn, err := roleARN(a)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	cache := d.roles[a]
	if cache == nil {
		cache = aws.NewCredentialsCache(d.assume(a.Region, arn), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
		d.roles[a] = cache
	}
	return func(ctx context.Context) (driver.Credentials, error) {
		v, err := cache.Retrieve(ctx)
		if err != nil {
			return driver.Credentials{}, fmt.Errorf("account %s: assume its role: %w", a.Name, err)
		}
		return driver.Credentials{AccessKey: v.AccessKeyID, Secret: v.SecretAccessKey, Token: v.SessionToken, Expires: v.Expires}, nil
	}, nil
}

func (d *Drivers) assume(region, arn string) aws.CredentialsProvider {
	own := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		c, err := d.p.AWSCredentials(ctx)
		return aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.Secret, SessionToken: c.Token}, err
	})
	o := sts.Options{Region: region, Credentials: own, HTTPClient: &http.Client{Transport: d.p.Transport}}
	if e := d.p.Getenv("AWS_ENDPOINT_URL_STS"); e != "" {
		o.BaseEndpoint = &e
	}
	return stscreds.NewAssumeRoleProvider(sts.New(o), arn, func(r *stscreds.AssumeRoleOptions) { r.RoleSessionName = "firedrill-" + d.p.Name })
}

// roleARN is the role of an account that the catalogue gives by its name.
func roleARN(a drill.Account) (string, error) {
	switch {
	case a.Cloud != "aws":
		return "", fmt.Errorf("account %s: roles are assumed on AWS alone", a.Name)
	case a.ID == "":
		return "", errors.New("the catalogue gives no id; write accounts." + a.Name + ".id, so that no other account can be hit")
	}
	partition := "aws"
	switch {
	case strings.HasPrefix(a.Region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(a.Region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return "arn:" + partition + ":iam::" + a.ID + ":role/" + a.Role, nil
}
