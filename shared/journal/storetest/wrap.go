package storetest

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/firedrill/firedrill/shared/journal"
)

var errNetwork = errors.New("connection reset by peer")

// counting counts the calls that cost something.
type counting struct {
	journal.Store
	gets, lists atomic.Int64
}

func (s *counting) Get(ctx context.Context, key string) ([]byte, error) {
	s.gets.Add(1)
	return s.Store.Get(ctx, key)
}

func (s *counting) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	s.lists.Add(1)
	return s.Store.List(ctx, prefix, after, limit)
}

// faulty replaces a call of a store: nil fields pass through.
type faulty struct {
	journal.Store
	create func(ctx context.Context, key string, data []byte) error
	get    func(ctx context.Context, key string) ([]byte, error)
	list   func(ctx context.Context, prefix, after string, limit int) ([]string, error)
}

func (s *faulty) Create(ctx context.Context, key string, data []byte) error {
	if s.create != nil {
		return s.create(ctx, key, data)
	}
	return s.Store.Create(ctx, key, data)
}

func (s *faulty) Get(ctx context.Context, key string) ([]byte, error) {
	if s.get != nil {
		return s.get(ctx, key)
	}
	return s.Store.Get(ctx, key)
}

func (s *faulty) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if s.list != nil {
		return s.list(ctx, prefix, after, limit)
	}
	return s.Store.List(ctx, prefix, after, limit)
}

// losingReplies commits every create and answers with an error.
func losingReplies(s journal.Store) *faulty {
	return &faulty{Store: s, create: func(ctx context.Context, key string, data []byte) error {
		if err := s.Create(ctx, key, data); err != nil {
			return err
		}
		return errNetwork
	}}
}

// retrying commits every create, and sends it again as an SDK does after a lost reply.
func retrying(s journal.Store) *faulty {
	return &faulty{Store: s, create: func(ctx context.Context, key string, data []byte) error {
		if err := s.Create(ctx, key, data); err != nil {
			return err
		}
		return s.Create(ctx, key, data)
	}}
}

// losingRequests writes nothing.
func losingRequests(s journal.Store) *faulty {
	return &faulty{Store: s, create: func(context.Context, string, []byte) error { return errNetwork }}
}
