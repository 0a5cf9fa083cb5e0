package ahas

import (
	"encoding/xml"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// executed is the XML reply of the ExecuteExperiment page.
type executed struct {
	XMLName   xml.Name `xml:"ExecuteExperimentResponse"`
	TaskID    string   `xml:"TaskId"`
	Message   string
	RequestID string `xml:"RequestId"`
	Code      string
	Success   string
	Rest      []struct {
		XMLName xml.Name
	} `xml:",any"`
}

const seedXML = `<ExecuteExperimentResponse>
    <TaskId>1234567890123456789</TaskId>
    <Message>无</Message>
    <RequestId>0f7dd92f-4490-****-b8bd-****</RequestId>
    <Code>无</Code>
    <Success>true</Success>
</ExecuteExperimentResponse>`

func TestSeed_AHASExecuteExperimentXML(t *testing.T) {
	for name, body := range map[string]string{
		"the page's sample":   seedXML,
		"the sandbox's reply": newBench(t).send(service.Options{}, "ExecuteExperiment", append(seed(), "Format", "XML")...).Body.String(),
	} {
		var got executed
		if err := xml.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %v: %s", name, err, body)
		}
		if len(got.TaskID) != 19 || got.Success != "true" || got.RequestID == "" {
			t.Errorf("%s: %+v", name, got)
		}
		for _, r := range got.Rest {
			t.Errorf("%s has an element %s that the page does not show", name, r.XMLName.Local)
		}
	}
}

// The pages repeat the element of a list without a wrapper.
func TestSeed_AHASGetExperimentTaskXML(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(0))
	b.wait(time.Minute)
	var got struct {
		XMLName    xml.Name `xml:"GetExperimentTaskResponse"`
		TaskID     string   `xml:"TaskId"`
		State      string
		Activities []struct{ Phase, State, RunResult, CheckState string }
	}
	body := b.send(service.Options{}, "GetExperimentTask", "ExperimentTaskId", task, "Format", "XML").Body.String()
	if err := xml.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if got.TaskID != task || got.State != "RUNNING" || len(got.Activities) != 3 || got.Activities[1].CheckState != checkWaiting {
		t.Errorf("%+v", got)
	}
}
