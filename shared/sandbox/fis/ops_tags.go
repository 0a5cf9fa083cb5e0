package fis

import (
	"maps"
	"strings"
)

// tagsOf finds the tags of the resource that the request's ARN names.
func (s *Service) tagsOf(in *input) (map[string]string, *failure) {
	arn := in.path["arn"]
	kind, id, _ := strings.Cut(arn[strings.LastIndex(arn, ":")+1:], "/")
	if t := s.templates[id]; kind == "experiment-template" && t != nil && t.in(in.region) {
		if t.tags == nil {
			t.tags = map[string]string{}
		}
		return t.tags, nil
	}
	if e := s.byID[id]; kind == "experiment" && e != nil && e.region == in.region {
		return e.tags, nil
	}
	return nil, notFound("Resource", arn)
}

func (s *Service) tagResource(in *input) (any, *failure) {
	have, f := s.tagsOf(in)
	if f != nil {
		return nil, f
	}
	all := maps.Clone(have)
	maps.Copy(all, in.body.Tags)
	if f := checkTags(all); f != nil {
		return nil, f
	}
	maps.Copy(have, in.body.Tags)
	return struct{}{}, nil
}

func (s *Service) untagResource(in *input) (any, *failure) {
	have, f := s.tagsOf(in)
	if f != nil {
		return nil, f
	}
	for _, key := range in.query["tagKeys"] {
		delete(have, key)
	}
	return struct{}{}, nil
}

func (s *Service) listTags(in *input) (any, *failure) {
	have, f := s.tagsOf(in)
	if f != nil {
		return nil, f
	}
	return map[string]any{"tags": maps.Clone(have)}, nil
}
