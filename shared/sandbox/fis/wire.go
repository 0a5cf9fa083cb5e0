package fis

import (
	"encoding/json"
	"strconv"
	"time"
)

// epoch is a time as restJson1 writes it: seconds since 1970 with a fraction.
type epoch time.Time

// MarshalJSON writes the seconds with three decimals.
func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(e).UnixMilli())/1000, 'f', 3, 64), nil
}

func at(t time.Time) *epoch {
	if t.IsZero() {
		return nil
	}
	e := epoch(t)
	return &e
}

type stateJSON struct {
	Status string     `json:"status"`
	Reason string     `json:"reason,omitempty"`
	Error  *errorJSON `json:"error,omitempty"`
}

type errorJSON struct {
	AccountID string `json:"accountId,omitempty"`
	Code      string `json:"code"`
	Location  string `json:"location,omitempty"`
}

type filterJSON struct {
	Path   string   `json:"path"`
	Values []string `json:"values"`
}

type targetJSON struct {
	ResourceType  string            `json:"resourceType"`
	ResourceArns  []string          `json:"resourceArns,omitempty"`
	ResourceTags  map[string]string `json:"resourceTags,omitempty"`
	Filters       []filterJSON      `json:"filters,omitempty"`
	SelectionMode string            `json:"selectionMode"`
	Parameters    map[string]string `json:"parameters,omitempty"`
}

type actionJSON struct {
	ActionID    string            `json:"actionId"`
	Description string            `json:"description,omitempty"`
	Parameters  map[string]string `json:"parameters,omitempty"`
	Targets     map[string]string `json:"targets,omitempty"`
	StartAfter  []string          `json:"startAfter,omitempty"`
	State       *stateJSON        `json:"state,omitempty"`
	StartTime   *epoch            `json:"startTime,omitempty"`
	EndTime     *epoch            `json:"endTime,omitempty"`
}

type conditionJSON struct {
	Source string `json:"source"`
	Value  string `json:"value,omitempty"`
}

type optionsJSON struct {
	AccountTargeting          string `json:"accountTargeting,omitempty"`
	EmptyTargetResolutionMode string `json:"emptyTargetResolutionMode,omitempty"`
	ActionsMode               string `json:"actionsMode,omitempty"`
}

type s3JSON struct {
	BucketName string `json:"bucketName,omitempty"`
	Prefix     string `json:"prefix,omitempty"`
}

type reportConfigurationJSON struct {
	Outputs struct {
		S3 s3JSON `json:"s3Configuration"`
	} `json:"outputs"`
	DataSources json.RawMessage `json:"dataSources,omitempty"`
	Pre         string          `json:"preExperimentDuration,omitempty"`
	Post        string          `json:"postExperimentDuration,omitempty"`
}

type reportJSON struct {
	State     stateJSON      `json:"state"`
	S3Reports []s3ReportJSON `json:"s3Reports,omitempty"`
}

type s3ReportJSON struct {
	Arn        string `json:"arn"`
	ReportType string `json:"reportType"`
}

type templateJSON struct {
	ID                  string                   `json:"id"`
	Arn                 string                   `json:"arn"`
	Description         string                   `json:"description"`
	Targets             map[string]targetJSON    `json:"targets,omitempty"`
	Actions             map[string]actionJSON    `json:"actions,omitempty"`
	StopConditions      []conditionJSON          `json:"stopConditions,omitempty"`
	CreationTime        *epoch                   `json:"creationTime"`
	LastUpdateTime      *epoch                   `json:"lastUpdateTime"`
	RoleArn             string                   `json:"roleArn,omitempty"`
	Tags                map[string]string        `json:"tags,omitempty"`
	LogConfiguration    json.RawMessage          `json:"logConfiguration,omitempty"`
	ExperimentOptions   *optionsJSON             `json:"experimentOptions,omitempty"`
	AccountsCount       *int                     `json:"targetAccountConfigurationsCount,omitempty"`
	ReportConfiguration *reportConfigurationJSON `json:"experimentReportConfiguration,omitempty"`
}

type experimentJSON struct {
	ID                  string                   `json:"id"`
	Arn                 string                   `json:"arn"`
	TemplateID          string                   `json:"experimentTemplateId"`
	RoleArn             string                   `json:"roleArn,omitempty"`
	State               stateJSON                `json:"state"`
	Targets             map[string]targetJSON    `json:"targets,omitempty"`
	Actions             map[string]actionJSON    `json:"actions,omitempty"`
	StopConditions      []conditionJSON          `json:"stopConditions,omitempty"`
	CreationTime        *epoch                   `json:"creationTime"`
	StartTime           *epoch                   `json:"startTime,omitempty"`
	EndTime             *epoch                   `json:"endTime,omitempty"`
	Tags                map[string]string        `json:"tags"`
	LogConfiguration    json.RawMessage          `json:"logConfiguration,omitempty"`
	ExperimentOptions   optionsJSON              `json:"experimentOptions"`
	AccountsCount       int                      `json:"targetAccountConfigurationsCount"`
	ReportConfiguration *reportConfigurationJSON `json:"experimentReportConfiguration,omitempty"`
	Report              *reportJSON              `json:"experimentReport,omitempty"`
}

type resolvedJSON struct {
	ResourceType string            `json:"resourceType"`
	TargetName   string            `json:"targetName"`
	Information  map[string]string `json:"targetInformation"`
}

type leverJSON struct {
	Arn   string    `json:"arn"`
	ID    string    `json:"id"`
	State stateJSON `json:"state"`
}
