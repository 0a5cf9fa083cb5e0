package oos

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/provider/driver"
	sandbox "github.com/firedrill/firedrill/shared/sandbox/oos"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// BenchmarkObserve is one reading of a running execution over the SDK and an in-memory sandbox.
func BenchmarkObserve(b *testing.B) {
	w := &wire{replies: map[string]string{
		"ListExecutions":     `{"Executions":[{"ExecutionId":"exec-1","Status":"Running","Mode":"Automatic"}]}`,
		"ListTaskExecutions": `{"TaskExecutions":[{"TaskExecutionId":"t-1","TaskName":"stopNode","TaskAction":"ACS::ExecuteAPI","Status":"Running","Properties":"{\"API\":\"StopInstance\"}"}]}`,
	}}
	d := w.open(b)
	for b.Loop() {
		w.asked, w.urls = w.asked[:0], w.urls[:0]
		if _, err := d.Observe(b.Context(), driver.Run{ID: "exec-1"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewSandbox is what each simulated world pays for its templates.
func BenchmarkNewSandbox(b *testing.B) {
	for b.Loop() {
		sandbox.New(service.Env{Now: time.Now, Real: time.Now})
	}
}
