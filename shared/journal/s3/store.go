package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/firedrill/firedrill/shared/journal"
)

const (
	pageSize   = 1000                  // what S3 lists at once
	maxKey     = 1024                  // bytes of a key in S3
	attempts   = 3                     // of a call that may be repeated
	busyTries  = 5                     // of a create that met another write of the key
	firstPause = 50 * time.Millisecond // before the second attempt; doubles
)

var _ journal.Store = (*Store)(nil)

// Store keeps keys as objects under a prefix of a bucket. It is safe for concurrent use and needs no closing.
type Store struct {
	bucket, root, region string
	timeout              time.Duration
	wait                 func(ctx context.Context, d time.Duration) error
	client               *s3.Client
	presigner            *s3.PresignClient
}

// Permissions returns every action that a store can call, for the policy of the function that uses it. Without
// s3:ListBucket, which is granted on the bucket itself, S3 answers 403 instead of 404 for a key that is not there, and
// nothing works.
func Permissions() []string {
	return []string{"s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
}

// Create implements journal.Store.
func (s *Store) Create(ctx context.Context, key string, data []byte) error {
	again := func(err error) bool { return codeOf(err) == "ConditionalRequestConflict" } // nothing was written
	err := s.put(ctx, key, data, aws.String("*"), busyTries, again)
	if err != nil && codeOf(err) == "PreconditionFailed" {
		err = journal.ErrExists
	}
	return s.doing("create", key, err)
}

// Put implements journal.Store.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.doing("put", key, s.put(ctx, key, data, nil, attempts, temporary))
}

func (s *Store) put(ctx context.Context, key string, data []byte, ifNoneMatch *string, tries int, again func(error) bool) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	return s.call(ctx, tries, again, func(ctx context.Context) error {
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &s.bucket, Key: &name, Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
			ContentType: contentType(key), IfNoneMatch: ifNoneMatch,
		})
		return err
	})
}

// Get implements journal.Store.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	data, err := s.get(ctx, key)
	if err != nil && codeOf(err) == "NoSuchKey" {
		err = journal.ErrNotFound
	}
	return data, s.doing("get", key, err)
}

func (s *Store) get(ctx context.Context, key string) ([]byte, error) {
	name, err := s.name(key)
	if err != nil {
		return nil, err
	}
	var data []byte
	err = s.call(ctx, attempts, temporary, func(ctx context.Context) error {
		out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &name})
		if err != nil {
			return err
		}
		defer func() { _ = out.Body.Close() }()
		data, err = io.ReadAll(out.Body)
		return err
	})
	if err != nil {
		return nil, err // never a part of the object
	}
	return data, nil
}

// List implements journal.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String(s.root + prefix)}
	if after != "" {
		in.StartAfter = aws.String(s.root + after)
	}
	var keys []string
	for {
		size := pageSize
		if limit > 0 {
			size = min(pageSize, limit-len(keys))
		}
		in.MaxKeys = aws.Int32(int32(size))
		page, err := s.page(ctx, in)
		if err != nil {
			return nil, s.doing("list", prefix, err)
		}
		keys = s.appendKeys(keys, page.Contents)
		if limit > 0 && len(keys) >= limit || !aws.ToBool(page.IsTruncated) {
			return keys, nil
		}
		if aws.ToString(page.NextContinuationToken) == "" {
			return nil, s.doing("list", prefix, errors.New("the reply says that there is more, and not how to ask for it"))
		}
		in.ContinuationToken, in.StartAfter = page.NextContinuationToken, nil
	}
}

func (s *Store) page(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	var out *s3.ListObjectsV2Output
	err := s.call(ctx, attempts, temporary, func(ctx context.Context) error {
		var err error
		out, err = s.client.ListObjectsV2(ctx, in)
		return err
	})
	return out, err
}

// appendKeys leaves out the folder placeholder that an S3 console may have made of the prefix itself.
func (s *Store) appendKeys(keys []string, objects []types.Object) []string {
	for _, o := range objects {
		if key := strings.TrimPrefix(aws.ToString(o.Key), s.root); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// Delete implements journal.Store. In a versioned bucket it leaves the old version behind.
func (s *Store) Delete(ctx context.Context, key string) error {
	name, err := s.name(key)
	if err != nil {
		return s.doing("delete", key, err)
	}
	err = s.call(ctx, attempts, temporary, func(ctx context.Context) error {
		_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &name})
		return err
	})
	return s.doing("delete", key, err)
}

// name is the object's name in the bucket.
func (s *Store) name(key string) (string, error) {
	if key == "" {
		return "", errors.New("the key is empty")
	}
	if n := len(s.root) + len(key); n > maxKey {
		return "", fmt.Errorf("the key has %d bytes with its prefix, at most %d are allowed", n, maxKey)
	}
	return s.root + key, nil
}

// call makes a call, and makes it again, with a pause that doubles, as long as the error is one to try again and tries are
// left. Each attempt has the store's timeout.
func (s *Store) call(ctx context.Context, tries int, again func(error) bool, do func(context.Context) error) error {
	pause := firstPause
	for n := 1; ; n++ {
		err := ctx.Err()
		if err == nil {
			err = s.attempt(ctx, do)
		}
		if err == nil || n == tries || ctx.Err() != nil || !again(err) {
			return err
		}
		if waitErr := s.wait(ctx, pause); waitErr != nil {
			return errors.Join(err, waitErr)
		}
		pause *= 2
	}
}

func (s *Store) attempt(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return do(ctx)
}

// contentType lets a browser show a report; nil leaves S3's own, which is a stream of bytes.
func contentType(key string) *string {
	switch path.Ext(key) {
	case ".html":
		return aws.String("text/html; charset=utf-8")
	case ".json":
		return aws.String("application/json")
	case ".xml":
		return aws.String("application/xml")
	}
	return nil
}
