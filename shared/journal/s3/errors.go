package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// codeOf returns S3's code of an error, "" if it has none.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// temporary reports whether the same call may do better at once: the server is slow or broken, or the reply was lost. An attempt that ran out of
// its time is one of these; call has seen that the caller's own is not over.
func temporary(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true // the SDK calls it cancelled, which it would not repeat
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError {
		return response.HTTPStatusCode() != http.StatusNotImplemented
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
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
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		if region := response.Response.Header.Get("x-amz-bucket-region"); region != "" && region != s.region {
			return fmt.Sprintf("bucket %s is in region %s, not in %s", s.bucket, region, s.region)
		}
	}
	switch codeOf(err) {
	case "NoSuchBucket":
		return fmt.Sprintf("bucket %s does not exist", s.bucket)
	case "AccessDenied":
		return fmt.Sprintf("the role may not do this in bucket %s (it needs s3:ListBucket on the bucket, and Get, Put and DeleteObject below it)", s.bucket)
	case "NotImplemented":
		return "the server lacks something that the journal needs"
	}
	return ""
}
