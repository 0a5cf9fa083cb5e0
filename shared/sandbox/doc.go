// Package sandbox is FIS, AHAS, OOS and CFG in one process and on one port, on their vendors' own wire formats. The
// services themselves are in packages of their own (fis, ahas, oos, cfg, behind package service); this package reads
// requests, finds the service by the request's shape, plays faults, records what was asked, and owns the clock and the
// alarms. What it knows about itself is under /_sandbox/.
//
// A test or the simulator reaches it without a socket through Transport; everybody else serves it as an http.Handler.
package sandbox
