package ahas

import (
	"bytes"
	"testing"

	"github.com/firedrill/firedrill/shared/provider/drivertest"
	sandbox "github.com/firedrill/firedrill/shared/sandbox/ahas"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// The experiments of the sandbox's library.
const (
	cpuFullload  = "1234567890123456789" // the seed's: attacks, waits at its check, recovers
	automatic    = "1234567890123456790"
	byHand       = "1234567890123456791" // waits after every activity
	stuckRecover = "1234567890123456792"
	draft        = "1234567890123456793"
	brokenAttack = "1234567890123456794"
	doesNotExist = "1999999999999999999"
)

func experiment(id string) map[string]any { return map[string]any{"experiment": id} }

func harness() drivertest.Harness {
	return drivertest.Harness{
		Service: func(e service.Env) service.Service { return sandbox.New(e) },
		Open:    Open,
		Blocks: drivertest.Blocks{
			Short:   experiment(automatic),
			Long:    experiment(cpuFullload),
			Failing: experiment(brokenAttack),
			Manual:  experiment(byHand),
			Bad:     map[string]any{"experiment": 1234567890123456789, "definition": []any{}, "template": "626"},
		},
		BadFields: []string{"ahas.experiment", "ahas.definition", "ahas.template"},
		UnknownID: doesNotExist,
		Unknown:   func(reply []byte) []byte { return bytes.ReplaceAll(reply, []byte(`"RUNNING"`), []byte(`"DANCING"`)) },
		Can:       drivertest.Can{OneAtATime: true},
		Region:    "cn-hangzhou",
	}
}

func TestConformance(t *testing.T) { drivertest.Run(t, harness()) }
