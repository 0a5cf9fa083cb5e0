package chatops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/drill"
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
		return Reply{Text: "that cannot be read now, please ask again"}, fmt.Errorf("%s: %w", cmd.Verb, err)
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
		return f.reportLink(d), nil
	}
	return Reply{Text: f.status(d), Drill: d.ID}, nil
}

// help is for every member, and tells a stranger whom to ask.
func (f *Function) help(c caller, topic string) string {
	text := grammar.HelpText(topic)
	if !f.Access().Known(c.actor) {
		text += "\n\nYou have no role here yet: you may stop drills, and nothing else. Give an admin this id to bind to one: " + c.actor
	}
	return text
}

func (f *Function) plans(c caller, cmd grammar.Command, plans []Plan) (Reply, error) {
	if cmd.Plan == "" {
		plans = slices.DeleteFunc(slices.Clone(plans), func(p Plan) bool { return f.may(c, cmd.Verb, p.Environment, p.Name) != nil })
		return Reply{Text: f.said(f.rows(cmd.Verb, plans))}, nil
	}
	p, err := findPlan(plans, cmd.Plan)
	if err != nil {
		return Reply{}, err
	}
	if err := f.may(c, cmd.Verb, p.Environment, p.Name); err != nil {
		return Reply{}, err
	}
	if cmd.Verb == grammar.Next {
		return Reply{Text: f.said(next(p))}, nil
	}
	return Reply{Text: f.said(describe(p))}, nil
}

func (f *Function) rows(verb grammar.Verb, plans []Plan) string {
	var rows []string
	for _, p := range plans {
		switch {
		case verb == grammar.List:
			rows = append(rows, fmt.Sprintf("%s: %s (%s, %s)", p.Name, chat.Line(p.Title, maxName), p.Service, p.Environment))
		case !p.Next.IsZero():
			rows = append(rows, next(p))
		}
	}
	if len(rows) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d\n%s", len(rows), strings.Join(rows, "\n"))
}

func next(p Plan) string {
	if p.Next.IsZero() {
		return p.Name + ": no schedule starts it"
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

func describe(p Plan) string {
	lines := []string{
		fmt.Sprintf("%s: %s", p.Name, chat.Line(p.Title, maxName)),
		fmt.Sprintf("service %s, environment %s, at most %s", p.Service, p.Environment, p.MaxDuration),
	}
	if p.Disabled {
		lines = append(lines, "disabled: it does not start")
	}
	if p.Approval.Need > 0 {
		lines = append(lines, fmt.Sprintf("needs %d approval(s)", p.Approval.Need))
	}
	if len(p.StopOn) > 0 {
		lines = append(lines, "stopped by "+strings.Join(p.StopOn, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Parameters)) {
		lines = append(lines, "  "+name+"="+parameter(p.Parameters[name]))
	}
	if len(p.Parameters) == 0 {
		lines = append(lines, "it takes no parameters")
	}
	return strings.Join(append(lines, next(p)), "\n")
}

func parameter(p drill.Parameter) string {
	s := p.Type
	if p.Default != nil {
		s += fmt.Sprintf(", default %s", chat.Line(fmt.Sprint(p.Default), maxName))
	}
	if p.Min != nil {
		s += fmt.Sprintf(", at least %v", *p.Min)
	}
	if p.Max != nil {
		s += fmt.Sprintf(", at most %v", *p.Max)
	}
	if len(p.Enum) > 0 {
		s += fmt.Sprintf(", one of %v", p.Enum)
	}
	return s
}

func (f *Function) active(ctx context.Context, c caller) (Reply, error) {
	drills, err := f.Reader.Drills(ctx, "")
	if err != nil {
		return Reply{}, fmt.Errorf("list drills: %w", err)
	}
	drills = slices.DeleteFunc(slices.Clone(drills), func(d *drill.Drill) bool { return f.may(c, grammar.Status, d.Plan.Environment, d.ID) != nil })
	if len(drills) == 0 {
		return Reply{Text: f.said("no drill is active")}, nil
	}
	var rows []string
	for _, d := range drills[:min(len(drills), 2*listed)] {
		rows = append(rows, f.row(d))
	}
	if n := len(drills) - len(rows); n > 0 {
		rows = append(rows, fmt.Sprintf("and %d more", n))
	}
	return Reply{Text: strings.Join(rows, "\n")}, nil
}

func (f *Function) row(d *drill.Drill) string {
	return fmt.Sprintf("[%s] %s %s: %s, %s", d.Mode, shortID(d.ID), d.Plan.Name, d.Status, chat.Line(d.Plan.Title, maxName))
}

// status says where a drill stands. Stop requested, stopped and restored are three facts.
func (f *Function) status(d *drill.Drill) string {
	lines := []string{f.row(d)}
	if d.Reason != "" {
		lines = append(lines, "reason: "+chat.Line(d.Reason, 300))
	}
	if run := d.RunID(); run != "" {
		lines = append(lines, fmt.Sprintf("%s run %s", d.Plan.Service, run))
	}
	for _, s := range d.Steps {
		lines = append(lines, fmt.Sprintf("  step %s %s: %s", s.ID, chat.Line(s.Name, maxName), s.State))
	}
	for _, g := range d.Gates {
		lines = append(lines, fmt.Sprintf("  waits at %s: %s", g.ID, choices(g)))
	}
	if s := d.Stop; s != nil {
		lines = append(lines, "stop requested: "+when(s.RequestedAt, d.Plan.Timezone)+" by "+chat.Line(s.By, maxName),
			"stopped: "+fact(s.StoppedAt, d.Plan.Timezone))
	}
	if d.Stop != nil || d.Status.Ended() && d.Status != drill.Refused {
		lines = append(lines, "restored: "+restored(d))
	}
	if d.Verdict != nil {
		lines = append(lines, "verdict: "+d.Verdict.Verdict+": "+chat.Line(d.Verdict.Summary, 600))
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

func fact(t time.Time, zone string) string {
	if t.IsZero() {
		return "not confirmed"
	}
	return when(t, zone)
}

func restored(d *drill.Drill) string {
	switch d.Restored.State {
	case drill.RestoreDone:
		return fact(d.Restored.At, d.Plan.Timezone)
	case drill.RestoreNeedless:
		return "not needed, nothing was injected"
	case drill.RestoreFailed:
		return "FAILED, a person must act"
	case drill.RestoreUnproven:
		return "the service cannot prove it"
	}
	return "not confirmed"
}

func (f *Function) reportLink(d *drill.Drill) Reply {
	if f.Link == nil {
		return Reply{Text: "this deployment has no page for reports", Drill: d.ID}
	}
	text := f.Keys.Signed(f.Link(d.ID), d.ID, f.Now())
	if d.Status != drill.Concluded {
		text += " (the drill is " + string(d.Status) + ": the report is not final)"
	}
	return Reply{Text: text, Drill: d.ID}
}
