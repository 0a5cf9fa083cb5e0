package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/inbound"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// openSandbox makes the four services, with the runs that an earlier one left in the data directory, and finds them a port.
func (s *system) openSandbox() error {
	keep, err := openKeeper(s.set.data, s.set.log)
	if err != nil {
		return err
	}
	box, err := sandbox.Open(sandbox.Options{
		Real: time.Now, Clock: s.clock, ID: random, Emit: s.pushed, AllowHosts: s.set.allowHosts, Keep: keep,
	})
	if err != nil {
		keep.close()
		return fmt.Errorf("%w\nnothing was changed; move %s away to begin anew, its drills will miss their runs", err, keep.path)
	}
	l, why, err := listen(s.set.sandboxAddr)
	if err != nil {
		keep.close()
		return err
	}
	s.box, s.keeper = box, keep
	s.boxListener, s.boxMoved = l, why
	s.boxURL = "http://" + l.Addr().String()
	s.openRooms()
	return nil
}

// serveSandbox answers on the sandbox's port and moves its services on.
func (s *system) serveSandbox(wg *sync.WaitGroup) (closeBox func(), err error) {
	if s.box == nil {
		return func() {}, nil
	}
	server := &http.Server{Handler: s.withRooms(s.box), ReadHeaderTimeout: 10 * time.Second}
	wg.Go(func() {
		if err := server.Serve(s.boxListener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.set.log.Error("the sandbox ended", "error", err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var ticks sync.WaitGroup
	ticks.Go(func() {
		for s.clock.Sleep(ctx, time.Second) == nil {
			s.box.Tick()
		}
	})
	return func() {
		cancel()
		soon, done := context.WithTimeout(context.Background(), time.Second)
		defer done()
		_ = server.Shutdown(soon) // calls that are held longer are cut off
		_ = server.Close()
		ticks.Wait()
		s.keeper.close() // nobody writes any more
	}, nil
}

// pushed takes what the sandbox's services push, the way the platform's own event source would deliver it.
func (s *system) pushed(platform string, payload []byte) {
	in, err := decodeInbound(platform, payload)
	if err == nil {
		err = s.bus.Publish(context.Background(), in...)
	}
	if err != nil {
		s.set.log.Warn("a pushed payload was dropped", "platform", platform, "error", err)
	}
}

func decodeInbound(platform string, payload []byte) ([]events.Event, error) {
	switch platform {
	case "aws":
		return inbound.AWS(payload)
	case "aliyun":
		return inbound.Aliyun(payload)
	case "tencent":
		return inbound.Tencent(payload)
	}
	return nil, fmt.Errorf("platform %q is none of aws, aliyun, tencent", platform)
}
