package simulate

import (
	"fmt"
	"testing/fstest"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox/ahas"
	"github.com/firedrill/firedrill/shared/sandbox/cfg"
	"github.com/firedrill/firedrill/shared/sandbox/fis"
	"github.com/firedrill/firedrill/shared/sandbox/oos"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

const header = `
version: 1
defaults: { timezone: UTC, environment: staging, max_duration: 6m }
accounts:
  aws: { cloud: aws, id: "123456789012", region: us-east-1 }
  ali: { cloud: aliyun, id: "1234567890", region: cn-hangzhou }
  tx:  { cloud: tencent, id: "100032429988", region: ap-guangzhou }
alarms:
  checkout-5xx: { cloudwatch: checkout-5xx, account: aws }
  stop-me: { alertmanager: { alertname: StopMe } }
` + people + `drills:
`

// people are who asks, approves, stops and halts.
const people = `bindings:
  - { role: operator, to: "local:acme/alice" }
  - { role: approver, to: [ "local:acme/bob", "local:acme/carol" ] }
`

// blocks are the plans of the simulator, by service.
func blocks() map[drill.Service]string {
	return map[drill.Service]string{
		drill.FIS: `
  fis-wait: { title: 等一下 "wait" 🔥, owner: a, account: aws, fis: { template: EXTwait00000000001 }, expect: [ { claim: it ends, ask: owner, deadline: 3m } ] }
  fis-az: { title: zone, owner: b, account: aws, fis: { template: EXTa1b2c3d4e5f6g7, targets: { min: 1, max: 12 } }, stop_on: [ stop-me ] }
  fis-alarm: { title: stress, owner: c, account: aws, fis: { template: EXTalarm0000000001 }, stop_on: [ checkout-5xx, stop-me ] }
  fis-fail: { title: fails, owner: d, account: aws, fis: { template: EXTfail00000000001 } }
  fis-long: { title: long, owner: e, account: aws, fis: { template: EXTlong00000000001 }, stop_on: [ stop-me ], expect: [ { claim: it holds, http: "https://shop.example.com" } ] }
  fis-approved: { title: approved, owner: f, account: aws, fis: { template: EXTalarm0000000001 }, stop_on: [ stop-me ], approval: { need: 1, from: approver, expires: 5m } }
  fis-twins: { title: twins, owner: g, account: aws, exclusive: none, fis: { template: EXTalarm0000000001 }, stop_on: [ stop-me ] }
`,
		drill.CFG: `
  cfg-hand: { title: by hand 🛒, owner: a, account: tx, stop_on: [ stop-me ], cfg: { template: 627, mode: manual, on_stop: rollback, groups: [ { instances: [ ins-a, ins-b ] } ] } }
  cfg-auto: { title: auto, owner: b, account: tx, stop_on: [ stop-me ], expect: [ { claim: it ends, ask: owner, deadline: 3m } ], cfg: { template: 628, mode: auto, on_stop: rollback, groups: [ { instances: [ ins-c ] } ] } }
  cfg-stumble: { title: stumbles, owner: c, account: tx, stop_on: [ stop-me ], cfg: { template: 629, mode: auto, on_stop: pause, groups: [ { instances: [ ins-d, ins-e ] } ] } }
  cfg-approved: { title: approved, owner: d, account: tx, stop_on: [ stop-me ], approval: { need: 1, from: approver, expires: 5m }, cfg: { template: 628, mode: auto, on_stop: rollback, groups: [ { instances: [ ins-f ] } ] } }
  cfg-dns: { title: dns, owner: g, account: tx, stop_on: [ stop-me ], cfg: { template: 631, mode: auto, on_stop: pause, groups: [ { instances: [ ins-h ] } ] } }
  cfg-long: { title: long, owner: h, account: tx, max_duration: 20m, stop_on: [ stop-me ], cfg: { template: 627, mode: manual, on_stop: rollback, groups: [ { instances: [ ins-i ] } ] } }
  cfg-empty: { title: empty, owner: e, account: tx, exclusive: none, cfg: { template: 626, mode: manual, on_stop: rollback, groups: [ { instances: [ ins-g ] } ] } }
`,
		drill.OOS: `
  oos-echo: { title: echo, owner: a, account: ali, unbounded: tasks have timeouts, oos: { template: loop-echo } }
  oos-restart: { title: restart, owner: b, account: ali, unbounded: tasks have timeouts, stop_on: [ stop-me ], oos: { template: restart-one-node, version: v3, parameters: { NodeId: i-abc, HoldDown: PT2M }, recovery: { template: start-node, parameters: { NodeId: i-abc } } } }
  oos-look: { title: pause and look, owner: f, account: ali, unbounded: tasks have timeouts, stop_on: [ stop-me ], oos: { template: pause-and-look, parameters: { NodeId: i-look } } }
  oos-approve: { title: approve, owner: c, account: ali, unbounded: tasks have timeouts, stop_on: [ stop-me ], oos: { template: approve-then-restart, parameters: { NodeId: i-def } } }
  oos-fail: { title: fails, owner: d, account: ali, unbounded: tasks have timeouts, oos: { template: failing-command, mode: FailurePause, parameters: { NodeId: i-ghi } } }
  oos-approved: { title: approved, owner: e, account: ali, unbounded: tasks have timeouts, approval: { need: 1, from: approver, expires: 5m }, oos: { template: restart-one-node, version: v3, parameters: { NodeId: i-xyz, HoldDown: PT1M }, recovery: { template: start-node, parameters: { NodeId: i-xyz } } } }
`,
		drill.AHAS: `
  ahas-cpu: { title: 支付 CPU, owner: a, account: ali, stop_on: [ stop-me ], ahas: { experiment: "1234567890123456789", region: cn-hangzhou, definition: { param: [] } } }
  ahas-delay: { title: delay, owner: b, account: ali, stop_on: [ stop-me ], ahas: { experiment: "1234567890123456790" } }
  ahas-hand: { title: by hand, owner: c, account: ali, approval: { need: 1, from: approver, expires: 5m }, stop_on: [ stop-me ], ahas: { experiment: "1234567890123456791" } }
  ahas-stuck: { title: cannot be undone, owner: d, account: ali, stop_on: [ stop-me ], ahas: { experiment: "1234567890123456792" } }
  ahas-broken: { title: reaches one host, owner: e, account: ali, stop_on: [ stop-me ], ahas: { experiment: "1234567890123456794" } }
`,
	}
}

// slotted is a plan that a schedule starts, once, seven minutes into the simulation.
const slotted = "\n  slotted: { title: by the clock, owner: z, account: %s, schedule: { cron: \"7 0 1 1 *\" }, %s }\n"

// Catalog makes the simulator's catalogue for one service; clocked adds a plan that a schedule starts.
func Catalog(s drill.Service, clocked bool) (*catalog.Catalog, error) {
	text := header + blocks()[s]
	if clocked {
		of := map[drill.Service][2]string{
			drill.FIS:  {"aws", "fis: { template: EXTwait00000000001 }"},
			drill.CFG:  {"tx", "cfg: { template: 628, mode: auto, on_stop: rollback, groups: [ { instances: [ ins-z ] } ] }"},
			drill.OOS:  {"ali", "unbounded: tasks have timeouts, oos: { template: loop-echo }"},
			drill.AHAS: {"ali", `ahas: { experiment: "1234567890123456790" }, exclusive: [ staging/b ]`},
		}[s]
		text += fmt.Sprintf(slotted, of[0], of[1])
	}
	return catalog.Parse(fstest.MapFS{"drills.yaml": &fstest.MapFile{Data: []byte(text)}}, "drills.yaml")
}

// Only returns the sandbox's constructor of one service.
func Only(s drill.Service) []func(service.Env) service.Service {
	return map[drill.Service][]func(service.Env) service.Service{
		drill.FIS:  {func(e service.Env) service.Service { return fis.New(e) }},
		drill.CFG:  {func(e service.Env) service.Service { return cfg.New(e) }},
		drill.OOS:  {func(e service.Env) service.Service { return oos.New(e) }},
		drill.AHAS: {func(e service.Env) service.Service { return ahas.New(e) }},
	}[s]
}
