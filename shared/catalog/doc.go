// Package catalog reads drills.yaml: what may be run, where, when, and who is told.
//
// A catalogue is one file and the files that it includes. Load and Parse read them, list every mistake at once with
// its file, line and field, and resolve each entry of `drills` to a drill.Plan: defaults applied, account, alarms and
// channels looked up. LoadPartial and ParsePartial also return what could be read besides the mistakes.
//
// The block of a service (fis, ahas, oos, cfg) belongs to its driver and passes through as written. Only three things
// are looked at here: references to parameters (`${name}`, and `$${` for a plain `${`), `targets: {min, max}`, and
// numbers too long to survive JSON.
//
// # Times
//
// A schedule is a cron expression of five fields in a time zone. Every minute of the wall clock happens at most once:
//
//   - a minute that the clock shows twice (summer time ends) is the first of the two;
//   - a minute that the clock skips (summer time begins) is a missed slot: with `missed: skip`, the default, it is left
//     out; with `missed: run` it is due at the first minute after the gap, once, however many slots fell into the gap.
//
// Windows and freezes are read on the wall clock of their zone. A window's end and a freeze's end are exclusive.
//
// # Defaults
//
// A plan with no environment counts as production. Approval: a plan's own block wins, then `defaults.approval`; without
// either, production needs one approver and other environments need none. The lock is `<environment>/<owner>`, with
// the plan's name where there is no owner; `exclusive: none` or `[]` takes no lock. max_duration is 30m, missed is skip.
package catalog
