package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// defaultAddr is where the console is, and where the other commands look for it.
const defaultAddr = "127.0.0.1:8080"

// ports is how many ports are tried, from the wanted one up, before giving up.
const ports = 50

func upCommand() *cobra.Command {
	set := settings{}
	var verbose, asJSON bool
	c := &cobra.Command{
		Use:   "up",
		Short: "Run console, functions and sandbox on this machine",
		Long: `up runs every function in this process, with a console for people and the events API for programs.

It always talks to the sandbox and drops cloud credentials from its environment. With --live it runs real drills in the accounts
of the catalogue instead: it reads the account ids first, shows them, and asks you to type one.
FIREDRILL_ENDPOINT_FIS, _AHAS, _OOS and _CFG name private endpoints for it.

The catalogue is read again when its files change. A version with mistakes is refused, and the last good one stays.

Drills, and the sandbox's runs of them, are kept in --data; start 'up' again and it carries on with every drill that was active,
however the last one ended. Ctrl-C ends it cleanly.`,
		Example: `  firedrill up                                    console on 127.0.0.1:8080, sandbox on 127.0.0.1:8081
  firedrill up --catalog my.yaml --speed 10       your plans, ten times faster than the clock
  curl -s 127.0.0.1:8080/api/plans                what can be run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set.log = logger(verbose)
			return up(cmd.Context(), set, newScreen(cmd, asJSON))
		},
	}
	f := c.Flags()
	commonFlags(c, &set)
	f.StringVar(&set.addr, "addr", defaultAddr, "address of the console; the next free port if it is taken")
	f.StringVar(&set.sandboxAddr, "sandbox-addr", "127.0.0.1:8081", "address of the sandbox; the next free port if it is taken")
	f.DurationVar(&set.every, "observe-every", 15*time.Second, "how often active drills are read inside a tick")
	f.BoolVar(&set.live, "live", false, "run real drills in the catalogue's accounts; asks for a typed confirmation")
	f.StringSliceVar(&set.allowHosts, "allow-host", nil, "host name that requests may be sent to, besides this machine's own")
	f.BoolVarP(&verbose, "verbose", "v", false, "log every event")
	f.BoolVar(&asJSON, "json", false, "print JSON lines: first the addresses, then a line per fact")
	return c
}

func commonFlags(c *cobra.Command, set *settings) {
	f := c.Flags()
	f.StringVar(&set.data, "data", ".firedrill", "directory of the journal and the reports")
	f.StringVar(&set.catalog, "catalog", "", "catalogue file (default: drills.yaml here, else the one that came with firedrill)")
	f.Float64Var(&set.speed, "speed", 1, "how many times faster than the clock the sandbox, the ticks and the handlers go")
}

func logger(verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// screen is where up talks to its user.
type screen struct {
	out    io.Writer
	in     io.Reader
	json   bool
	person bool // somebody sits at a terminal and can be asked
}

// tell prints a line for people; where machines read there is a fact instead.
func (sc screen) tell(line string) {
	if !sc.json {
		fmt.Fprintln(sc.out, line)
	}
}

func newScreen(cmd *cobra.Command, asJSON bool) screen {
	f, ok := cmd.InOrStdin().(*os.File)
	return screen{out: &locked{w: cmd.OutOrStdout()}, in: cmd.InOrStdin(), json: asJSON, person: ok && term.IsTerminal(int(f.Fd()))}
}

func up(ctx context.Context, set settings, sc screen) error {
	if !(set.speed > 0 && set.speed <= 10000) { // no number is neither
		return usageError{fmt.Errorf("--speed %v: use a number above 0, up to 10000", set.speed)}
	}
	if set.live {
		if set.speed != 1 {
			return usageError{errors.New("--speed works with the sandbox only; real services keep real time")}
		}
		if !sc.person {
			return errors.New("--live asks a person: run it in a terminal")
		}
	} else {
		dropAmbient()
	}
	console, why, err := listen(set.addr)
	if err != nil {
		return err
	}
	defer console.Close()
	set.addr, set.moved = console.Addr().String(), why
	s, err := newSystem(ctx, set)
	if err != nil {
		return err
	}
	if set.live {
		if err := s.confirmLive(ctx, sc); err != nil {
			return err
		}
	}
	return s.serve(ctx, console, sc)
}

// listen takes the wanted port, or the next free one, and says why it is not the wanted one; port 0 takes any.
func listen(addr string) (l net.Listener, why string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("address %q: write it like 127.0.0.1:8080", addr)}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, "", usageError{fmt.Errorf("address %q: firedrill listens on this machine only; use 127.0.0.1", addr)}
	}
	first, err := net.LookupPort("tcp", port)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("address %q: %q is no port", addr, port)}
	}
	for p := first; ; p++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(p)))
		if err == nil || p == first+ports || p >= 65535 || first == 0 {
			return l, why, err
		}
		if p == first {
			why = notFree(addr, err)
		}
	}
}

// notFree words why a port was not taken.
func notFree(addr string, err error) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return addr + " is taken: another program listens there"
	}
	return fmt.Sprintf("%s cannot be had: %v", addr, err)
}

// serve runs until ctx ends, then lets what was accepted be handled.
func (s *system) serve(ctx context.Context, console net.Listener, sc screen) error {
	stop, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	handling, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var wg sync.WaitGroup
	closeBox, err := s.serveSandbox(&wg)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return stop }}
	failed := make(chan error, 1)
	wg.Go(func() {
		if err := server.Serve(console); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	})
	wg.Go(func() { s.bus.Run(handling, 4) })
	wg.Go(func() { s.tick(stop) })
	lines, endLines := s.facts.listen()
	defer endLines()
	s.greet(sc)
	s.sendTick(stop, s.clock.Now().Truncate(time.Minute)) // carry on at once with what was active
	wg.Go(func() { s.watch(stop, lines, sc) })
	wg.Go(func() { s.follow(stop, sc.tell) })
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	if !sc.json {
		fmt.Fprintln(sc.out, "\nending; active drills go on at the next 'up'")
	}
	s.finish(server, cancel)
	s.drain()
	end()
	closeBox()
	wg.Wait()
	return err
}

// finish closes the door, waits a little for what is being handled, and ends the rest.
func (s *system) finish(server *http.Server, cancel context.CancelFunc) {
	soon, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	cancelStreams := time.AfterFunc(500*time.Millisecond, cancel)
	defer cancelStreams.Stop()
	_ = server.Shutdown(soon) // what is left is closed below
	cancel()
	_ = server.Close()
}

// drainFor bounds how long the end waits for what was accepted.
const drainFor = 2 * time.Second

// drain waits until what was accepted is handled: a stop that was answered with 202 is in no journal before.
func (s *system) drain() {
	done := make(chan struct{})
	go func() { defer close(done); s.bus.Handled() }()
	select {
	case <-done:
	case <-time.After(drainFor):
		s.set.log.Warn("ended while a command or an alarm was being handled")
	}
}

func (s *system) greet(sc screen) {
	if sc.json {
		ready := map[string]string{"mode": s.mode, "console": "http://" + s.set.addr}
		if s.box != nil {
			ready["sandbox"] = s.boxURL
		}
		if b, err := json.Marshal(ready); err == nil {
			fmt.Fprintln(sc.out, string(b))
		}
		return
	}
	fmt.Fprintf(sc.out, "Firedrill · %s\n\n", s.mode)
	fmt.Fprintf(sc.out, "  console   http://%s\n", s.set.addr)
	if s.set.moved != "" {
		fmt.Fprintf(sc.out, "            (%s)\n", s.set.moved)
	}
	if s.box != nil {
		fmt.Fprintf(sc.out, "  chat      http://%s/chat   (stand-ins for Slack, Feishu, DingTalk and WeCom)\n", s.set.addr)
		fmt.Fprintf(sc.out, "  sandbox   %s   (access key sandbox, secret sandbox, any region)\n", s.boxURL)
	}
	if s.boxMoved != "" {
		fmt.Fprintf(sc.out, "            (%s)\n", s.boxMoved)
	}
	fmt.Fprintf(sc.out, "  journal   %s\n", s.set.data)
	fmt.Fprintf(sc.out, "  catalogue %s, %d plans\n", s.catalogName(), len(s.catalog.Load().Plans()))
	if s.set.speed != 1 {
		fmt.Fprintf(sc.out, "  clock     %g times faster\n", s.set.speed)
	}
	for _, d := range s.damaged {
		fmt.Fprintf(sc.out, "\n  WARNING   %s\n", d)
	}
	to := ""
	if s.set.addr != defaultAddr {
		to = "--to http://" + s.set.addr + " "
	}
	fmt.Fprintf(sc.out, "\nOpen the console, or in another terminal:\n\n  go run ./deploy/local send %sstart cart-empty\n\nCtrl-C ends it.\n\n", to)
}

// confirmLive shows the accounts that drills will run in, as the clouds themselves name them, and asks for one to be typed.
func (s *system) confirmLive(ctx context.Context, sc screen) error {
	ids, err := s.verifyAccounts(ctx, sc.out)
	if err != nil {
		return err
	}
	fmt.Fprintf(sc.out, "\nLIVE: drills will inject real faults into these accounts. Type one of the account ids to go on: ")
	line, err := bufio.NewReader(sc.in).ReadString('\n')
	if err != nil {
		return fmt.Errorf("no confirmation: %w", err)
	}
	for _, id := range ids {
		if strings.TrimSpace(line) == id {
			return nil
		}
	}
	return errors.New("that is none of these account ids; nothing was started")
}
