package fis

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// operation is one call of the API.
type operation struct {
	name   string
	kind   service.Kind
	method string
	path   string // segments; {x} is a label, {x+} takes the rest
	run    func(*Service, *input) (any, *failure)
}

// operations is the table of everything that the sandbox serves.
func operations() []operation {
	return []operation{
		{"StartExperiment", service.Start, "POST", "experiments", (*Service).startExperiment},
		{"StopExperiment", service.Stop, "DELETE", "experiments/{id}", (*Service).stopExperiment},
		{"GetExperiment", service.Read, "GET", "experiments/{id}", (*Service).getExperiment},
		{"ListExperiments", service.Read, "GET", "experiments", (*Service).listExperiments},
		{"ListExperimentResolvedTargets", service.Read, "GET", "experiments/{id}/resolvedTargets", (*Service).listResolvedTargets},
		{"CreateExperimentTemplate", service.Write, "POST", "experimentTemplates", (*Service).createTemplate},
		{"GetExperimentTemplate", service.Read, "GET", "experimentTemplates/{id}", (*Service).getTemplate},
		{"ListExperimentTemplates", service.Read, "GET", "experimentTemplates", (*Service).listTemplates},
		{"DeleteExperimentTemplate", service.Write, "DELETE", "experimentTemplates/{id}", (*Service).deleteTemplate},
		{"GetSafetyLever", service.Read, "GET", "safetyLevers/{id}", (*Service).getLever},
		{"UpdateSafetyLeverState", service.Write, "PATCH", "safetyLevers/{id}/state", (*Service).updateLever},
		{"TagResource", service.Write, "POST", "tags/{arn+}", (*Service).tagResource},
		{"UntagResource", service.Write, "DELETE", "tags/{arn+}", (*Service).untagResource},
		{"ListTagsForResource", service.Read, "GET", "tags/{arn+}", (*Service).listTags},
		{"GetAction", service.Read, "GET", "actions/{id}", (*Service).getAction},
		{"ListActions", service.Read, "GET", "actions", (*Service).listActions},
	}
}

// match finds the operation of a request and the labels in its path.
func match(r *http.Request) (*operation, map[string]string) {
	got := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for _, o := range operations() {
		if o.method != r.Method {
			continue
		}
		if names, ok := labels(strings.Split(o.path, "/"), got); ok {
			return &o, names
		}
	}
	return nil, nil
}

func labels(want, got []string) (map[string]string, bool) {
	names := map[string]string{}
	for i, w := range want {
		name, isLabel := strings.CutPrefix(strings.TrimSuffix(w, "}"), "{")
		if i >= len(got) || got[i] == "" {
			return nil, false
		}
		segment := got[i]
		rest, greedy := strings.CutSuffix(name, "+")
		if isLabel && greedy {
			name, segment = rest, strings.Join(got[i:], "/")
			got = got[:i+1]
		}
		value, err := url.PathUnescape(segment)
		if err != nil || !isLabel && value != w {
			return nil, false
		}
		if isLabel {
			names[name] = value
		}
	}
	return names, len(want) == len(got)
}

// input is a decoded request.
type input struct {
	path   map[string]string
	query  url.Values
	region string
	lie    bool
	body   struct {
		ClientToken          string                   `json:"clientToken"`
		ExperimentTemplateID string                   `json:"experimentTemplateId"`
		ExperimentOptions    *optionsJSON             `json:"experimentOptions"`
		Tags                 map[string]string        `json:"tags"`
		State                *stateJSON               `json:"state"`
		Description          *string                  `json:"description"`
		Targets              map[string]targetJSON    `json:"targets"`
		Actions              map[string]actionJSON    `json:"actions"`
		StopConditions       []conditionJSON          `json:"stopConditions"`
		RoleArn              string                   `json:"roleArn"`
		LogConfiguration     json.RawMessage          `json:"logConfiguration"`
		ReportConfiguration  *reportConfigurationJSON `json:"experimentReportConfiguration"`
	}
}

func (in *input) decode(body []byte) *failure {
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, &in.body); err != nil {
		return fail(http.StatusBadRequest, "SerializationException", "The request body could not be parsed.")
	}
	return nil
}

const pageSize = 100 // the default, and the most that maxResults may ask for

// page cuts one page out of n items: it returns where the page begins and ends and the token of the next.
func (in *input) page(n int) (from, to int, next string, f *failure) {
	size := pageSize
	if in.query.Has("maxResults") {
		var err error
		size, err = strconv.Atoi(in.query.Get("maxResults"))
		if err != nil || size < 1 || size > pageSize {
			return 0, 0, "", invalid("1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must be between 1 and %d", pageSize)
		}
	}
	if in.query.Has("nextToken") {
		raw, err := base64.RawURLEncoding.DecodeString(in.query.Get("nextToken"))
		rest, marked := strings.CutPrefix(string(raw), "fis:")
		start, err2 := strconv.Atoi(rest)
		if err != nil || err2 != nil || !marked || start < 0 || start > n {
			return 0, 0, "", invalid("Invalid nextToken")
		}
		return cut(start, size, n)
	}
	return cut(0, size, n)
}

func cut(from, size, n int) (int, int, string, *failure) {
	to := min(from+size, n)
	next := ""
	if to < n {
		next = base64.RawURLEncoding.EncodeToString([]byte("fis:" + strconv.Itoa(to)))
	}
	return from, to, next, nil
}
