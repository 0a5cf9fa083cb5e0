// Package cloudtest is what stands around the built functions in tests that run them as processes: the sandbox on a fast clock, a shop that
// claims measure, a room that messages go to, the payloads that AWS hands over, and the story of two drills. Who runs the processes, and what
// carries events between them, is the test's: our own runtime API in functions, AWS's emulator and moto in deploy/e2e.
package cloudtest
