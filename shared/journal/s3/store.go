package s3

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/internal/awsapi"
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
	called, root, region string
	wait                 func(ctx context.Context, d time.Duration) error
	bucket               *awsapi.Bucket
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
	err := s.put(ctx, key, data, "*", busyTries, again)
	if err != nil && codeOf(err) == "PreconditionFailed" {
		err = journal.ErrExists
	}
	return s.doing("create", key, err)
}

// Put implements journal.Store.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.doing("put", key, s.put(ctx, key, data, "", attempts, temporary))
}

func (s *Store) put(ctx context.Context, key string, data []byte, ifNoneMatch string, tries int, again func(error) bool) error {
	name, err := s.name(key)
	if err != nil {
		return err
	}
	return s.call(ctx, tries, again, func(ctx context.Context) error {
		return s.bucket.PutObject(ctx, name, contentType(key), ifNoneMatch, data)
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
		data, err = s.bucket.GetObject(ctx, name)
		return err
	})
	return data, err
}

// List implements journal.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if after != "" {
		after = s.root + after
	}
	var keys []string
	for next := ""; ; {
		size := pageSize
		if limit > 0 {
			size = min(pageSize, limit-len(keys))
		}
		var page awsapi.Page
		err := s.call(ctx, attempts, temporary, func(ctx context.Context) (err error) {
			page, err = s.bucket.ListObjectsV2(ctx, s.root+prefix, after, next, size)
			return err
		})
		if err != nil {
			return nil, s.doing("list", prefix, err)
		}
		for _, o := range page.Contents {
			if key := strings.TrimPrefix(o.Key, s.root); key != "" { // a console may have made a placeholder of the prefix itself
				keys = append(keys, key)
			}
		}
		if limit > 0 && len(keys) >= limit || !page.More {
			return keys, nil
		}
		if next = page.Next; next == "" {
			return nil, s.doing("list", prefix, errors.New("the reply says that there is more, and not how to ask for it"))
		}
	}
}

// Delete implements journal.Store. In a versioned bucket it leaves the old version behind.
func (s *Store) Delete(ctx context.Context, key string) error {
	name, err := s.name(key)
	if err != nil {
		return s.doing("delete", key, err)
	}
	err = s.call(ctx, attempts, temporary, func(ctx context.Context) error {
		return s.bucket.DeleteObject(ctx, name)
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
// left.
func (s *Store) call(ctx context.Context, tries int, again func(error) bool, do func(context.Context) error) error {
	pause := firstPause
	for n := 1; ; n++ {
		err := ctx.Err()
		if err == nil {
			err = do(ctx)
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

// contentType lets a browser show a report.
func contentType(key string) string {
	switch path.Ext(key) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	}
	return "application/octet-stream"
}
