// Drives the sandbox's CFG with Tencent's own Node SDK: an independent check of the wire format.
//
//   npm install tencentcloud-sdk-nodejs@4.1.313
//   FIREDRILL_SANDBOX=http://127.0.0.1:8081 node docs/clients/cfg.mjs
//
// Node looks for the SDK from this file's folder upwards, so install it there or in a folder above. Prints each step,
// exits 1 on a surprise.
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import assert from "node:assert/strict";

const { cfg } = createRequire(import.meta.url)("tencentcloud-sdk-nodejs");
const sandbox = new URL(process.env.FIREDRILL_SANDBOX ?? "http://127.0.0.1:8081");

const client = (secretKey) =>
  new cfg.v20210820.Client({
    credential: { secretId: "sandbox", secretKey },
    region: "ap-guangzhou",
    profile: { httpProfile: { protocol: sandbox.protocol + "//", endpoint: sandbox.host, reqTimeout: 10 } },
  });
const c = client("sandbox");
const say = (step, what) => console.log(`${step.padEnd(34)} ${what}`);

async function refused(step, call, code) {
  const err = await call.then(() => null, (e) => e);
  assert.ok(err, `${step}: must be refused`);
  assert.equal(err.code, code, `${step}: ${err.message}`);
  say(step, `refused: ${err.code}`);
}

async function until(step, taskId, ready) {
  for (let n = 0; n < 120; n++) {
    const { Task } = await c.DescribeTask({ TaskId: taskId });
    const actions = Task.TaskGroups.flatMap((g) => g.TaskGroupActions);
    if (ready(Task, actions)) {
      say(step, `task ${Task.TaskStatus}, actions ${actions.map((a) => `${a.TaskGroupActionStatus}/${a.TaskGroupActionStatusType}`).join(" ")}`);
      return { Task, group: Task.TaskGroups[0], actions };
    }
    await sleep(500);
  }
  throw new Error(`${step}: did not happen in 60 s`);
}

const move = (task, group, action, type) =>
  c.ExecuteTaskInstance({
    TaskId: task, TaskActionId: action.TaskGroupActionId, TaskGroupId: group.TaskGroupId, ActionType: type, IsOperateAll: true,
    TaskInstanceIds: action.TaskGroupInstances.map((i) => i.TaskGroupInstanceId),
  });

async function main() {
  await refused("wrong secret", client("wrong").DescribeTask({ TaskId: 1 }), "AuthFailure.SignatureFailure");
  await refused("unknown task", c.DescribeTask({ TaskId: 4294967295 }), "ResourceNotFound");
  await refused("missing parameter", c.DescribeTask({}), "MissingParameter");

  const { Template } = await c.DescribeTemplate({ TemplateId: 626 });
  assert.equal(Template.TemplateGroups.length, 1);
  say("DescribeTemplate 626", Template.TemplateGroups[0].TemplateGroupActions.map((a) => a.ActionTitle).join(" -> "));

  const fields = await c.DescribeActionFieldConfigList({ ActionIds: [466], ObjectTypeId: 1 });
  assert.deepEqual(fields.Results[0].ConfigDetail.map((f) => f.Field), ["duration", "domain", "ip"]);
  say("DescribeActionFieldConfigList 466", fields.Results[0].ActionName);

  const { TaskId } = await c.CreateTaskFromTemplate({
    TemplateId: 626,
    TaskConfig: { TaskTitle: "从 Node SDK 创建的演练", TaskGroupsConfig: [{ TaskGroupInstances: ["ins-bfydnvta", "ins-ehxmry76"] }] },
  });
  say("CreateTaskFromTemplate 626", `task ${TaskId}`);
  const inert = await until("inert", TaskId, (t) => t.TaskStatus === 1001);
  assert.deepEqual(inert.actions.map((a) => a.ActionId), [12, 13]);
  assert.deepEqual(inert.actions.map((a) => a.TaskGroupInstances.length), [0, 0], "instance rows exist only after ExecuteTask");
  assert.equal(inert.actions[0].TaskGroupActionRecoverId, inert.actions[1].TaskGroupActionRandomId);

  await c.ExecuteTask({ TaskId });
  const started = await until("ExecuteTask", TaskId, (t, a) => t.TaskStatus === 1002 && a[0].TaskGroupActionStatus === 2002);
  assert.equal(started.actions[0].TaskGroupInstances.length, 2);
  await refused("ExecuteTask again", c.ExecuteTask({ TaskId }), "UnsupportedOperation");
  await refused("an action that does not wait", move(TaskId, started.group, started.actions[1], 2), "OperationDenied");

  await move(TaskId, started.group, started.actions[0], 2);
  const second = await until("ExecuteTaskInstance, fault", TaskId, (t, a) => a[1].TaskGroupActionStatus === 2002);
  await move(TaskId, second.group, second.actions[1], 2);
  await until("ExecuteTaskInstance, recovery", TaskId, (t, a) => a.every((x) => x.TaskGroupActionStatus === 2004));

  await refused("1004 without a summary", c.ModifyTaskRunStatus({ TaskId, Status: 1004 }), "MissingParameter");
  await c.ModifyTaskRunStatus({ TaskId, Status: 1004, Summary: "This experiment meets the expectations", IsExpect: true });
  const ended = await until("ModifyTaskRunStatus 1004", TaskId, (t) => t.TaskStatus === 1004);
  assert.equal(ended.Task.TaskExpect, 1);

  const list = await c.DescribeTaskList({ Limit: 1, Offset: 0, TaskId: [TaskId], TaskStatusList: [1004] });
  assert.equal(list.Total, 1);
  const logs = await c.DescribeTaskExecuteLogs({ TaskId, Limit: 100, Offset: 0 });
  assert.ok(logs.LogMessage.length >= 4);
  say("DescribeTaskList, ExecuteLogs", `${list.TaskList[0].TaskTitle}, ${logs.LogMessage.length} lines`);
  console.log("ok");
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
