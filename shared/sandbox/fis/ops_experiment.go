package fis

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

const activeQuota = 5 // experiments that have not ended, per account and region

type experimentReply struct {
	Experiment experimentJSON `json:"experiment"`
}

func (s *Service) startExperiment(in *input) (any, *failure) {
	b := &in.body
	if f := checkToken(b.ClientToken); f != nil {
		return nil, f
	}
	if b.ExperimentTemplateID == "" {
		return nil, missing("experimentTemplateId")
	}
	mode := runAll
	if b.ExperimentOptions != nil && b.ExperimentOptions.ActionsMode != "" {
		mode = b.ExperimentOptions.ActionsMode
	}
	if mode != runAll && mode != skipAll {
		return nil, invalid("1 validation error detected: Value '%s' at 'experimentOptions.actionsMode' failed to satisfy constraint: Member must satisfy enum value set: [skip-all, run-all]", mode)
	}
	if f := checkTags(b.Tags); f != nil {
		return nil, f
	}
	params := paramsHash(b.ExperimentTemplateID, mode, b.Tags)
	key := "experiment " + in.region + " " + b.ClientToken
	if used, ok := s.tokens[key]; ok {
		if used.params != params {
			return nil, conflict("The client token was used for an experiment with other parameters.")
		}
		return experimentReply{s.byID[used.id].json()}, nil
	}
	t, f := s.template(in, b.ExperimentTemplateID)
	if f != nil {
		return nil, f
	}
	active := 0
	for _, e := range s.experiments {
		if e.region == in.region && !final(e.status) {
			active++
		}
	}
	if active >= activeQuota {
		return nil, fail(http.StatusPaymentRequired, "ServiceQuotaExceededException", "You have reached the limit of active experiments.")
	}
	e := newExperiment("EXP"+s.env.ID(15), in.region, mode, t, b.Tags, s.env.Now())
	s.experiments, s.byID[e.id] = append(s.experiments, e), e
	s.tokens[key] = token{e.id, params}
	return experimentReply{e.json()}, nil
}

func paramsHash(parts ...any) string {
	raw, err := json.Marshal(parts) // maps are written in the order of their keys
	if err != nil {
		return ""
	}
	return hexSum(raw)
}

func checkToken(t string) *failure {
	switch {
	case t == "":
		return missing("clientToken")
	case len(t) > 1024 || strings.ContainsAny(t, " \t\r\n"):
		return invalid("1 validation error detected: Value at 'clientToken' failed to satisfy constraint: Member must match [\\S]+ and have a length of at most 1024")
	}
	return nil
}

var tagPattern = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// checkTags applies the limits of FIS and the characters that AWS allows in tags of every service.
func checkTags(tags map[string]string) *failure {
	if len(tags) > 50 {
		return invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")
	}
	for k, v := range tags {
		switch {
		case k == "" || len([]rune(k)) > 128 || len([]rune(v)) > 256:
			return invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: keys have 1 to 128 characters, values at most 256")
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return invalid("Tag keys that start with aws: are reserved.")
		case !tagPattern.MatchString(k) || !tagPattern.MatchString(v):
			return invalid("Tag %s holds characters that are not allowed: use letters, spaces, numbers and _ . : / = + - @", k)
		}
	}
	return nil
}

func (s *Service) stopExperiment(in *input) (any, *failure) {
	e, f := s.experiment(in)
	if f != nil {
		return nil, f
	}
	if final(e.status) {
		return nil, invalid("Experiment %s cannot be stopped in state %s.", e.id, e.status)
	}
	const reason = "Stopping Experiment."
	if in.lie {
		reply := e.json()
		reply.State = stateJSON{Status: stopping, Reason: reason}
		return experimentReply{reply}, nil
	}
	s.halt(e, s.env.Now(), reason, stopped, "Experiment stopped.")
	return experimentReply{e.json()}, nil
}

func (s *Service) experiment(in *input) (*experiment, *failure) {
	e := s.byID[in.path["id"]]
	if e == nil || e.region != in.region {
		return nil, notFound("Experiment", in.path["id"])
	}
	return e, nil
}

func (s *Service) getExperiment(in *input) (any, *failure) {
	e, f := s.experiment(in)
	if f != nil {
		return nil, f
	}
	return experimentReply{e.json()}, nil
}

func (s *Service) listExperiments(in *input) (any, *failure) {
	var all []summaryJSON
	for _, e := range slices.Backward(s.experiments) {
		if id := in.query.Get("experimentTemplateId"); e.region == in.region && (id == "" || id == e.tpl.id) {
			all = append(all, e.summary())
		}
	}
	from, to, next, f := in.page(len(all))
	if f != nil {
		return nil, f
	}
	return struct {
		Experiments []summaryJSON `json:"experiments"`
		NextToken   string        `json:"nextToken,omitempty"`
	}{append([]summaryJSON{}, all[from:to]...), next}, nil
}

func (s *Service) listResolvedTargets(in *input) (any, *failure) {
	e, f := s.experiment(in)
	if f != nil {
		return nil, f
	}
	var all []resolvedJSON
	for _, r := range e.resolved {
		if name := in.query.Get("targetName"); name == "" || name == r.TargetName {
			all = append(all, r)
		}
	}
	from, to, next, f := in.page(len(all))
	if f != nil {
		return nil, f
	}
	return struct {
		Targets   []resolvedJSON `json:"resolvedTargets"`
		NextToken string         `json:"nextToken,omitempty"`
	}{append([]resolvedJSON{}, all[from:to]...), next}, nil
}

func sortResolved(all []resolvedJSON) {
	slices.SortFunc(all, func(a, b resolvedJSON) int {
		return cmp.Or(strings.Compare(a.TargetName, b.TargetName), strings.Compare(a.Information["arn"], b.Information["arn"]))
	})
}
