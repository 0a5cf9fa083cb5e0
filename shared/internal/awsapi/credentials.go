package awsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Credentials sign a call. Token is set for temporary ones. The fields are those of driver.Credentials, so one converts to the other.
type Credentials struct {
	AccessKey, Secret, Token string
	Expires                  time.Time
}

// Source returns credentials; it is asked at every call, so the host keeps a cache.
type Source func(ctx context.Context) (Credentials, error)

// CredentialsError is why there were no credentials to sign with: the call was never made.
type CredentialsError struct{ Err error }

// Error says that the credentials are missing, and why.
func (e *CredentialsError) Error() string { return "get credentials: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *CredentialsError) Unwrap() error { return e.Err }

// Retrieve implements aws.CredentialsProvider. Its error is a *CredentialsError.
func (s Source) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := s(ctx)
	if err != nil {
		return aws.Credentials{}, &CredentialsError{err}
	}
	return aws.Credentials{
		AccessKeyID: c.AccessKey, SecretAccessKey: c.Secret, SessionToken: c.Token,
		CanExpire: !c.Expires.IsZero(), Expires: c.Expires, Source: "firedrill",
	}, nil
}
