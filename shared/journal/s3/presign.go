package s3

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// MaxTTL is the longest that S3 lets a signed link live.
const MaxTTL = 7 * 24 * time.Hour

// Presign returns a link with which anybody can read one object, a report for instance, until ttl is over. It makes no call,
// and does not look whether the object is there. A link that temporary credentials signed ends with them, if that is sooner:
// a Lambda function's live some hours.
func (s *Store) Presign(ctx context.Context, key string, ttl time.Duration) (string, error) {
	link, err := s.presign(ctx, key, ttl)
	return link, s.doing("sign a link to", key, err)
}

func (s *Store) presign(ctx context.Context, key string, ttl time.Duration) (string, error) {
	name, err := s.name(key)
	if err != nil {
		return "", err
	}
	if ttl < time.Second || ttl > MaxTTL {
		return "", fmt.Errorf("it is to live %s; 1s to %s are allowed", ttl, MaxTTL)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	request, err := s.presigner.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &name}, s3.WithPresignExpires(ttl))
	if err != nil {
		return "", err
	}
	return request.URL, nil
}
