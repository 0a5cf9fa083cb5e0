package drill_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
)

// The diagram in docs/how-it-works.md is the state machine: neither has an arrow that the other lacks.
func TestGuide_ItsDiagramIsTheStateMachine(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-it-works.md")
	if err != nil {
		t.Fatal(err)
	}
	diagram := regexp.MustCompile("(?s)```mermaid\nstateDiagram-v2\n(.*?)```").FindSubmatch(page)
	if diagram == nil {
		t.Fatal("docs/how-it-works.md has no state diagram")
	}
	drawn := map[[2]string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ *(\S+) --> (\S+)$`).FindAllSubmatch(diagram[1], -1) {
		drawn[[2]string{string(m[1]), string(m[2])}] = true
	}
	all := []drill.Status{drill.Requested, drill.Previewing, drill.Waiting, drill.Starting, drill.Running, drill.Stopping, drill.Stopped,
		drill.Completed, drill.Failed, drill.Concluding, drill.Concluded, drill.Refused}
	arrows := 0
	for _, from := range all {
		for _, to := range all {
			if drill.Legal(from, to) {
				arrows++
			}
			if drill.Legal(from, to) != drawn[[2]string{string(from), string(to)}] {
				t.Errorf("%s -> %s: legal %v, drawn %v", from, to, drill.Legal(from, to), !drill.Legal(from, to))
			}
		}
		if from.Final() != drawn[[2]string{string(from), "[*]"}] {
			t.Errorf("%s: final %v, drawn otherwise", from, from.Final())
		}
	}
	if want := arrows + 1 + 2; len(drawn) != want { // the beginning and the two ends
		t.Errorf("the diagram has %d arrows, want %d", len(drawn), want)
	}
}
