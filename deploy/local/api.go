package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// planView is a plan in the API.
type planView struct {
	Name        string     `json:"name"`
	Title       string     `json:"title"`
	Service     string     `json:"service"`
	Environment string     `json:"environment"`
	Approval    bool       `json:"approval"`
	Next        *time.Time `json:"next"`
	StopOn      []string   `json:"stop_on,omitempty"`
	Parameters  []string   `json:"parameters,omitempty"`

	Inputs map[string]drill.Parameter `json:"inputs,omitempty"` // the parameters' types, defaults and bounds, by name
}

// drillView is a drill in the API.
type drillView struct {
	ID          string       `json:"id"`
	Plan        string       `json:"plan"`
	Title       string       `json:"title"`
	Service     string       `json:"service"`
	Run         string       `json:"run"`
	Status      string       `json:"status"`
	Outcome     string       `json:"outcome,omitempty"`
	Verdict     string       `json:"verdict"`
	Summary     string       `json:"summary"`
	Reason      string       `json:"reason,omitempty"`
	Actor       string       `json:"actor"`
	Environment string       `json:"environment"`
	Mode        string       `json:"mode"`
	RequestedAt *time.Time   `json:"requested_at"`
	StartedAt   *time.Time   `json:"started_at"`
	EndedAt     *time.Time   `json:"ended_at"`
	Stop        stopView     `json:"stop"`
	Steps       []stepView   `json:"steps"`
	Gates       []drill.Gate `json:"gates"`
	Claims      []claimView  `json:"claims"`
	Escalations int          `json:"escalations"`
	LastError   string       `json:"last_error,omitempty"`
	Timeline    []moment     `json:"timeline"`
	Rev         int          `json:"rev"`

	Amendments []drill.Verdict `json:"amendments,omitempty"` // later corrections, oldest first; the first verdict stays
}

// stopView holds the three facts of a stop; each is null until it is so. Restored is set for runs that ended by themselves, too.
type stopView struct {
	RequestedAt *time.Time `json:"requested_at"`
	StoppedAt   *time.Time `json:"stopped_at"`
	RestoredAt  *time.Time `json:"restored_at"`
	By          string     `json:"by"`
	Reason      string     `json:"reason"`
	Restoration string     `json:"restoration,omitempty"`
}

type stepView struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Kind      string         `json:"kind"`
	State     string         `json:"state"`
	Targets   []drill.Target `json:"targets"`
	StartedAt *time.Time     `json:"started_at"`
	EndedAt   *time.Time     `json:"ended_at"`
	Message   string         `json:"message"`
}

type claimView struct {
	ID     string `json:"id"`
	Claim  string `json:"claim"`
	Ask    string `json:"ask,omitempty"`
	Answer string `json:"answer,omitempty"`
	Last   string `json:"last,omitempty"`
}

type moment struct {
	Rev    int       `json:"rev"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Change string    `json:"change"`
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *system) viewPlan(c *catalog.Catalog, p drill.Plan, now time.Time) planView {
	v := planView{Name: p.Name, Title: p.Title, Service: string(p.Service), Environment: p.Environment, Approval: p.Approval.Need > 0, StopOn: p.StopOn, Inputs: p.Parameters}
	if at, ok := s.upcoming.next(c, p, now); ok {
		v.Next = when(at)
	}
	v.Parameters = slices.Sorted(maps.Keys(p.Parameters))
	return v
}

func viewDrill(d *drill.Drill) drillView {
	v := drillView{
		ID: d.ID, Plan: d.Plan.Name, Title: d.Plan.Title, Service: string(d.Plan.Service), Run: d.RunID(), Status: string(d.Status),
		Outcome: string(d.Outcome), Reason: d.Reason, Actor: d.Actor, Environment: d.Plan.Environment, Mode: d.Mode,
		RequestedAt: when(d.RequestedAt), StartedAt: when(d.StartedAt), EndedAt: when(d.EndedAt), Steps: []stepView{}, Gates: d.Gates,
		Claims: []claimView{}, Escalations: d.Escalations, LastError: d.LastError, Timeline: []moment{}, Rev: d.Rev,
	}
	if d.Verdict != nil {
		v.Verdict, v.Summary = d.Verdict.Verdict, d.Verdict.Summary
	}
	v.Amendments = d.Amendments
	if s := d.Stop; s != nil {
		v.Stop = stopView{RequestedAt: when(s.RequestedAt), StoppedAt: when(s.StoppedAt), By: s.By, Reason: s.Reason}
	}
	v.Stop.RestoredAt, v.Stop.Restoration = when(d.Restored.At), string(d.Restored.State)
	if v.Gates == nil {
		v.Gates = []drill.Gate{}
	}
	for _, s := range d.Steps {
		v.Steps = append(v.Steps, stepView{ID: s.ID, Name: s.Name, Kind: string(s.Kind), State: string(s.State), Targets: s.Targets,
			StartedAt: when(s.StartedAt), EndedAt: when(s.EndedAt), Message: s.Message})
	}
	for i, c := range d.Plan.Expect {
		cv := claimView{ID: c.ID, Claim: c.Claim, Ask: c.Ask, Last: d.Claims[i].Last}
		if a := d.Claims[i].Answer; a != nil {
			cv.Answer = map[bool]string{true: "yes", false: "no"}[a.Holds]
		}
		v.Claims = append(v.Claims, cv)
	}
	return v
}

// errNoDrill says that an id names no drill, or several.
type errNoDrill struct{ error }

// find resolves an id, or the beginning of one that is unique among the newest drills, in any case of letters.
func (s *system) find(ctx context.Context, id string) (*drill.Drill, error) {
	id = strings.ToLower(id)
	if journal.CheckID(id) == nil {
		d, err := s.journal.Load(ctx, id)
		if err == nil || !errors.Is(err, journal.ErrNotFound) {
			return d, err
		}
	}
	if len(id) < 3 {
		return nil, errNoDrill{fmt.Errorf("there is no drill %q", id)}
	}
	match, err := s.startingWith(ctx, id)
	if err != nil {
		return nil, err
	}
	switch len(match) {
	case 1:
		return s.journal.Load(ctx, match[0])
	case 0:
		return nil, errNoDrill{fmt.Errorf("there is no drill %q", id)}
	}
	return nil, errNoDrill{fmt.Errorf("%q could be %s; write more of the id", id, strings.Join(match, " or "))}
}

// startingWith lists those of the newest drills whose id begins with prefix.
func (s *system) startingWith(ctx context.Context, prefix string) ([]string, error) {
	items, _, err := s.journal.Recent(ctx, 1000, "")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, it := range items {
		if strings.HasPrefix(it.Drill, prefix) {
			ids = append(ids, it.Drill)
		}
	}
	return ids, nil
}

// view reads a drill with its timeline.
func (s *system) view(ctx context.Context, id string) (drillView, error) {
	d, err := s.find(ctx, id)
	if err != nil {
		return drillView{}, err
	}
	entries, err := s.journal.Entries(ctx, d.ID)
	if err != nil {
		return drillView{}, err
	}
	last := entries[len(entries)-1]
	if d, err = last.State(); err != nil {
		return drillView{}, err
	}
	v := viewDrill(d)
	for _, e := range entries {
		v.Timeline = append(v.Timeline, moment{Rev: e.Rev, At: e.At, Actor: e.Actor, Change: e.Change})
	}
	return v, nil
}

func (s *system) getPlans(w http.ResponseWriter, _ *http.Request) {
	out := []planView{}
	c := s.catalog.Load()
	for _, p := range c.Plans() {
		out = append(out, s.viewPlan(c, p, s.clock.Now()))
	}
	respond(w, http.StatusOK, out)
}

// getDrills lists the newest drills first: ?limit= up to 1000, ?after= the last id's cursor.
func (s *system) getDrills(w http.ResponseWriter, r *http.Request) {
	limit := 100
	if q := r.URL.Query().Get("limit"); q != "" {
		n, err := strconv.Atoi(q)
		if err != nil || n < 1 || n > 1000 {
			respondError(w, http.StatusBadRequest, fmt.Errorf("limit: %q is not a number from 1 to 1000", q))
			return
		}
		limit = n
	}
	items, next, err := s.journal.Recent(r.Context(), limit, r.URL.Query().Get("after"))
	if errors.Is(err, journal.ErrPage) {
		respondError(w, http.StatusBadRequest, fmt.Errorf("after: %w; take it from the header Firedrill-Next", err))
		return
	}
	if err != nil {
		respondError(w, http.StatusInternalServerError, err)
		return
	}
	out := []drillView{}
	for _, it := range items {
		d, err := s.journal.Load(r.Context(), it.Drill)
		if errors.Is(err, journal.ErrNotFound) {
			continue
		}
		if err != nil { // the others are shown all the same
			out = append(out, drillView{ID: it.Drill, Plan: string(it.Summary), Mode: s.mode, Status: "damaged", RequestedAt: &it.At, LastError: err.Error()})
			continue
		}
		out = append(out, viewDrill(d))
	}
	slices.SortStableFunc(out, func(a, b drillView) int { return b.RequestedAt.Compare(*a.RequestedAt) }) // the index knows the minute
	if next != "" {
		w.Header().Set("Firedrill-Next", next)
	}
	respond(w, http.StatusOK, out)
}

func (s *system) getDrill(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r.Context(), r.PathValue("id"))
	if err != nil {
		respondFindError(w, err, "; GET /api/drills lists them")
		return
	}
	respond(w, http.StatusOK, v)
}

func (s *system) getJournal(w http.ResponseWriter, r *http.Request) {
	d, err := s.find(r.Context(), r.PathValue("id"))
	if err != nil {
		respondFindError(w, err, "; GET /api/drills lists them")
		return
	}
	entries, err := s.journal.Entries(r.Context(), d.ID)
	if err != nil {
		respondError(w, http.StatusInternalServerError, err)
		return
	}
	respond(w, http.StatusOK, entries)
}
