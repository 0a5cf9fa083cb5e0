package ahas

import (
	"strconv"
	"time"
)

// firstID is the id of the seed page's experiment, flow group and flow; the library counts on from it.
const firstID = 1234567890123456789

// built is when the library's experiments were made: 2026-01-02 03:04:05 UTC.
func built() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// library is what there is to play with.
func library() []*experiment {
	return []*experiment{
		cpuFullload(), networkDelay(), byHand(), stuckRecover(), draft(), brokenAttack(),
	}
}

func libraryID(n int) string { return strconv.Itoa(firstID + n) }

// entry makes the n-th experiment of the library with one flow.
func entry(n int, name string, duration time.Duration, hosts []string, f *flow) *experiment {
	f.id = libraryID(n)
	for i, a := range f.activities() {
		a.id = strconv.Itoa(firstID + 1000*(n+1) + i)
	}
	return &experiment{
		id: libraryID(n), name: name, namespace: "default", state: experimentReady, runMode: runSequence, duration: duration,
		created: built().Add(time.Duration(n) * time.Hour), tags: []string{"演练"},
		groups: []*flowGroup{{
			id: libraryID(n), name: "默认分组1", appName: "ahas-default-node", appGroups: []string{"AHAS杭州预发环境"}, hosts: hosts, flows: []*flow{f},
		}},
	}
}

// cpuFullload is the seed page's experiment: it attacks by itself, waits for a person at its check, and recovers.
func cpuFullload() *experiment {
	return entry(0, "支付服务CPU满载", 20*time.Minute, []string{"192.168.0.205"}, &flow{
		attack:  &activity{name: "CPU满载", appCode: "chaos.cpu.fullload", takes: 2 * time.Second, arguments: map[string]string{"cpu_count": "1", "namespace": "default"}},
		check:   []*activity{{name: "确认支付服务可用", appCode: "mkapp.metric.cpu.usage", takes: 3 * time.Second, userCheck: true}},
		recover: []*activity{{name: "停止CPU满载", appCode: "chaos.cpu.fullload.stop", takes: 2 * time.Second}},
	})
}

// networkDelay goes through by itself in about twelve seconds.
func networkDelay() *experiment {
	return entry(1, "订单服务网络延迟", 3*time.Minute, []string{"192.168.0.206", "192.168.0.207"}, &flow{
		prepare: []*activity{{name: "检查探针", appCode: "chaos.agent.check", takes: time.Second}},
		attack:  &activity{name: "网络延迟", appCode: "chaos.network.delay", takes: 2 * time.Second, arguments: map[string]string{"time": "300", "interface": "eth0"}},
		check:   []*activity{{name: "观察响应时间", appCode: "mkapp.metric.net.rt", takes: 6 * time.Second}},
		recover: []*activity{{name: "停止网络延迟", appCode: "chaos.network.delay.stop", takes: 2 * time.Second}},
	})
}

// byHand waits for a person after every activity.
func byHand() *experiment {
	return entry(2, "库存服务内存占用(手动推进)", 30*time.Minute, []string{"192.168.0.208"}, &flow{
		prepare: []*activity{{name: "通知值班", appCode: "chaos.agent.check", takes: time.Second, userCheck: true}},
		attack:  &activity{name: "内存占用", appCode: "chaos.mem.load", takes: 2 * time.Second, userCheck: true, arguments: map[string]string{"mem-percent": "80"}},
		check:   []*activity{{name: "确认告警", appCode: "mkapp.metric.mem.usage", takes: 2 * time.Second, userCheck: true}},
		recover: []*activity{{name: "停止内存占用", appCode: "chaos.mem.load.stop", takes: 2 * time.Second, userCheck: true}},
	})
}

// stuckRecover attacks well and cannot be undone: a stop of it ends SOPPED_FAILED.
func stuckRecover() *experiment {
	return entry(3, "日志服务磁盘填充(恢复失败)", 20*time.Minute, []string{"192.168.0.209"}, &flow{
		attack:  &activity{name: "磁盘填充", appCode: "chaos.disk.fill", takes: 2 * time.Second, arguments: map[string]string{"path": "/data", "percent": "90"}},
		check:   []*activity{{name: "确认日志写入", appCode: "mkapp.metric.disk.usage", takes: 2 * time.Second, userCheck: true}},
		recover: []*activity{{name: "停止磁盘填充", appCode: "chaos.disk.fill.stop", takes: 2 * time.Second, fails: []string{"192.168.0.209"}}},
	})
}

func draft() *experiment {
	e := entry(4, "草稿", 10*time.Minute, []string{"192.168.0.210"}, &flow{
		attack:  &activity{name: "CPU满载", appCode: "chaos.cpu.fullload", takes: 2 * time.Second, userCheck: true},
		recover: []*activity{{name: "停止CPU满载", appCode: "chaos.cpu.fullload.stop", takes: 2 * time.Second, userCheck: true}},
	})
	e.state = experimentDraft
	return e
}

// brokenAttack reaches one of its two hosts only: it is undone and ends FAILED.
func brokenAttack() *experiment {
	return entry(5, "网关进程停止(注入失败)", 10*time.Minute, []string{"192.168.0.211", "192.168.0.212"}, &flow{
		attack: &activity{name: "进程停止", appCode: "chaos.process.stop", takes: 2 * time.Second, fails: []string{"192.168.0.212"},
			arguments: map[string]string{"process": "nginx"}},
		check:   []*activity{{name: "确认网关可用", appCode: "mkapp.metric.net.rt", takes: 2 * time.Second}},
		recover: []*activity{{name: "恢复进程", appCode: "chaos.process.stop.stop", takes: 2 * time.Second}},
	})
}
