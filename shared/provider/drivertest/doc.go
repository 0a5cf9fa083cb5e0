// Package drivertest is the suite that every driver must pass against its own sandbox service.
//
// A driver package adopts it with one test:
//
//	func TestConformance(t *testing.T) {
//		drivertest.Run(t, drivertest.Harness{
//			Service:   func(e service.Env) service.Service { return fis.New(e) },
//			Open:      Open,
//			Blocks:    drivertest.Blocks{Short: map[string]any{"template": "EXTwait00000000001"}, Long: ..., Bad: ...},
//			BadFields: []string{"template", "targets"},
//			UnknownID: "EXPdoesnotexist00001",
//			Unknown:   func(reply []byte) []byte { return bytes.ReplaceAll(reply, []byte(`"running"`), []byte(`"dancing"`)) },
//			Can:       drivertest.Can{Token: true},
//		})
//	}
//
// Each case gets a World of its own: a fresh sandbox service behind an in-memory http.RoundTripper, on a clock that
// moves only when the case moves it, with hooks that make a call go wrong. The real SDK runs over that RoundTripper,
// so requests and replies are the bytes that would be on the wire; nothing listens and nothing dials. Signatures are
// made and checked with the real clock, because most SDKs cannot be told another one.
//
// Optional interfaces of package driver are found by asking the driver: one that it has gets its case, one that it
// lacks is not mentioned. Blocks that are nil leave out the cases that need them, save Short, Long and Bad.
//
// After every Observe the suite compares what the driver says with the sandbox's own truth: Quiet, or a final phase,
// while a fault is live is a failure of the driver. Every error that a case sees is searched for the secret, the
// session token and a signature.
//
// World, Fault and Request are exported so that a driver's own tests can build further cases on the same ground.
package drivertest
