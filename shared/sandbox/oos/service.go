package oos

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

const (
	version = "2019-06-01"
	// most is how many executions may run at once before QuotaExceed; the vendor documents the error, not the number.
	most = 500
)

// Service is the sandboxed OOS. It is safe for concurrent use.
type Service struct {
	env      service.Env
	verifier *rpc.Verifier

	mu         sync.Mutex
	templates  []template
	executions []*execution // oldest first
	byID       map[string]*execution
	byToken    map[string]*execution
	active     map[string]*execution
	faults     []fault
	tagged     map[string]map[string]string // of TagResources, by type and id
	outbox     [][]byte
}

var _ service.Service = (*Service)(nil)

// New makes the service with the shipped templates.
func New(env service.Env) *Service {
	s := &Service{
		env:       env,
		verifier:  &rpc.Verifier{AccessKey: env.AccessKey, Secret: env.Secret, Real: env.Real},
		templates: slices.Clone(shippedTemplates()),
	}
	s.clear()
	return s
}

func (s *Service) clear() {
	s.executions, s.faults, s.outbox = nil, nil, nil
	s.byID, s.byToken, s.active = map[string]*execution{}, map[string]*execution{}, map[string]*execution{}
	s.tagged = map[string]map[string]string{}
}

// Name returns oos.
func (s *Service) Name() string { return "oos" }

// handler serves one action; the state is locked and played up to now.
type handler func(s *Service, q rpc.Request, now time.Time) (any, *rpc.Error)

type action struct {
	kind    service.Kind
	serve   handler
	version string // of the API that has it, "" for OOS's own
}

// callerIdentity is the one action of STS that the sandbox has; both Alibaba services of the sandbox share it.
const (
	callerIdentity = "GetCallerIdentity"
	stsVersion     = "2015-04-01"
)

func actions() map[string]action {
	return map[string]action{
		"StartExecution":          {kind: service.Start, serve: (*Service).startExecution},
		"NotifyExecution":         {kind: service.Advance, serve: (*Service).notifyExecution},
		"CancelExecution":         {kind: service.Stop, serve: (*Service).cancelExecution},
		"UpdateExecution":         {kind: service.Write, serve: (*Service).updateExecution},
		"TagResources":            {kind: service.Write, serve: (*Service).tagResources},
		"ListExecutions":          {kind: service.Read, serve: (*Service).listExecutions},
		"ListTaskExecutions":      {kind: service.Read, serve: (*Service).listTaskExecutions},
		"ListExecutionLogs":       {kind: service.Read, serve: (*Service).listExecutionLogs},
		"GetExecutionTemplate":    {kind: service.Read, serve: (*Service).getExecutionTemplate},
		"ListTemplates":           {kind: service.Read, serve: (*Service).listTemplates},
		"GetTemplate":             {kind: service.Read, serve: (*Service).getTemplate},
		"ValidateTemplateContent": {kind: service.Read, serve: (*Service).validateTemplateContent},
		"ListExecutionRiskyTasks": {kind: service.Read, serve: (*Service).listExecutionRiskyTasks},
		callerIdentity:            {kind: service.Read, serve: (*Service).getCallerIdentity, version: stsVersion},
	}
}

// Recognise tells whether the request is in RPC style and names this version or one of these actions.
func (s *Service) Recognise(r *http.Request, body []byte) (service.Call, bool) {
	q, ok := rpc.Parse(r, body)
	if !ok {
		return service.Call{}, false
	}
	a, known := actions()[q.Action]
	if !known && q.Version != version || a.version != "" && q.Version != a.version {
		return service.Call{}, false
	}
	if !known {
		a.kind = service.Read
	}
	return service.Call{Service: "oos", Op: q.Action, Kind: a.kind, Key: key(q)}, true
}

// key joins everything of the request but its signature.
func key(q rpc.Request) string {
	parts := []string{q.Action}
	for _, k := range sortedKeys(q.Params) {
		if strings.HasPrefix(k, "Signature") || slices.Contains([]string{"AccessKeyId", "Timestamp", "SecurityToken", "Action", "Version", "Format"}, k) {
			continue
		}
		parts = append(parts, k+"="+q.Get(k))
	}
	return strings.Join(parts, "&")
}

// Serve answers a call as the vendor does.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, body []byte, _ service.Call, o service.Options) {
	q, _ := rpc.Parse(r, body)
	id := s.requestID()
	a, known := actions()[q.Action]
	if a.version == "" {
		a.version = version
	}
	var refusal *rpc.Error
	switch {
	case q.Version != a.version:
		refusal = rpc.InvalidVersion()
	case !known:
		refusal = rpc.NoSuchAction()
	default:
		if refusal = s.verifier.Verify(q); refusal == nil {
			refusal = checkToken(q)
		}
	}
	if refusal != nil {
		rpc.Fail(w, q, id, refusal)
		return
	}
	if o.Lie && a.kind == service.Stop {
		rpc.Write(w, q, id, map[string]any{})
		return
	}
	s.mu.Lock()
	now := s.env.Now()
	s.play(now)
	reply, refusal := a.serve(s, q, now)
	s.unlock()
	if refusal != nil {
		rpc.Fail(w, q, id, refusal)
		return
	}
	rpc.Write(w, q, id, reply)
}

// unlock lets go of the state, then delivers what it wants to push: a receiver may call back.
func (s *Service) unlock() {
	out := s.outbox
	s.outbox = nil
	s.mu.Unlock()
	for _, p := range out {
		s.env.Emit("aliyun", p)
	}
}

// checkToken plays the errors of temporary credentials.
func checkToken(q rpc.Request) *rpc.Error {
	token := q.Get("SecurityToken")
	if token == "" {
		token = q.Header("x-acs-security-token")
	}
	switch token {
	case "invalid":
		return rpc.Refuse(http.StatusBadRequest, "InvalidStsToken", "Invalid STS token to do the action: ("+q.Action+")")
	case "expired":
		return rpc.Refuse(http.StatusBadRequest, "ExpiredStsToken", "Expired STS token to do the action: ("+q.Action+")")
	case "no-permission":
		return rpc.Refuse(http.StatusUnauthorized, "User.NoPermission", "User has no permission to do the action: ("+q.Action+")")
	case "wrong-account":
		return rpc.Refuse(http.StatusBadRequest, "InvalidAccountType", "The account type (wrong-account) was not supported.")
	}
	return nil
}

// requestID makes an id in the vendor's shape, such as 14A07460-EBE7-47CA-9757-12CC4761D47A.
func (s *Service) requestID() string {
	h := strings.ToUpper(s.env.ID(32))
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:32]}, "-")
}

func (s *Service) getCallerIdentity(_ rpc.Request, _ time.Time) (any, *rpc.Error) {
	return map[string]any{
		"AccountId": AccountID, "Arn": "acs:ram::" + AccountID + ":root", "UserId": AccountID, "PrincipalId": AccountID, "IdentityType": "Account",
	}, nil
}

// Fail writes the vendor's shape of a failure.
func (s *Service) Fail(w http.ResponseWriter, r *http.Request, c service.Call, f service.Failure) {
	e := rpc.Internal()
	if f == service.Throttled {
		e = rpc.Throttled()
	}
	q, ok := rpc.Parse(r, nil)
	if !ok || q.Format == "" {
		q.Format, q.Host = "JSON", r.Host
	}
	q.Action = c.Op
	rpc.Fail(w, q, s.requestID(), e)
}

// Tick plays what is due and pushes what follows from it.
func (s *Service) Tick() {
	s.mu.Lock()
	s.play(s.env.Now())
	s.unlock()
}

// Runs lists every execution there ever was, oldest first.
func (s *Service) Runs() []service.Run {
	s.mu.Lock()
	now := s.env.Now()
	s.play(now)
	out := make([]service.Run, 0, len(s.executions))
	for _, e := range s.executions {
		out = append(out, service.Run{
			Service: "oos", ID: e.ID, Template: e.TemplateName, Title: e.Description, Mark: mark(e), Status: e.Status,
			Executed: true, Live: s.live(e.ID, now), Ended: e.final(), Created: e.Created, Started: e.Started, EndedAt: e.End,
		})
	}
	s.unlock()
	return out
}

// mark is what names a drill: the tag whose key ends in "drill", or the client token.
func mark(e *execution) string {
	for _, k := range sortedKeys(e.Tags) {
		if strings.HasSuffix(strings.ToLower(k), "drill") {
			return e.Tags[k]
		}
	}
	return e.Token
}

// Snapshot is the whole state as JSON.
func (s *Service) Snapshot() json.RawMessage {
	s.mu.Lock()
	s.play(s.env.Now())
	b, err := json.Marshal(map[string]any{"executions": s.executions, "faults": s.faults, "tags": s.tagged})
	s.unlock()
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return b
}

// Reset forgets every execution and keeps the templates.
func (s *Service) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}
