// Drives the sandbox's Alibaba services with Alibaba's own Node client: an independent check of the wire format.
//
//   npm install @alicloud/pop-core@1.8.0
//   FIREDRILL_SANDBOX=http://127.0.0.1:8081 node docs/clients/alibaba.mjs [oos]
//
// Node looks for the client from this file's folder upwards, so install it there or in a folder above; NODE_PATH does as
// well. One function per service; without arguments all of them run. Prints each step, exits 1 on a surprise.
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import assert from "node:assert/strict";

const Core = createRequire(import.meta.url)("@alicloud/pop-core");
const endpoint = process.env.FIREDRILL_SANDBOX ?? "http://127.0.0.1:8081";
const say = (step, what) => console.log(`${step.padEnd(40)} ${what}`);

// client returns a function that calls one action; the client signs GET over the query and POST over the form body.
function client(apiVersion, { accessKeySecret = "sandbox", accessKeyId = "sandbox", securityToken } = {}) {
  const core = new Core({ accessKeyId, accessKeySecret, securityToken, endpoint, apiVersion });
  return (action, params = {}, method = "POST") =>
    core.request(action, { RegionId: "cn-hangzhou", ...params }, { method, formatParams: false, timeout: 10_000 });
}

async function refused(step, call, code) {
  const err = await call.then(() => null, (e) => e);
  assert.ok(err, `${step}: must be refused`);
  assert.equal(err.code ?? err.data?.Code, code, `${step}: ${err.message}`);
  say(step, `refused: ${code}`);
  return err;
}

// same compares values; the client's own JSON parser makes objects that deepEqual does not take for plain ones.
const same = (got, want, what) => assert.deepEqual(JSON.parse(JSON.stringify(got)), want, what);

// until polls read() until ready says so, for a minute at most.
async function until(step, read, ready) {
  for (let n = 0; n < 240; n++) {
    const got = await read();
    if (ready(got)) return got;
    await sleep(250);
  }
  throw new Error(`${step}: did not happen in 60 s`);
}

async function oos() {
  const call = client("2019-06-01");
  const read = async (ExecutionId) => {
    const { Executions } = await call("ListExecutions", { ExecutionId });
    assert.equal(Executions.length, 1, `execution ${ExecutionId}`);
    return Executions[0];
  };
  const status = (want) => (e) => e.Status === want;
  const start = async (params) => (await call("StartExecution", params)).Execution;

  const wrong = await refused("oos: wrong secret", client("2019-06-01", { accessKeySecret: "wrong" })("ListExecutions"), "SignatureDoesNotMatch");
  assert.match(wrong.message, /server string to sign is:POST&%2F&/);
  await refused("oos: unknown access key", client("2019-06-01", { accessKeyId: "who" })("ListExecutions"), "InvalidAccessKeyId.NotFound");
  await refused("oos: expired token", client("2019-06-01", { securityToken: "expired" })("ListExecutions"), "ExpiredStsToken");
  await refused("oos: unknown version", client("2018-01-01")("StartExecution", { TemplateName: "loop-echo" }), "InvalidVersion");
  await refused("oos: unknown action", call("SignalExecution"), "InvalidAction.NotFound");
  await refused("oos: unknown template", call("StartExecution", { TemplateName: "nowhere" }), "EntityNotExists.Template");
  await refused("oos: missing parameter", call("StartExecution", { TemplateName: "start-node" }), "MissingExecutionParameter");

  const { Templates } = await call("ListTemplates", {}, "GET");
  assert.ok(Templates.some((t) => t.TemplateName === "loop-echo"));
  say("oos: ListTemplates (GET)", Templates.map((t) => t.TemplateName).join(" "));

  // The sample of the vendor's StartExecution page.
  const token = `pop-core-${Date.now()}`;
  const echo = await start({ TemplateName: "loop-echo", SafetyCheck: "Skip", ClientToken: token, Tags: JSON.stringify({ by: token }), Description: "从 Node 客户端 🔥" });
  same(
    [echo.TemplateId, echo.TemplateVersion, echo.Status, echo.Mode, echo.SafetyCheck, echo.RamRole, echo.Outputs, echo.CurrentTasks],
    ["t-1bd341007f", "v1", "Started", "Automatic", "Skip", "OOSServiceRole", {}, []]);
  same(echo.Parameters, { LogTailUserDefinedId: "logtaildemo", TagKey: "oostest", TagValue: "installlogtail" });
  say("oos: StartExecution loop-echo", echo.ExecutionId);
  const again = await start({ TemplateName: "loop-echo", SafetyCheck: "Skip", ClientToken: token, Tags: JSON.stringify({ by: token }), Description: "从 Node 客户端 🔥" });
  assert.equal(again.ExecutionId, echo.ExecutionId, "the same client token makes one execution");
  say("oos: the same ClientToken again", "the same execution");
  const { Executions: tagged } = await call("ListExecutions", { Tags: JSON.stringify({ by: token }) });
  same(tagged.map((e) => e.ExecutionId), [echo.ExecutionId]);
  const done = await until("loop-echo", () => read(echo.ExecutionId), status("Success"));
  const { TaskExecutions } = await call("ListTaskExecutions", { ExecutionId: echo.ExecutionId, IncludeChildTaskExecution: true });
  assert.equal(TaskExecutions.filter((t) => t.LoopItem).length, 3);
  say("oos: ListExecutions, ListTaskExecutions", `${done.Status}, ${TaskExecutions.length} task executions`);

  const asked = await start({ TemplateName: "approve-then-restart", Parameters: JSON.stringify({ NodeId: "i-abc" }) });
  const waits = await until("approval", () => read(asked.ExecutionId), status("Waiting"));
  assert.equal(waits.CurrentTasks[0].TaskAction, "ACS::Approve");
  await refused("oos: RetryTask at an approval", call("NotifyExecution", { ExecutionId: asked.ExecutionId, NotifyType: "RetryTask" }), "InvalidExecutionStatus");
  await call("NotifyExecution", { ExecutionId: asked.ExecutionId, NotifyType: "Approve", TaskExecutionId: waits.CurrentTasks[0].TaskExecutionId, NotifyNote: "好" });
  await until("approved", () => read(asked.ExecutionId), status("Success"));
  say("oos: NotifyExecution Approve", "Waiting -> Success");

  const rejected = await start({ TemplateName: "approve-then-restart", Parameters: JSON.stringify({ NodeId: "i-abc" }) });
  await until("approval", () => read(rejected.ExecutionId), status("Waiting"));
  await call("NotifyExecution", { ExecutionId: rejected.ExecutionId, NotifyType: "Reject" });
  assert.equal((await read(rejected.ExecutionId)).Status, "Cancelled");
  say("oos: NotifyExecution Reject", "Waiting -> Cancelled");

  const restart = await start({ TemplateName: "restart-one-node", Parameters: JSON.stringify({ NodeId: "i-abc", HoldDown: "PT4H" }), SafetyCheck: "Skip" });
  await until("node is down", () => read(restart.ExecutionId), (e) => e.CurrentTasks[0]?.TaskName === "holdDown");
  await call("CancelExecution", { ExecutionId: restart.ExecutionId });
  assert.equal((await read(restart.ExecutionId)).Status, "Cancelled");
  await refused("oos: CancelExecution twice", call("CancelExecution", { ExecutionId: restart.ExecutionId }), "InvalidExecutionStatus");
  const recovery = await start({ TemplateName: "start-node", Parameters: JSON.stringify({ NodeId: "i-abc" }) });
  await until("recovered", () => read(recovery.ExecutionId), status("Success"));
  say("oos: CancelExecution, then start-node", "Cancelled, recovered");

  const { ExecutionLogs } = await call("ListExecutionLogs", { ExecutionId: restart.ExecutionId });
  assert.ok(ExecutionLogs.some((l) => l.Message.includes("Cancelled")));
  await call("UpdateExecution", { ExecutionId: restart.ExecutionId, Description: "expected: 一切正常", Tags: JSON.stringify({ verdict: "expected" }) });
  assert.equal((await read(restart.ExecutionId)).Tags.verdict, "expected");
  say("oos: ListExecutionLogs, UpdateExecution", `${ExecutionLogs.length} lines, tagged`);
}

const services = { oos };
const wanted = process.argv.slice(2);
for (const name of wanted.length ? wanted : Object.keys(services)) {
  assert.ok(services[name], `no such service: ${name}`);
  await services[name]();
}
console.log("all good");
