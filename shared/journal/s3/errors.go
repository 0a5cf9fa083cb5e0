package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"

	"github.com/firedrill/firedrill/shared/internal/awsapi"
)

// codeOf returns S3's code of an error, "" if it has none.
func codeOf(err error) string {
	var no *awsapi.Error
	if errors.As(err, &no) {
		return no.Code
	}
	return ""
}

// temporary reports whether the same call may do better at once: the server is slow or broken, or there was no answer.
func temporary(err error) bool {
	var no *awsapi.Error
	if errors.As(err, &no) {
		switch no.Code {
		case "SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests":
			return true
		}
		return no.Status >= http.StatusInternalServerError && no.Status != http.StatusNotImplemented || no.Status == http.StatusTooManyRequests
	}
	var unsigned *awsapi.CredentialsError
	var unreadable *xml.SyntaxError
	return !errors.As(err, &unsigned) && !errors.As(err, &unreadable) && !errors.Is(err, context.Canceled)
}

// doing says what was being done, and what a person may do about it.
func (s *Store) doing(op, key string, err error) error {
	if err == nil {
		return nil
	}
	if hint := s.hint(err); hint != "" {
		return fmt.Errorf("%s %s: %s: %w", op, key, hint, err)
	}
	return fmt.Errorf("%s %s: %w", op, key, err)
}

func (s *Store) hint(err error) string {
	var no *awsapi.Error
	if errors.As(err, &no) && no.Region != "" && no.Region != s.region {
		return fmt.Sprintf("bucket %s is in region %s, not in %s", s.called, no.Region, s.region)
	}
	switch codeOf(err) {
	case "NoSuchBucket":
		return fmt.Sprintf("bucket %s does not exist", s.called)
	case "AccessDenied":
		return fmt.Sprintf("the role may not do this in bucket %s (it needs s3:ListBucket on the bucket, and Get, Put and DeleteObject below it)", s.called)
	case "NotImplemented":
		return "the server lacks something that the journal needs"
	}
	return ""
}
