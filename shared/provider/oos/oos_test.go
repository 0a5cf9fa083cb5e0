package oos

import (
	"bytes"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/drivertest"
	sandbox "github.com/firedrill/firedrill/shared/sandbox/oos"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// harness is what the conformance suite and this package's own tests stand on. Long is a fault that ends with its task: one
// that outlives the execution can be called neither quiet nor restored, and has tests of its own here.
func harness() drivertest.Harness {
	node := map[string]any{"NodeId": "i-abc"}
	return drivertest.Harness{
		Service: func(e service.Env) service.Service { return sandbox.New(e) },
		Open:    Open,
		Region:  "cn-hangzhou",
		Blocks: drivertest.Blocks{
			Short:   map[string]any{"template": "restart-one-node", "version": "v3", "safety_check": "Skip", "parameters": node},
			Long:    map[string]any{"template": "burn-cpu", "parameters": map[string]any{"NodeId": "i-abc", "Seconds": "600"}},
			Failing: map[string]any{"template": "failing-command", "mode": "FailurePause", "parameters": node},
			Manual:  map[string]any{"template": "pause-and-look", "parameters": node},
			Bad:     map[string]any{"template": "no such name", "mode": "auto", "safetycheck": "Skip", "recovery": map[string]any{"version": "v1"}},
			Recover: map[string]any{"template": "restart-one-node", "version": "v3", "safety_check": "Skip", "parameters": node, "recovery": map[string]any{"template": "start-node"}},
		},
		BadFields: []string{"oos.template", "oos.mode", "oos.safetycheck", "safety_check", "oos.recovery.template"},
		UnknownID: "exec-0123456789abcdef0123",
		Unknown: func(reply []byte) []byte {
			return bytes.ReplaceAll(reply, []byte(`"Status":"Running"`), []byte(`"Status":"Dancing"`))
		},
		Can:      drivertest.Can{Token: true, Pages: true},
		Restored: drill.RestoreUnproven,
	}
}

func TestConformance(t *testing.T) { drivertest.Run(t, harness()) }
