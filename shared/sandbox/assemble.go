package sandbox

import (
	"github.com/firedrill/firedrill/shared/sandbox/ahas"
	"github.com/firedrill/firedrill/shared/sandbox/cfg"
	"github.com/firedrill/firedrill/shared/sandbox/fis"
	"github.com/firedrill/firedrill/shared/sandbox/oos"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// all returns the constructors of every service. A request belongs to the first that recognises it; no two recognise the
// same one.
func all() []func(service.Env) service.Service {
	return []func(service.Env) service.Service{
		func(e service.Env) service.Service { return fis.New(e) },
		func(e service.Env) service.Service { return ahas.New(e) },
		func(e service.Env) service.Service { return oos.New(e) },
		func(e service.Env) service.Service { return cfg.New(e) },
	}
}
