// Drives the sandbox's Alibaba services with Alibaba's own Node client: an independent check of the wire format.
//
//   npm install @alicloud/pop-core@1.8.0
//   FIREDRILL_SANDBOX=http://127.0.0.1:8081 node docs/clients/alibaba.mjs [oos] [ahas]
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

// ahas plays the drill of the vendor's ExecuteExperiment page. Business failures are HTTP 200 with Success=false; this
// client makes errors of them by their Code.
async function ahas() {
  const call = client("2019-09-01");
  const ok = async (action, params, method) => {
    const reply = await call(action, params, method);
    assert.equal(reply.Success, true, `${action}: ${reply.Code} ${reply.Message}`);
    return reply;
  };
  const fails = async (step, action, params, code) => {
    const err = await refused(step, call(action, params), code);
    same([err.entry.response.statusCode, err.data.Success], [200, false], step);
  };
  const read = (ExperimentTaskId) => ok("GetExperimentTask", { ExperimentTaskId, NameSpace: "default", AhasRegionId: "cn-hangzhou" });
  const states = (task) => task.Activities.map((a) => `${a.Phase}:${[a.State, a.RunResult, a.CheckState.replace("USER_CHECK_STATE_", "")].filter(Boolean).join("/")}`).join(" ");
  const waiting = (task) => task.Activities.filter((a) => a.CheckState === "USER_CHECK_STATE_WAITING");
  const finished = (task) => task.State === "FINISHED";

  const ExperimentId = "1234567890123456789";
  const Definition = '{"param":[{"groupId":"1234567890123456789","appName":"ahas-default-node","appGroups":["AHAS杭州预发环境"],"hosts":["192.168.0.205"],"activityParam":[{"flowId":"1234567890123456789","appCode":"chaos.cpu.fullload","arguments":{"cpu_count":"1","namespace":"default"}}]}]}';
  const seed = { ExperimentId, Definition, NameSpace: "default", AhasRegionId: "cn-hangzhou" };

  await refused("ahas: wrong secret", client("2019-09-01", { accessKeySecret: "wrong" })("ExecuteExperiment", seed), "SignatureDoesNotMatch");
  await refused("ahas: unknown action", call("StopExperimentTask", { ExperimentTaskId: "1" }), "InvalidAction.NotFound");
  await refused("ahas: missing parameter", call("PushExperimentTask"), "MissingExperimentTaskId");
  await fails("ahas: unknown experiment", "ExecuteExperiment", { ExperimentId: "42" }, "P_EXPERIMENT_NOT_FOUND");
  await fails("ahas: broken definition", "ExecuteExperiment", { ...seed, Definition: '{"param":[{"hosts":[]}]}' }, "P_EXPERIMENT_DEFINITION_ILLEGAL");

  const { ExperimentList } = await ok("PageableQueryUserExperiment", { Page: 1, Size: 50, Namespace: "default" }, "GET");
  assert.ok(ExperimentList.some((e) => e.ExperimentId === ExperimentId), "the seed's experiment is listed");
  say("ahas: PageableQueryUserExperiment (GET)", `${ExperimentList.length} experiments`);
  await ok("CheckExperimentRunnable", { ExperimentId });

  // The sample of the vendor's ExecuteExperiment page.
  const started = await ok("ExecuteExperiment", seed);
  assert.match(started.TaskId, /^[0-9]{19}$/, "the id is a text of 19 digits");
  say("ahas: ExecuteExperiment", `task ${started.TaskId}`);
  await fails("ahas: ExecuteExperiment again", "ExecuteExperiment", seed, "B_EXPERIMENT_ALREADY_RUNNING");
  await fails("ahas: PushExperimentTask too early", "PushExperimentTask", { ExperimentTaskId: started.TaskId }, "B_EXPERIMENT_TASK_NOT_PUSHABLE");
  const held = await until("a check that waits", () => read(started.TaskId), (t) => waiting(t).length === 1);
  assert.equal(waiting(held)[0].Phase, "CHECK");
  say("ahas: GetExperimentTask", states(held));
  const attack = await ok("GetActivityTask", { ExperimentTaskId: started.TaskId, ActivityTaskId: held.Activities[0].TaskId });
  same(attack.Hosts.map((h) => [h.HostIp, h.Result]), [["192.168.0.205", "SUCCESS"]]);
  await ok("PushExperimentTask", { ExperimentTaskId: started.TaskId, NameSpace: "default", AhasRegionId: "cn-hangzhou" });
  const done = await until("the end", () => read(started.TaskId), finished);
  assert.equal(done.Result, "SUCCESS");
  say("ahas: PushExperimentTask", states(done));
  await fails("ahas: PushExperimentTask of an ended task", "PushExperimentTask", { ExperimentTaskId: started.TaskId }, "B_EXPERIMENT_TASK_ALREADY_FINISHED");

  // The same drill, ended early: the recovery runs, and only then is the task over.
  const second = await ok("ExecuteExperiment", seed);
  assert.notEqual(second.TaskId, started.TaskId, "there is no token: a second call is a second task");
  await until("the attack", () => read(second.TaskId), (t) => t.Activities[0].State === "FINISHED");
  await ok("FinishExperimentTask", { ExperimentTaskId: second.TaskId, NameSpace: "default", AhasRegionId: "cn-hangzhou" });
  const stopped = await until("the recovery", () => read(second.TaskId), finished);
  assert.equal(stopped.Result, "STOPPED");
  assert.equal(stopped.Activities.at(-1).RunResult, "SUCCESS", "RECOVER has succeeded");
  say("ahas: FinishExperimentTask", states(stopped));
  await fails("ahas: FinishExperimentTask again", "FinishExperimentTask", { ExperimentTaskId: second.TaskId }, "B_EXPERIMENT_TASK_ALREADY_FINISHED");

  const { ExperimentTasks } = await ok("PageableQueryExperimentTaskByExperimentId", { ExperimentId, Page: 1, Size: 2, Namespace: "default" });
  same(ExperimentTasks.map((t) => t.TaskId), [second.TaskId, started.TaskId], "newest first");
  say("ahas: tasks of the experiment", ExperimentTasks.map((t) => `${t.State}/${t.Result}`).join(" "));
}

const services = { oos, ahas };
const wanted = process.argv.slice(2);
for (const name of wanted.length ? wanted : Object.keys(services)) {
  assert.ok(services[name], `no such service: ${name}`);
  await services[name]();
}
console.log("all good");
