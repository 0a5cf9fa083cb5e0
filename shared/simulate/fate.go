package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/ahas"
	"github.com/firedrill/firedrill/shared/provider/cfg"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/fis"
	"github.com/firedrill/firedrill/shared/provider/oos"
)

// lateness is how late a call that its sender gave up may arrive at a service. It is the number that the driver states and that the
// protocol waits for before it says "never started": a signature's validity and a minute. What arrives after the validity the sandbox
// refuses, as the vendor does.
func lateness(s drill.Service) time.Duration {
	return map[drill.Service]driver.Describer{
		drill.FIS: (*fis.Driver)(nil), drill.CFG: (*cfg.Driver)(nil), drill.OOS: (*oos.Driver)(nil), drill.AHAS: (*ahas.Driver)(nil),
	}[s].Facts().Late()
}

// decide seals the fate of a parked call, or ends its wait.
func (s *Scheduler) decide(c *call) {
	now := time.Now()
	at := c.deadline()
	late := c.ctx.Err() != nil || !at.IsZero() && !at.After(now)
	switch {
	case late && c.decided && !c.back && c.fate.act == slow && c.until.After(now):
		do, detached := c.do, context.WithoutCancel(c.ctx)
		s.late++
		s.At(c.until, "late: "+c.op+" "+c.key, func() {
			s.late--
			_ = do(detached, pass)
		})
		s.release(c, context.DeadlineExceeded, "gave up; it will arrive late")
	case late && (!c.decided || c.back || c.fate.act == slow || c.fate.act == freezeBefore):
		s.release(c, context.DeadlineExceeded, "gave up")
	case c.decided:
		s.release(c, nil, "")
	default:
		s.seal(c, now)
	}
}

func (s *Scheduler) seal(c *call, now time.Time) {
	c.decided, c.fate = true, s.decider.call(c)
	f := c.fate
	switch f.act {
	case crashBefore:
		s.noted(c, f.act.String())
		s.kill(c.inst, nil)
	case failBefore:
		s.release(c, errUnreachable, f.act.String())
	case slow:
		c.until = now.Add(f.lasts)
		s.noted(c, fmt.Sprintf("slow %s", f.lasts))
	case slowReply:
		c.until = now.Add(f.lasts)
		s.release(c, nil, fmt.Sprintf("slow-reply %s", f.lasts))
	case freezeBefore:
		c.inst.frozen = now.Add(f.lasts)
		s.noted(c, fmt.Sprintf("freeze-before %s", f.lasts))
	case freezeAfter:
		s.release(c, nil, fmt.Sprintf("freeze-after %s", f.lasts))
		c.inst.frozen = now.Add(f.lasts)
	case crashAfter:
		s.kill(c.inst, c)
		s.release(c, nil, f.act.String())
	default:
		s.release(c, nil, f.act.String())
	}
}

// release lets a parked call go; err, if set, is all that it gets.
func (s *Scheduler) release(c *call, err error, how string) {
	s.mu.Lock()
	s.parked = slices.DeleteFunc(s.parked, func(o *call) bool { return o == c })
	s.note(c.inst, c.op, c.key, how)
	s.mu.Unlock()
	if err != nil {
		c.err = err
	}
	gate := c.resume
	c.resume = make(chan struct{})
	close(gate)
}

func (s *Scheduler) noted(c *call, how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(c.inst, c.op, c.key, how)
}

// kill ends an instance: its calls get nowhere, save for the last one, if there is one, and its event may be delivered again.
func (s *Scheduler) kill(i *instance, last *call) {
	s.mu.Lock()
	if i.done || i.dead {
		s.mu.Unlock()
		return
	}
	i.dead = true
	var mine []*call
	s.parked = slices.DeleteFunc(s.parked, func(c *call) bool {
		if c.inst != i || c == last {
			return false
		}
		mine = append(mine, c)
		return true
	})
	s.live = slices.DeleteFunc(s.live, func(o *instance) bool { return o == i })
	s.mu.Unlock()
	i.cancel()
	for _, c := range mine {
		c.err = errCrashed
		close(c.resume)
	}
	s.redeliver(i, "died")
}

func (s *Scheduler) redeliver(i *instance, why string) {
	in, ok := s.decider.again(i)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok {
		s.note(i, why, short(i.event), "never delivered again")
		return
	}
	s.note(i, why, short(i.event), fmt.Sprintf("delivered again in %s", in))
	s.enqueue(i.to, i.event, i.try+1, in)
}
