package ahas

import (
	"errors"
	"net/http"
	"strings"

	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// envelope is what every reply carries. Some actions document no Code and Message.
type envelope struct {
	RequestID      aliyun.Text   `json:"RequestId"`
	Code           aliyun.Text   `json:"Code"`
	Message        aliyun.Text   `json:"Message"`
	Success        *aliyun.Flag  `json:"Success"`
	HTTPStatusCode aliyun.Number `json:"HttpStatusCode"`
}

// check makes an error of a reply that says Success=false, and of one that neither says Success nor holds what it is for.
func (e envelope) check(action string, kind aliyun.Kind, whole bool) error {
	if e.Success != nil && !bool(*e.Success) {
		status := http.StatusOK
		if n := int(e.HTTPStatusCode); n >= 400 && n < 600 {
			status = n // the reply's own word, where it has one
		}
		return aliyun.NewRefusal(action, kind, status, string(e.Code), blank(e.Message), string(e.RequestID))
	}
	if !whole {
		return undecodable(action, kind, e)
	}
	return nil
}

// succeeded is check for actions whose reply holds nothing but the envelope.
func (e envelope) succeeded(action string, kind aliyun.Kind) error {
	return e.check(action, kind, e.Success != nil)
}

func undecodable(action string, kind aliyun.Kind, e envelope) error {
	return &aliyun.Error{Action: action, Kind: kind, Stage: aliyun.Undecodable, Status: http.StatusOK, RequestID: string(e.RequestID), Err: errors.New("not the documented shape")}
}

// blank drops the words that the vendor sends for no text.
func blank(t aliyun.Text) string {
	s := strings.TrimSpace(string(t))
	if s == "无" || s == "null" {
		return ""
	}
	return s
}

type executeReply struct {
	envelope
	TaskID aliyun.Text `json:"TaskId"`
}

type taskReply struct {
	envelope
	TaskID         aliyun.Text                `json:"TaskId"`
	ExperimentID   aliyun.Text                `json:"ExperimentId"`
	ExperimentName aliyun.Text                `json:"ExperimentName"`
	Namespace      aliyun.Text                `json:"Namespace"`
	State          aliyun.Text                `json:"State"`
	Result         aliyun.Text                `json:"Result"`
	StartTime      aliyun.Number              `json:"StartTime"`
	Activities     aliyun.Whole[activityItem] `json:"Activities"`
}

type activityItem struct {
	TaskID           aliyun.Text   `json:"TaskId"`
	ExperimentTaskID aliyun.Text   `json:"ExperimentTaskId"`
	ActivityID       aliyun.Text   `json:"ActivityId"`
	ActivityName     aliyun.Text   `json:"ActivityName"`
	Phase            aliyun.Text   `json:"Phase"`
	State            aliyun.Text   `json:"State"`
	RunResult        aliyun.Text   `json:"RunResult"`
	CheckState       aliyun.Text   `json:"CheckState"`
	StartTime        aliyun.Number `json:"StartTime"`
	EndTime          aliyun.Number `json:"EndTime"`
}

type activityReply struct {
	envelope
	ActivityID       aliyun.Text            `json:"ActivityId"`
	ActivityName     aliyun.Text            `json:"ActivityName"`
	ExperimentTaskID aliyun.Text            `json:"ExperimentTaskId"`
	Phase            aliyun.Text            `json:"Phase"`
	State            aliyun.Text            `json:"State"`
	RunResult        aliyun.Text            `json:"RunResult"`
	StartTime        aliyun.Number          `json:"StartTime"`
	EndTime          aliyun.Number          `json:"EndTime"`
	Hosts            aliyun.Whole[hostItem] `json:"Hosts"`
}

type hostItem struct {
	HostIP       aliyun.Text   `json:"HostIp"`
	TaskID       aliyun.Text   `json:"TaskId"`
	ExpID        aliyun.Text   `json:"ExpId"`
	State        aliyun.Text   `json:"State"`
	Result       aliyun.Text   `json:"Result"`
	Data         aliyun.Text   `json:"Data"`
	ErrorMessage aliyun.Text   `json:"ErrorMessage"`
	StartTime    aliyun.Number `json:"StartTime"`
	EndTime      aliyun.Number `json:"EndTime"`
}

// paging is where a page of a list lies.
type paging struct {
	Pages       aliyun.Number `json:"Pages"`
	PageSize    aliyun.Number `json:"PageSize"`
	CurrentPage aliyun.Number `json:"CurrentPage"`
	Total       aliyun.Number `json:"Total"`
}

type tasksReply struct {
	envelope
	paging
	ExperimentTasks aliyun.Whole[taskItem] `json:"ExperimentTasks"`
}

type taskItem struct {
	TaskID         aliyun.Text   `json:"TaskId"`
	ExperimentID   aliyun.Text   `json:"ExperimentId"`
	ExperimentName aliyun.Text   `json:"ExperimentName"`
	Namespace      aliyun.Text   `json:"Namespace"`
	State          aliyun.Text   `json:"State"`
	Result         aliyun.Text   `json:"Result"`
	CurrentPhase   aliyun.Text   `json:"CurrentPhase"`
	Message        aliyun.Text   `json:"Message"`
	StartTime      aliyun.Number `json:"StartTime"`
	EndTime        aliyun.Number `json:"EndTime"`
	Creator        aliyun.Text   `json:"Creator"` // documented as objects, both
	ExtInfo        aliyun.Text   `json:"ExtInfo"`
}

type experimentsReply struct {
	envelope
	paging
	ExperimentList aliyun.List[experimentItem] `json:"ExperimentList"`
}

type experimentItem struct {
	ExperimentID aliyun.Text              `json:"ExperimentId"`
	Name         aliyun.Text              `json:"Name"`
	State        aliyun.Text              `json:"State"`
	Result       aliyun.Text              `json:"Result"`
	Creator      aliyun.Text              `json:"Creator"`
	CreateTime   aliyun.Number            `json:"CreateTime"`
	Permission   aliyun.Number            `json:"Permission"`
	Tags         aliyun.List[aliyun.Text] `json:"Tags"`
	MiniApps     aliyun.List[aliyun.Text] `json:"MiniApps"`
}
