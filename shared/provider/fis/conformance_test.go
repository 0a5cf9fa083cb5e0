package fis

import (
	"bytes"
	"testing"

	"github.com/firedrill/firedrill/shared/provider/drivertest"
	sandbox "github.com/firedrill/firedrill/shared/sandbox/fis"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func harness() drivertest.Harness {
	return drivertest.Harness{
		Service: func(e service.Env) service.Service { return sandbox.New(e) },
		Open:    Open,
		Region:  "us-east-1",
		Blocks: drivertest.Blocks{
			Short:   map[string]any{"template": "EXTwait00000000001"},
			Long:    map[string]any{"template": "EXTlong00000000001"},
			Failing: map[string]any{"template": "EXTfail00000000001"},
			Bad: map[string]any{
				"template": "", "targets": map[string]any{"min": 3, "max": 1}, "actionsMode": "some", "tags": map[string]any{"n": 1},
				"parameters": map[string]any{"seconds": 3}, "colour": "red", "clientToken": "mine",
			},
		},
		BadFields: []string{"fis.template", "fis.targets", "fis.actionsMode", "fis.tags.n", "fis.parameters", "fis.colour", "fis.clientToken"},
		UnknownID: "EXPdoesnotexist001",
		Unknown: func(reply []byte) []byte {
			return bytes.ReplaceAll(reply, []byte(`"status":"running"`), []byte(`"status":"dancing"`))
		},
		Can: drivertest.Can{Token: true, Pages: true},
	}
}

func TestConformance(t *testing.T) { drivertest.Run(t, harness()) }
