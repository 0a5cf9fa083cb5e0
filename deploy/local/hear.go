package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/function"
)

// hearFor is how long send waits for what became of a command.
const hearFor = time.Second

// hearMore is how long it waits for the guards once the drill has its record.
const hearMore = 500 * time.Millisecond

// hearing is the console's stream, opened before a command is sent so that its outcome cannot be missed.
type hearing struct {
	hints chan hint
	end   context.CancelFunc
}

// hear opens the stream. Without one there is nothing to hear, and nothing is wrong: the command is sent all the same.
func (o sender) hear(ctx context.Context) *hearing {
	ctx, end := context.WithTimeout(ctx, 2*hearFor)
	h := &hearing{hints: make(chan hint), end: end}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(o.to, "/")+"/api/stream", nil)
	if err != nil {
		close(h.hints)
		return h
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		close(h.hints)
		return h
	}
	go func() {
		defer close(h.hints)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			var one hint
			if !ok || json.Unmarshal([]byte(data), &one) != nil {
				continue
			}
			select {
			case h.hints <- one:
			case <-ctx.Done():
				return
			}
		}
	}()
	return h
}

// refusal waits until a fact comes of the event and returns the refusal, if it is one. Silence is no refusal. A drill that was asked for
// may be refused by a guard right after, so that its first fact is given a moment longer.
func (h *hearing) refusal(event string) error {
	late := time.NewTimer(hearFor)
	defer late.Stop()
	for {
		select {
		case one, ok := <-h.hints:
			switch {
			case !ok:
				return nil
			case one.Cause != event || !strings.HasPrefix(one.Type, "dev.firedrill.drill."):
			case one.Check == function.CheckDrill:
				return fmt.Errorf("refused: %s%s", one.Reason, listsDrills)
			case one.Check != "":
				return fmt.Errorf("refused: %s: %s", one.Check, one.Reason)
			case one.Type == events.TypeRequested:
				late.Reset(hearMore)
			default:
				return nil
			}
		case <-late.C:
			return nil
		}
	}
}
