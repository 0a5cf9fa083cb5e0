// Command firedrill runs the functions on a laptop: against a sandbox of the four services, or, with --live, against real accounts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed = 1 // it ran, and something is wrong
	exitUsage  = 2 // it was called in a wrong way
)

// usageError is a mistake in how the command was called.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	code := run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// run is the whole program, without the process around it.
func run(ctx context.Context, args []string, t terminal) int {
	root := command()
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(t.err, "firedrill: %v\nRun 'firedrill help' for what it can do.\n", err)
		return exitUsage
	}
	fmt.Fprintf(t.err, "firedrill: %v\n", err)
	return exitFailed
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "firedrill",
		Short: "Run chaos drills on AWS FIS, Alibaba AHAS, Alibaba OOS and Tencent CFG",
		Long: `Firedrill runs chaos drills on the fault-injection services that clouds sell: it starts them on schedule or on command, advances
manual steps, watches them, stops them on an alarm, and concludes with a verdict.

On a laptop everything runs in one process against a sandbox of the four services. No account is needed, and none is touched.`,
		Example: `  firedrill up                                   console and sandbox on this machine
  firedrill demo                                 one drill on each service, with verdicts and reports
  firedrill send start cart-empty                ask the running 'up' for a drill
  firedrill check --catalog drills.yaml          list every mistake in a catalogue`,
		Args:         cobra.ArbitraryArgs, // so that RunE sees an unknown command
		RunE:         unknown,
		SilenceUsage: true, SilenceErrors: true, SuggestionsMinimumDistance: 2,
		CompletionOptions: cobra.CompletionOptions{
			HiddenDefaultCmd: true,
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(upCommand(), demoCommand(), checkCommand(), discoverCommand(), sendCommand(), auditCommand(), stopCommand())
	for _, c := range root.Commands() {
		check := c.Args
		c.Args = func(c *cobra.Command, words []string) error {
			if err := check(c, words); err != nil {
				return usageError{fmt.Errorf("%s: %w; see 'firedrill %s --help'", c.Name(), err, c.Name())}
			}
			return nil
		}
	}
	return root
}

// unknown answers 'firedrill' without a command, or with one that there is not.
func unknown(c *cobra.Command, words []string) error {
	if len(words) == 0 {
		return c.Help()
	}
	err := fmt.Errorf("there is no command %q", words[0])
	if near := c.SuggestionsFor(words[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, near[0])
	}
	return usageError{err}
}
