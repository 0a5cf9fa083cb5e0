package fis

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// AccountID is the account that the sandbox's resources belong to.
const AccountID = "123456789012"

const homeRegion = "us-east-1"

// Service is one sandboxed FIS. It is safe for concurrent use. A region is what a request is signed for: each has its own
// experiments, client tokens, templates that were made in it, and safety lever; the shipped templates are in every region.
type Service struct {
	env service.Env

	mu          sync.Mutex
	templates   map[string]*template
	experiments []*experiment // oldest first
	byID        map[string]*experiment
	tokens      map[string]token // client tokens of experiments and templates
	levers      map[string]lever // by region; disengaged where there is none
	outbox      [][]byte         // events that wait for the lock to be let go
}

var _ service.Service = (*Service)(nil)

// token remembers what a client token was used for.
type token struct {
	id     string // of the experiment or template that it made
	params string // hash of the parameters that it came with
}

// New makes a FIS with the shipped templates and no experiment.
func New(env service.Env) *Service {
	s := &Service{env: env, templates: map[string]*template{}}
	for _, t := range shipped(env.Now()) {
		s.templates[t.id] = t
	}
	s.forget()
	return s
}

// Name is "fis".
func (s *Service) Name() string { return "fis" }

// Recognise tells whether the request is signed for FIS, has a path of FIS, or asks STS for the caller's identity.
func (s *Service) Recognise(r *http.Request, body []byte) (service.Call, bool) {
	call := service.Call{Service: s.Name(), Kind: service.Read}
	if identityCall(r, body) {
		call.Op, call.Key = identityOp, identityOp
		return call, true
	}
	o, _ := match(r)
	a, signed := scope(r)
	if signed && a.service != "fis" || !signed && o == nil {
		return service.Call{}, false
	}
	if o != nil {
		call.Op, call.Kind = o.name, o.kind
	}
	call.Key = r.Method + " " + r.URL.RequestURI()
	return call, true
}

// Serve answers one call.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, body []byte, c service.Call, o service.Options) {
	w.Header().Set("X-Amzn-RequestId", s.requestID())
	if c.Op == identityOp {
		s.serveIdentity(w, r, body)
		return
	}
	if f := s.verify(r, body, s.Name()); f != nil {
		f.write(w)
		return
	}
	op, names := match(r)
	if op == nil {
		fail(http.StatusNotFound, "UnknownOperationException", "").write(w)
		return
	}
	in := &input{path: names, query: r.URL.Query(), region: homeRegion, lie: o.Lie}
	if a, ok := scope(r); ok {
		in.region = a.region
	}
	if f := in.decode(body); f != nil {
		f.write(w)
		return
	}
	s.play()
	out, f := s.run(op, in)
	s.push()
	if f != nil {
		f.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // nothing is left to do for a client that went away
}

func (s *Service) run(op *operation, in *input) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return op.run(s, in)
}

// Fail writes the failure in the shape of FIS, or of STS for its one call.
func (s *Service) Fail(w http.ResponseWriter, _ *http.Request, c service.Call, f service.Failure) {
	w.Header().Set("X-Amzn-RequestId", s.requestID())
	if c.Op == identityOp {
		asked(f).writeXML(w)
		return
	}
	asked(f).write(w)
}

// Tick plays what is due and pushes what changed.
func (s *Service) Tick() {
	s.play()
	s.push()
}

// push emits the waiting events without holding the lock, so that a receiver may call back.
func (s *Service) push() {
	s.mu.Lock()
	events := s.outbox
	s.outbox = nil
	s.mu.Unlock()
	for _, e := range events {
		s.env.Emit("aws", e)
	}
}

// Runs lists every experiment, oldest first.
func (s *Service) Runs() []service.Run {
	s.Tick()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]service.Run, 0, len(s.experiments))
	for _, e := range s.experiments {
		out = append(out, e.truth())
	}
	return out
}

// Snapshot is the whole state as JSON.
func (s *Service) Snapshot() json.RawMessage {
	s.Tick()
	s.mu.Lock()
	defer s.mu.Unlock()
	state := struct {
		Levers      []leverJSON      `json:"safetyLevers"`
		Templates   []templateJSON   `json:"experimentTemplates"`
		Experiments []experimentJSON `json:"experiments"`
	}{Levers: []leverJSON{}, Templates: []templateJSON{}, Experiments: []experimentJSON{}}
	for _, region := range slices.Sorted(maps.Keys(s.levers)) {
		state.Levers = append(state.Levers, s.levers[region].json(region))
	}
	for _, t := range s.sortedTemplates() {
		state.Templates = append(state.Templates, t.json(cmp.Or(t.region, homeRegion)))
	}
	for _, e := range s.experiments {
		state.Experiments = append(state.Experiments, e.json())
	}
	raw, err := json.Marshal(state)
	if err != nil {
		return json.RawMessage(`null`)
	}
	return raw
}

// Reset forgets all experiments and the lever, and keeps the templates.
func (s *Service) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
}

func (s *Service) forget() {
	s.experiments, s.byID, s.tokens, s.outbox = nil, map[string]*experiment{}, map[string]token{}, nil
	s.levers = map[string]lever{}
}

func (s *Service) sortedTemplates() []*template {
	out := make([]*template, 0, len(s.templates))
	for _, t := range s.templates {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *template) int { return strings.Compare(a.id, b.id) })
	return out
}

// requestID is a new id in the form of a UUID.
func (s *Service) requestID() string {
	id := s.env.ID(32)
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}
