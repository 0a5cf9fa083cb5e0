package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/cfg"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// ambient reads an account's credentials where its cloud's own tools would: environment, profile files, instance role.
func ambient(a drill.Account) func(context.Context) (driver.Credentials, error) {
	switch a.Cloud {
	case "aws":
		return func(ctx context.Context) (driver.Credentials, error) {
			c, err := config.LoadDefaultConfig(ctx, config.WithRegion(a.Region))
			if err != nil {
				return driver.Credentials{}, fmt.Errorf("read aws credentials: %w", err)
			}
			v, err := c.Credentials.Retrieve(ctx)
			if err != nil {
				return driver.Credentials{}, fmt.Errorf("read aws credentials: %w", err)
			}
			return driver.Credentials{AccessKey: v.AccessKeyID, Secret: v.SecretAccessKey, Token: v.SessionToken, Expires: v.Expires}, nil
		}
	case "aliyun":
		return func(context.Context) (driver.Credentials, error) {
			v, err := credentials.NewDefaultCredentialsProvider().GetCredentials()
			if err != nil {
				return driver.Credentials{}, errors.New("read aliyun credentials: none found in the environment, the CLI's profile or an instance role")
			}
			return driver.Credentials{AccessKey: v.AccessKeyId, Secret: v.AccessKeySecret, Token: v.SecurityToken}, nil
		}
	case "tencent":
		return cfg.EnvCredentials(os.Getenv)
	}
	return func(context.Context) (driver.Credentials, error) {
		return driver.Credentials{}, fmt.Errorf("account %s: cloud %q has no known credentials", a.Name, a.Cloud)
	}
}

// verifyAccounts asks each cloud which account the credentials belong to and holds it against the catalogue.
func (s *system) verifyAccounts(ctx context.Context, w io.Writer) ([]string, error) {
	seen := map[string]bool{}
	var ids []string
	var errs []error
	for _, p := range s.catalog.Load().Plans() {
		k := string(p.Service) + "/" + p.Account.Name
		if seen[k] {
			continue
		}
		seen[k] = true
		id, err := s.verify(ctx, p)
		if err != nil {
			errs = append(errs, fmt.Errorf("account %s (%s): %w", p.Account.Name, p.Service, err))
			continue
		}
		fmt.Fprintf(w, "  %-12s %-5s %s %s\n", p.Account.Name, p.Service, id, p.Account.Region)
		ids = append(ids, id)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if len(ids) == 0 {
		return nil, errors.New("the catalogue has no plans")
	}
	return ids, nil
}

func (s *system) verify(ctx context.Context, p drill.Plan) (string, error) {
	if p.Account.ID == "" {
		return "", errors.New("the catalogue gives no id; write accounts." + p.Account.Name + ".id, so that no other account can be hit")
	}
	id, err := s.identity(ctx, p.Account)
	switch {
	case err != nil:
		return "", err
	case id == "":
		return "", fmt.Errorf("no service of %s can tell which account the credentials belong to", p.Account.Cloud)
	case !strings.EqualFold(id, p.Account.ID):
		return "", fmt.Errorf("the credentials belong to account %s, the catalogue says %s", id, p.Account.ID)
	}
	return id, nil
}

// identity asks the cloud whose the credentials are, through the first of its services that can tell.
func (s *system) identity(ctx context.Context, a drill.Account) (string, error) {
	for _, name := range cloudServices(a.Cloud) {
		sv, err := s.services.For(name, a)
		if err != nil {
			return "", err
		}
		if id, err := sv.Identity(ctx); err != nil || id != "" {
			return id, err
		}
	}
	return "", nil
}
