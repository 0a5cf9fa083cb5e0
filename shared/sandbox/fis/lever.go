package fis

// The statuses of the safety lever.
const (
	disengaged = "disengaged"
	engaging   = "engaging"
	engaged    = "engaged"
)

// lever is the safety lever of the account and region.
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

func (s *Service) getLever(in *input) (any, *failure) {
	if in.path["id"] != "default" {
		return nil, notFound("Safety lever", in.path["id"])
	}
	return leverReply{s.lever.json(in.region)}, nil
}

// updateLever engages or disengages the lever. Engaging stops what runs and cancels what has not begun.
func (s *Service) updateLever(in *input) (any, *failure) {
	want := in.body.State
	switch {
	case in.path["id"] != "default":
		return nil, notFound("Safety lever", in.path["id"])
	case want == nil || want.Status == "":
		return nil, missing("state.status")
	case want.Reason == "" || len([]rune(want.Reason)) > 256:
		return nil, invalid("1 validation error detected: Value at 'state.reason' failed to satisfy constraint: Member must have length between 1 and 256")
	case want.Status != engaged && want.Status != disengaged:
		return nil, invalid("1 validation error detected: Value '%s' at 'state.status' failed to satisfy constraint: Member must satisfy enum value set: [disengaged, engaged]", want.Status)
	case s.lever.status == engaging:
		return nil, conflict("The safety lever cannot be updated while it is engaging.")
	case s.lever.status == want.Status:
		return nil, conflict("The safety lever cannot be updated without a status change.")
	}
	s.lever = lever{status: want.Status, reason: want.Reason}
	if want.Status == engaged {
		s.lever.status = engaging
		now := s.env.Now()
		for _, e := range s.experiments {
			switch e.status {
			case pending, initiating:
				s.cancel(e, now)
			case running:
				const reason = "Experiment stopped because the safety lever was engaged."
				s.halt(e, now, reason, stopped, reason)
			}
		}
		s.settleLever()
	}
	return leverReply{s.lever.json(in.region)}, nil
}

// settleLever ends the engaging once every experiment that it stops has ended.
func (s *Service) settleLever() {
	if s.lever.status != engaging {
		return
	}
	for _, e := range s.experiments {
		if !final(e.status) && e.status != pending {
			return
		}
	}
	s.lever.status = engaged
}
