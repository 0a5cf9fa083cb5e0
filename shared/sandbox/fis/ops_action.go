package fis

import (
	"maps"
	"slices"
)

// catalogued is an action type as GetAction and ListActions show it.
type catalogued struct {
	ID          string            `json:"id"`
	Arn         string            `json:"arn"`
	Description string            `json:"description,omitempty"`
	Targets     map[string]kind   `json:"targets,omitempty"`
	Tags        map[string]string `json:"tags"`
}

type kind struct {
	ResourceType string `json:"resourceType"`
}

// catalogue lists the action types that the shipped templates use, by id.
func (s *Service) catalogue(region string) map[string]catalogued {
	all := map[string]catalogued{}
	for _, t := range shipped(s.env.Now()) {
		for _, a := range t.actions {
			c := catalogued{
				ID: a.id, Arn: "arn:aws:fis:" + region + ":" + AccountID + ":action/" + a.id,
				Description: a.description, Targets: map[string]kind{}, Tags: map[string]string{},
			}
			for name, target := range a.targets {
				c.Targets[name] = kind{t.targets[target].ResourceType}
			}
			all[a.id] = c
		}
	}
	return all
}

func (s *Service) getAction(in *input) (any, *failure) {
	c, ok := s.catalogue(in.region)[in.path["id"]]
	if !ok {
		return nil, notFound("Action", in.path["id"])
	}
	return map[string]any{"action": c}, nil
}

func (s *Service) listActions(in *input) (any, *failure) {
	all := s.catalogue(in.region)
	ids := slices.Sorted(maps.Keys(all))
	from, to, next, f := in.page(len(ids))
	if f != nil {
		return nil, f
	}
	list := []catalogued{}
	for _, id := range ids[from:to] {
		list = append(list, all[id])
	}
	return struct {
		Actions   []catalogued `json:"actions"`
		NextToken string       `json:"nextToken,omitempty"`
	}{list, next}, nil
}
