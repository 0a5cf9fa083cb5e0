package oos

import (
	"encoding/json"
	"strings"
	"time"
)

// AccountID is the account that the sandbox belongs to.
const AccountID = "1234567890"

// announce queues the event that EventBridge would deliver. OOS sends one on Started, Success and Failed only.
func (s *Service) announce(e *execution, at time.Time) {
	id := s.requestID()
	content := map[string]any{
		"executionId": e.ID, "status": e.Status, "templateId": e.Template.ID, "templateName": e.TemplateName,
		"templateVersion": e.TemplateVersion, "executedBy": e.ExecutedBy, "startTime": at0(e.Started),
	}
	if !e.End.IsZero() {
		content["endTime"] = at0(e.End)
		content["duration"] = int(e.End.Sub(e.Started).Seconds())
	}
	if e.Parent != "" {
		content["parentExecutionId"] = e.Parent
	}
	resource := strings.Join([]string{"acs:ecs", e.Region, AccountID, "execution/" + e.ID}, ":")
	payload, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": id, "source": "acs.oos", "type": "oos:CloudMonitor:Execution[StatusChange]",
		"datacontenttype": "application/json;charset=utf-8", "subject": resource, "time": at.UTC().Format(time.RFC3339),
		"aliyunaccountid": AccountID, "aliyunpublishtime": at.UTC().Format(time.RFC3339Nano), "aliyuneventbusname": "default", "aliyunregionid": e.Region,
		"data": map[string]any{
			"ver": "1.0", "id": id, "product": "OOS", "name": "Execution:ExecutionStatusChange", "level": "INFO", "regionId": e.Region,
			"userId": AccountID, "eventTime": at.In(time.FixedZone("", 8*3600)).Format("20060102T150405.000-0700"),
			"resourceId": resource, "content": content,
		},
	})
	if err == nil {
		s.outbox = append(s.outbox, payload)
	}
}

// at0 is the event's own time format, which has no seconds.
func at0(t time.Time) string { return t.UTC().Format("2006-01-02T15:04Z07:00") }
