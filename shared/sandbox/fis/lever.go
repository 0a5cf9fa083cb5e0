package fis

import "slices"

// The statuses of the safety lever.
const (
	disengaged = "disengaged"
	engaging   = "engaging"
	engaged    = "engaged"
)

// lever is a safety lever.
type lever struct {
	status, reason string
}

type leverReply struct {
	Lever leverJSON `json:"safetyLever"`
}

func (l lever) json(region string) leverJSON {
	return leverJSON{
		Arn: "arn:aws:fis:" + region + ":" + AccountID + ":safety-lever/default", ID: "default",
		State: stateJSON{Status: l.status, Reason: l.reason},
	}
}

// lever is the safety lever of a region.
func (s *Service) lever(region string) lever {
	if l, ok := s.levers[region]; ok {
		return l
	}
	return lever{status: disengaged}
}

func (s *Service) getLever(in *input) (any, *failure) {
	if in.path["id"] != "default" {
		return nil, notFound("Safety lever", in.path["id"])
	}
	return leverReply{s.lever(in.region).json(in.region)}, nil
}

// updateLever engages or disengages the lever. Engaging stops what runs and cancels what has not begun.
func (s *Service) updateLever(in *input) (any, *failure) {
	want, have := in.body.State, s.lever(in.region).status
	switch {
	case in.path["id"] != "default":
		return nil, notFound("Safety lever", in.path["id"])
	case want == nil || want.Status == "":
		return nil, missing("state.status")
	case want.Reason == "" || len([]rune(want.Reason)) > 256:
		return nil, invalid("1 validation error detected: Value at 'state.reason' failed to satisfy constraint: Member must have length between 1 and 256")
	case want.Status != engaged && want.Status != disengaged:
		return nil, invalid("1 validation error detected: Value '%s' at 'state.status' failed to satisfy constraint: Member must satisfy enum value set: [disengaged, engaged]", want.Status)
	case have == engaging:
		return nil, conflict("The safety lever cannot be updated while it is engaging.")
	case have == want.Status:
		return nil, conflict("The safety lever cannot be updated without a status change.")
	}
	s.levers[in.region] = lever{status: want.Status, reason: want.Reason}
	if want.Status == engaged {
		s.levers[in.region] = lever{status: engaging, reason: want.Reason}
		now := s.env.Now()
		for _, e := range s.experiments {
			switch {
			case e.region != in.region:
			case e.status == pending, e.status == initiating:
				s.cancel(e, now)
			case e.status == running:
				const reason = "Experiment stopped because the safety lever was engaged."
				s.halt(e, now, reason, stopped, reason)
			}
		}
		s.settleLevers()
	}
	return leverReply{s.lever(in.region).json(in.region)}, nil
}

// settleLevers ends the engaging of each lever once every experiment that it stops has ended.
func (s *Service) settleLevers() {
	for region, l := range s.levers {
		busy := slices.ContainsFunc(s.experiments, func(e *experiment) bool { return e.region == region && !final(e.status) && e.status != pending })
		if l.status == engaging && !busy {
			s.levers[region] = lever{status: engaged, reason: l.reason}
		}
	}
}
