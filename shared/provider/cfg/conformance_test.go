package cfg

import (
	"bytes"
	"testing"

	"github.com/firedrill/firedrill/shared/provider/drivertest"
	sandbox "github.com/firedrill/firedrill/shared/sandbox/cfg"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// unknownStatus is a task status that the vendor's SDK does not know.
func unknownStatus(reply []byte) []byte {
	return bytes.ReplaceAll(reply, []byte(`"TaskStatus":1002`), []byte(`"TaskStatus":1005`))
}

func conformance(t *testing.T, b drivertest.Blocks, fields []string) {
	drivertest.Run(t, drivertest.Harness{
		Service:   func(e service.Env) service.Service { return sandbox.New(e) },
		Open:      Open,
		Blocks:    b,
		BadFields: fields,
		UnknownID: "999999",
		Unknown:   unknownStatus,
		Can:       drivertest.Can{Pages: true},
	})
}

func TestConformance(t *testing.T) {
	conformance(t, drivertest.Blocks{
		Short: map[string]any{"template": 626, "mode": "auto", "instances": []any{"ins-bfydnvta", "ins-ehxmry76"}},
		Long: map[string]any{"template": 628, "on_stop": "rollback", "groups": []any{map[string]any{
			"instances": []any{"ins-bfydnvta"}, "actions": map[string]any{"1": map[string]any{"timeout": 900}, "2": map[string]any{"duration": 900}}}}},
		Failing: map[string]any{"template": 629, "instances": []any{"ins-bfydnvta"}},
		Manual:  map[string]any{"template": 626, "mode": "manual", "instances": []any{"ins-bfydnvta", "ins-ehxmry76"}},
		Bad:     map[string]any{"template": "six", "mode": "sometimes", "instanzen": []any{"ins-a"}},
	}, []string{"template", "mode", "instanzen", "groups"})
}

// The same without the guardrail: a stop pauses, waits for what cannot be undone, and runs the recoveries itself.
func TestConformance_StopByPauseAndRecovery(t *testing.T) {
	conformance(t, drivertest.Blocks{
		Short: map[string]any{"template": 626, "mode": "auto", "on_stop": "pause", "instances": []any{"ins-bfydnvta"}},
		Long: map[string]any{"template": 628, "on_stop": "pause", "groups": []any{map[string]any{
			"instances": []any{"ins-bfydnvta"}, "actions": map[string]any{"1": map[string]any{"timeout": 900}, "2": map[string]any{"duration": 420}}}}},
		Bad: map[string]any{"action": 462, "actions": []any{}},
	}, []string{"template", "actions", "instances"})
}
