// Package journal keeps the append-only record of every drill, and the small records around it: markers of active
// drills, the index, registers (levers and locks), firing alarms and objects.
//
// A drill is a sequence of immutable entries with revs 1, 2, 3 and so on. Each entry holds the whole state and the
// SHA-256 of the entry before it. Appending rev n+1 succeeds only if that key does not exist, and that is the whole
// concurrency control: a Store needs no lock, no transaction and no clock. Keys are inverted, so that the newest entry
// is listed first; a list is only a hint, and the journal walks forward from it with gets.
//
// The keys under the root of a store:
//
//	identity                                       the root's own id, created once
//	drills/<drill>/<inverted rev>                  entries, immutable
//	active/<drill>                                 markers, overwritten and deleted
//	index/<inverted minute>/<drill>                one summary per drill, newest first
//	registers/<name>/<inverted rev>                levers and locks, immutable
//	alarms/<key>/<inverted ns>-<0|1>-<id hash>     observations of alarms, newest first, a tie is firing
//	objects/<drill>/<name>                         probe samples and reports
//
// Package dir stores them in a directory, package memory in a map, and storetest is the suite that every store passes.
package journal
