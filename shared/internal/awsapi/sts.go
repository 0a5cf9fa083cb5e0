package awsapi

import (
	"context"
	"errors"
	"net/url"
	"time"
)

const stsVersion = "2011-06-15"

// GetCallerIdentity returns the id of the account that the credentials belong to. The client is one of sts.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
//
//go:noinline
func (c *Client) GetCallerIdentity(ctx context.Context) (string, error) {
	var out struct {
		Account string `xml:"GetCallerIdentityResult>Account"`
	}
	if err := c.query(ctx, url.Values{"Action": {"GetCallerIdentity"}, "Version": {stsVersion}}, &out); err != nil {
		return "", err
	}
	if out.Account == "" {
		return "", errors.New("the reply names no account")
	}
	return out.Account, nil
}

// AssumeRole returns credentials of a role for 15 minutes. The client is one of sts.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
//
//go:noinline
func (c *Client) AssumeRole(ctx context.Context, arn, session string) (Credentials, error) {
	var out struct {
		Credentials struct {
			AccessKeyID     string    `xml:"AccessKeyId"`
			SecretAccessKey string    `xml:"SecretAccessKey"`
			SessionToken    string    `xml:"SessionToken"`
			Expiration      time.Time `xml:"Expiration"`
		} `xml:"AssumeRoleResult>Credentials"`
	}
	form := url.Values{"Action": {"AssumeRole"}, "Version": {stsVersion}, "RoleArn": {arn}, "RoleSessionName": {session}, "DurationSeconds": {"900"}}
	if err := c.query(ctx, form, &out); err != nil {
		return Credentials{}, err
	}
	got := out.Credentials
	if got.AccessKeyID == "" || got.SecretAccessKey == "" || got.SessionToken == "" || got.Expiration.IsZero() {
		return Credentials{}, errors.New("the reply holds no temporary credentials")
	}
	return Credentials{AccessKey: got.AccessKeyID, Secret: got.SecretAccessKey, Token: got.SessionToken, Expires: got.Expiration}, nil
}
