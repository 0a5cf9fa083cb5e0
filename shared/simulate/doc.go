// Package simulate runs the real handlers, drivers and SDKs against the sandbox and a journal in memory, inside one bubble of virtual
// time (testing/synctest), with faults at every store, bus and vendor call. It is linked into tests only.
//
// A Scheduler decides everything. Each delivery of an event to a function is an instance in a goroutine of its own. Every call that
// leaves the instance (a store, the bus, a vendor) parks at the scheduler, which waits until nothing else can move, picks one parked
// call or one due delivery, and says what becomes of it: it goes through, fails, loses its reply, is slow, or its instance freezes or
// dies. Since only one call is let go at a time, a seed always plays the same way, and a failing one prints what was decided.
package simulate
