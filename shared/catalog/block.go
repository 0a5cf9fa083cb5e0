package catalog

import (
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/drill"
)

// service reads the plan's account, its parameters and the one block of a service.
func (l *loader) service(p *drill.Plan, e entry, fields map[string]value) bool {
	var blocks []string
	for _, s := range drill.Services() {
		if _, ok := fields[string(s)]; ok {
			blocks = append(blocks, string(s))
		}
	}
	if len(blocks) == 1 {
		p.Service = drill.Service(blocks[0])
	}
	if len(blocks) == 0 {
		e.missing("the service's block", "write one of fis, ahas, oos, cfg")
	}
	if len(blocks) > 1 {
		e.key.wrong("make a drill of each", "has %d service blocks: %s", len(blocks), strings.Join(blocks, ", "))
	}
	ok := l.accountOf(p, e, fields)
	if v, has := fields["parameters"]; has {
		p.Parameters = parameters(v, p.Service)
	}
	if v, has := fields[string(p.Service)]; has {
		block(p, v)
	}
	return ok
}

func (l *loader) accountOf(p *drill.Plan, e entry, fields map[string]value) bool {
	v, ok := fields["account"]
	if !ok {
		e.missing("account", "name one of accounts")
		return false
	}
	name, ok := v.line()
	if !ok {
		return false
	}
	p.Account, ok = known(l, "accounts", l.accounts, v, name)
	if ok && p.Service != "" && p.Account.Cloud != cloudOf(p.Service) {
		v.wrong("name an account of "+cloudOf(p.Service), "%s is an account of %s, %s belongs to %s", v.shown(), p.Account.Cloud, p.Service, cloudOf(p.Service))
	}
	return ok
}

// block takes the service's block as it is written, and looks for what would go wrong however the driver reads it.
func block(p *drill.Plan, v value) {
	if v.node.Kind != yaml.MappingNode || len(v.node.Content) == 0 {
		v.wrong("write a mapping, such as { template: … }", "%s where the block of %s is wanted", v.shown(), p.Service)
		return
	}
	p.Block, _ = v.plain(func(text value, s string) { checkReferences(text, s, p.Parameters) }).(map[string]any)
	v.weigh(p.Block, maxBlock)
	for _, e := range v.entries() {
		switch {
		case e.name == "targets":
			bounds(p, e.value)
		case e.name == "experiment" && p.Service == drill.AHAS:
			quoted(e.value)
		}
	}
}

// quoted reports an id of 19 digits that was written as a number. plain has already reported one that is too long.
func quoted(v value) {
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!int" && len(v.node.Value) < len(strconv.Itoa(exact)) {
		v.wrong("put it in quotes", "%s is a number, an experiment's id is a text", v.node.Value)
	}
}

// bounds copies targets: {min, max} to the plan. The block keeps it for FIS only, whose driver knows it; the other services have no such field.
func bounds(p *drill.Plan, v value) {
	if v.node.Kind != yaml.MappingNode || len(v.node.Content) == 0 {
		v.wrong("write { min: 1, max: 12 }", "%s where bounds are wanted", v.shown())
		return
	}
	fields := v.fields(kindTargets)
	if f, ok := fields["min"]; ok {
		p.Targets.Min, _ = f.integer(0, math.MaxInt)
	}
	if f, ok := fields["max"]; ok {
		p.Targets.Max, _ = f.integer(1, math.MaxInt)
	}
	if p.Targets.Max > 0 && p.Targets.Min > p.Targets.Max {
		v.wrong("swap them", "min %d is more than max %d", p.Targets.Min, p.Targets.Max)
	}
	if p.Service != drill.FIS {
		delete(p.Block, "targets")
	}
}

// checkReferences reports `${name}` where no such parameter is declared.
func checkReferences(v value, s string, declared map[string]drill.Parameter) {
	found, err := pieces(s)
	if err != nil {
		v.wrong("write ${name}, or $${ for a plain ${", "%s: %s", v.shown(), err)
		return
	}
	for _, p := range found {
		if _, ok := declared[p.name]; ok || p.name == "" {
			continue
		}
		names := make([]string, 0, len(declared))
		for n := range declared {
			names = append(names, n)
		}
		fix := instead(p.name, names)
		if fix == "" {
			fix = "declare it under parameters, or write $${ for a plain ${"
		}
		v.wrong(fix, "${%s} is not declared", p.name)
	}
}
