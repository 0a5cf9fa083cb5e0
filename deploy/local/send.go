package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/events"
)

func sendCommand() *cobra.Command {
	o := sender{}
	c := &cobra.Command{
		Use:   "send VERB ARGS...",
		Short: "Send a command or an alarm to the running 'up'",
		Long: `send makes a CloudEvent and posts it to the console of a running 'up', as the bus would deliver it.

  start PLAN [k=v ...]            ask for a drill
  approve ID [GATE]               agree to what a drill waits for
  reject ID [GATE]                decline it
  execute|skip|retry ID [STEP]    move a waiting drill on; cancel and complete where the service has them
  pause|resume ID                 pause a run as a whole, go on
  stop ID|all [REASON ...]        stop a drill; never expires
  halt SCOPE [REASON ...]         stop and hold everything of a scope: all, environment/NAME, plan/NAME
  release SCOPE REASON ...        lift a halt
  note ID TEXT ...                leave a remark
  answer ID CLAIM yes|no          answer an asked claim
  conclude ID VERDICT SUMMARY ... give the verdict: expected, unexpected, inconclusive
  alarm NAME [firing|resolved]    raise or clear an alarm of the catalogue
  FILE.json or -                  a CloudEvent of your own

ID is a drill's id, or the beginning of one. It waits up to a second for a refusal, and exits with 1 if one comes; with --json it
prints the console's answer at once.`,
		Example: `  firedrill send start cart-cpu seconds=60
  firedrill send execute 3kq7ab
  firedrill send alarm checkout-5xx
  firedrill send stop all "customers notice"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	c.Flags().StringVar(&o.to, "to", "http://"+defaultAddr, "address of the console")
	c.Flags().StringVar(&o.actor, "actor", "local:"+host()+"/"+login(), "who asks")
	c.Flags().BoolVar(&o.dry, "dry-run", false, "with start: only show what would happen")
	c.Flags().BoolVar(&o.json, "json", false, "print the answer as JSON")
	return c
}

func login() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "somebody"
}

func host() string {
	if h, err := os.Hostname(); err == nil && h != "" {
		return h
	}
	return "here"
}

type sender struct {
	to, actor string
	dry, json bool
}

func (o sender) run(cmd *cobra.Command, args []string) error {
	body, err := o.event(cmd.InOrStdin(), args)
	if err != nil {
		return err
	}
	heard := o.hear(cmd.Context())
	defer heard.end()
	answer, err := o.post(cmd.Context(), body)
	if err != nil {
		return err
	}
	if o.json {
		_, err := cmd.OutOrStdout().Write(answer)
		return err
	}
	var a struct{ ID, Type, Drill string }
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("read the console's answer: %w", err)
	}
	if events.IsCommand(a.Type) {
		if err := heard.refusal(a.ID); err != nil {
			return err
		}
	}
	if a.Drill != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "asked for drill %s\n%s/r/%s\n", a.Drill, o.to, a.Drill)
		return nil
	}
	fmt.Fprintf(cmd.OutOrStdout(), "sent %s\n", a.Type)
	return nil
}

// event makes the CloudEvent that the words ask for.
func (o sender) event(in io.Reader, args []string) ([]byte, error) {
	verb := args[0]
	if o.dry && !strings.EqualFold(verb, "start") {
		return nil, usageError{fmt.Errorf("--dry-run goes with start alone: %s would be carried out. Nothing was sent", verb)}
	}
	if verb == "-" {
		return io.ReadAll(io.LimitReader(in, events.MaxBytes+1))
	}
	if strings.HasSuffix(verb, ".json") {
		body, err := os.ReadFile(verb)
		if err != nil {
			return nil, usageError{err}
		}
		return body, nil
	}
	if len(args) > 3 && !takesText(verb) {
		return nil, usageError{fmt.Errorf("%s: %q is one word too many; 'firedrill send --help' shows what it takes", verb, args[3])}
	}
	p, err := o.payload(strings.ToLower(verb), args[1:])
	if err != nil {
		return nil, usageError{err}
	}
	e, err := events.New(events.Envelope{ID: random(24), Source: source, Time: time.Now()}, p)
	if err != nil {
		return nil, usageError{err}
	}
	return e.MarshalJSON()
}

// takesText reports whether a verb takes as many words as one likes.
func takesText(verb string) bool {
	switch strings.ToLower(verb) {
	case "start", "stop", "halt", "release", "note", "answer", "conclude":
		return true
	}
	return false
}

func (o sender) payload(verb string, a []string) (events.Payload, error) {
	at := func(i int) string {
		if i < len(a) {
			return a[i]
		}
		return ""
	}
	rest := func(i int) string { return strings.Join(a[min(i, len(a)):], " ") }
	switch verb {
	case "start":
		params, err := parameters(a[min(1, len(a)):])
		return events.Start{Plan: at(0), Parameters: params, DryRun: o.dry, Actor: o.actor}, err
	case "approve":
		return events.Approve{Drill: at(0), Gate: at(1), Actor: o.actor}, nil
	case "reject":
		return events.Reject{Drill: at(0), Gate: at(1), Actor: o.actor}, nil
	case "execute", "skip", "retry", "cancel", "complete", "pause", "resume":
		return events.Advance{Drill: at(0), Step: at(1), Action: verb, Actor: o.actor}, nil
	case "stop":
		return events.Stop{Drill: at(0), Reason: rest(1), Actor: o.actor}, nil
	case "halt":
		return events.Halt{Scope: at(0), Reason: rest(1), Actor: o.actor}, nil
	case "release":
		return events.Release{Scope: at(0), Reason: rest(1), Actor: o.actor}, nil
	case "note":
		return events.Note{Drill: at(0), Text: rest(1), Actor: o.actor}, nil
	case "answer":
		return events.Answer{Drill: at(0), Claim: at(1), Holds: at(2) == "yes" || at(2) == "true", Note: rest(3), Actor: o.actor}, yesNo(at(2))
	case "conclude":
		return events.Conclude{Drill: at(0), Verdict: at(1), Summary: rest(2), Actor: o.actor}, nil
	case "alarm":
		state := at(1)
		if state == "" {
			state = "firing"
		}
		return events.Alarm{Source: "local", Name: at(0), ID: random(12), State: state, Reason: "raised by " + o.actor, At: time.Now()}, nil
	}
	return nil, fmt.Errorf("%q is no verb; 'firedrill send --help' lists them", verb)
}

func yesNo(s string) error {
	switch s {
	case "yes", "no", "true", "false":
		return nil
	}
	return fmt.Errorf("answer: %q is neither yes nor no", s)
}

// parameters reads k=v words.
func parameters(words []string) (map[string]any, error) {
	out := map[string]any{}
	for _, w := range words {
		k, v, ok := strings.Cut(w, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("start: %q is not name=value", w)
		}
		out[k] = v
	}
	return out, nil
}

func (o sender) post(ctx context.Context, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.to, "/")+"/events", bytes.NewReader(body))
	if err != nil {
		return nil, usageError{fmt.Errorf("--to %q: %w", o.to, err)}
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("no console answers at %s: start it with 'firedrill up', or name it with --to (%w)", o.to, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusAccepted {
		var e struct{ Error string }
		switch {
		case json.Unmarshal(answer, &e) != nil || e.Error == "":
		case resp.StatusCode == http.StatusNotFound:
			return nil, errors.New(e.Error + listsDrills)
		default:
			return nil, errors.New(e.Error)
		}
		return nil, fmt.Errorf("the console answered %s", resp.Status)
	}
	return answer, nil
}
