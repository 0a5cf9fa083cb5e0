package chatops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

const (
	maxReply = 3500 // runes: every platform takes so many
	maxName  = 120
)

// show answers a command that changes nothing.
func (f *Function) show(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	reply, err := f.look(ctx, c, cmd)
	var no *refusal
	var denied *denial
	switch {
	case errors.As(err, &denied):
		f.deny(ctx, c, cmd.Verb, denied)
		return Reply{}, denied
	case errors.As(err, &no):
		return Reply{}, no
	case err != nil:
		return Reply{Text: c.say("that cannot be read now, please ask again")}, fmt.Errorf("%s: %w", cmd.Verb, err)
	}
	reply.Text = chat.Cut(reply.Text, maxReply)
	return reply, nil
}

func (f *Function) look(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	if cmd.Verb == grammar.Help {
		return Reply{Text: f.help(c, cmd.Topic)}, nil
	}
	if err := f.may(c, cmd.Verb, "", cmd.Plan+cmd.Drill); err != nil {
		return Reply{}, err
	}
	switch cmd.Verb {
	case grammar.List, grammar.Plan, grammar.Next:
		plans, err := f.Reader.Plans(ctx)
		if err != nil {
			return Reply{}, fmt.Errorf("read plans: %w", err)
		}
		return f.plans(c, cmd, plans)
	case grammar.Status:
		if cmd.Drill == "" || cmd.Drill == grammar.All {
			return f.active(ctx, c)
		}
	}
	d, err := f.find(ctx, c, cmd.Verb, cmd.Drill)
	if err != nil {
		return Reply{}, err
	}
	if err := f.may(c, cmd.Verb, d.Plan.Environment, d.ID); err != nil {
		return Reply{}, err
	}
	if cmd.Verb == grammar.Report {
		return f.reportLink(c, d), nil
	}
	return Reply{Text: c.status(d), Drill: d.ID}, nil
}

// help is for every member, and tells a stranger whom to ask.
func (f *Function) help(c caller, topic string) string {
	text := grammar.HelpText(topic, c.lang)
	if !f.Access().Known(c.actor) {
		text += "\n\n" + c.say("You have no role here yet: you may stop drills, and nothing else. Give an admin this id to bind to one: %s", c.actor)
	}
	return text
}

func (f *Function) plans(c caller, cmd grammar.Command, plans []Plan) (Reply, error) {
	if cmd.Plan == "" {
		plans = slices.DeleteFunc(slices.Clone(plans), func(p Plan) bool { return f.may(c, cmd.Verb, p.Environment, p.Name) != nil })
		return Reply{Text: f.said(f.rows(c, cmd.Verb, plans))}, nil
	}
	p, err := findPlan(plans, cmd.Plan)
	if err != nil {
		return Reply{}, err
	}
	if err := f.may(c, cmd.Verb, p.Environment, p.Name); err != nil {
		return Reply{}, err
	}
	if cmd.Verb == grammar.Next {
		return Reply{Text: f.said(c.next(p))}, nil
	}
	return Reply{Text: f.said(c.describe(p))}, nil
}

func (f *Function) rows(c caller, verb grammar.Verb, plans []Plan) string {
	var rows []string
	for _, p := range plans {
		switch {
		case verb == grammar.List:
			rows = append(rows, fmt.Sprintf("%s: %s (%s, %s)", p.Name, chat.Line(p.Title, maxName), p.Service, p.Environment))
		case !p.Next.IsZero():
			rows = append(rows, c.next(p))
		}
	}
	if len(rows) == 0 {
		return c.say("none")
	}
	return c.say("%d plan(s):", len(rows)) + "\n" + strings.Join(rows, "\n")
}

func (c caller) next(p Plan) string {
	if p.Next.IsZero() {
		return c.say("%s: no schedule starts it", p.Name)
	}
	return p.Name + ": " + when(p.Next, p.Timezone)
}

// when shows an instant in the plan's own zone, with its offset.
func when(t time.Time, zone string) string {
	if z, err := time.LoadLocation(zone); err == nil {
		t = t.In(z)
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}

func (c caller) describe(p Plan) string {
	lines := []string{
		fmt.Sprintf("%s: %s", p.Name, chat.Line(p.Title, maxName)),
		c.say("service %s, environment %s, at most %s", p.Service, p.Environment, p.MaxDuration),
	}
	if p.Disabled {
		lines = append(lines, c.say("disabled: it does not start"))
	}
	if p.Approval.Need > 0 {
		lines = append(lines, c.say("needs %d approval(s)", p.Approval.Need))
	}
	if len(p.StopOn) > 0 {
		lines = append(lines, c.say("stopped by %s", strings.Join(p.StopOn, ", ")))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Parameters)) {
		lines = append(lines, "  "+name+"="+c.parameter(p.Parameters[name]))
	}
	if len(p.Parameters) == 0 {
		lines = append(lines, c.say("it takes no parameters"))
	}
	return strings.Join(append(lines, c.next(p)), "\n")
}

func (c caller) parameter(p drill.Parameter) string {
	s := p.Type
	if p.Default != nil {
		s += c.say(", default %s", chat.Line(fmt.Sprint(p.Default), maxName))
	}
	if p.Min != nil {
		s += c.say(", at least %v", *p.Min)
	}
	if p.Max != nil {
		s += c.say(", at most %v", *p.Max)
	}
	if len(p.Enum) > 0 {
		s += c.say(", one of %v", p.Enum)
	}
	return s
}

func (f *Function) active(ctx context.Context, c caller) (Reply, error) {
	drills, err := f.drills(ctx)
	if err != nil {
		return Reply{}, fmt.Errorf("list drills: %w", err)
	}
	drills = slices.DeleteFunc(drills, func(d *drill.Drill) bool { return f.may(c, grammar.Status, d.Plan.Environment, d.ID) != nil })
	if len(drills) == 0 {
		return Reply{Text: f.said(c.say("no drill is active"))}, nil
	}
	var rows []string
	for _, d := range drills[:min(len(drills), 2*listed)] {
		rows = append(rows, c.row(d))
	}
	if n := len(drills) - len(rows); n > 0 {
		rows = append(rows, c.say("and %d more", n))
	}
	return Reply{Text: strings.Join(rows, "\n")}, nil
}

// drills reads all that are active.
func (f *Function) drills(ctx context.Context) ([]*drill.Drill, error) {
	ids, err := f.Reader.Active(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]*drill.Drill, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, id := range ids {
		group.Go(func() (err error) {
			if found[i], err = f.Reader.Drill(ctx, id); errors.Is(err, journal.ErrNotFound) {
				return nil // a marker whose drill was never written
			}
			return err
		})
	}
	err = group.Wait()
	return slices.DeleteFunc(found, func(d *drill.Drill) bool { return d == nil }), err
}

func (c caller) row(d *drill.Drill) string {
	return fmt.Sprintf("[%s] %s %s: %s, %s", d.Mode, shortID(d.ID), d.Plan.Name, words.Say(string(d.Status)).In(c.lang, chinese()), chat.Line(d.Plan.Title, maxName))
}

// status says where a drill stands. Stop requested, stopped and restored are three facts.
func (c caller) status(d *drill.Drill) string {
	lines := []string{c.row(d)}
	if d.Reason != "" {
		lines = append(lines, c.say("reason: %s", chat.Line(d.Reason, 300)))
	}
	if run := d.RunID(); run != "" {
		lines = append(lines, c.say("%s run %s", d.Plan.Service, run))
	}
	for _, s := range d.Steps {
		lines = append(lines, c.say("  step %s %s: %s", s.ID, chat.Line(s.Name, maxName), s.State))
	}
	for _, g := range d.Gates {
		lines = append(lines, c.say("  waits at %s: %s", g.ID, choices(g)))
	}
	if s := d.Stop; s != nil {
		lines = append(lines, c.say("stop requested: %s by %s", when(s.RequestedAt, d.Plan.Timezone), chat.Line(s.By, maxName)),
			c.say("stopped: %s", c.fact(s.StoppedAt, d.Plan.Timezone)))
	}
	if d.Stop != nil || d.Status.Ended() && d.Status != drill.Refused {
		lines = append(lines, c.say("restored: %s", c.restored(d)))
	}
	if v := d.LastVerdict(); v != nil {
		lines = append(lines, c.say("verdict: %s: %s", words.Say(v.Verdict), chat.Line(v.Summary, 600)))
	}
	return strings.Join(lines, "\n")
}

func choices(g drill.Gate) string {
	var all []string
	for _, c := range g.Choices {
		all = append(all, string(c.Action))
	}
	return strings.Join(all, ", ")
}

func (c caller) fact(t time.Time, zone string) string {
	if t.IsZero() {
		return c.say("not confirmed")
	}
	return when(t, zone)
}

func (c caller) restored(d *drill.Drill) string {
	switch d.Restored.State {
	case drill.RestoreDone:
		return c.fact(d.Restored.At, d.Plan.Timezone)
	case drill.RestoreNeedless:
		return c.say("not needed, nothing was injected")
	case drill.RestoreFailed:
		return c.say("FAILED, a person must act")
	case drill.RestoreUnproven:
		return c.say("the service cannot prove it")
	}
	return c.say("not confirmed")
}

func (f *Function) reportLink(c caller, d *drill.Drill) Reply {
	link := ""
	if f.Link != nil {
		link = f.Link(d.ID)
	}
	if link == "" {
		return Reply{Text: c.say("this deployment has no page for reports"), Drill: d.ID}
	}
	text := f.Keys.Signed(link, d.ID, f.Now())
	if d.Status != drill.Concluded {
		text = c.say("%s (the drill is %s: the report is not final)", text, words.Say(string(d.Status)))
	}
	return Reply{Text: text, Drill: d.ID}
}
