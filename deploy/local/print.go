package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

// respondTo prints JSON for machines.
func respondTo(w io.Writer, v any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // standard output is gone
}

func printCheck(w io.Writer, name string, plans []drill.Plan, found []finding) {
	for _, f := range found {
		fmt.Fprintln(w, catalog.Problem(f).String())
	}
	if len(found) > 0 {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "PLAN\tSERVICE\tENVIRONMENT\tAPPROVAL\tSTOPS ON\tTITLE")
	services := map[drill.Service]drill.Plan{}
	for _, p := range plans {
		approval := "none"
		if p.Approval.Need > 0 {
			approval = fmt.Sprintf("%d", p.Approval.Need)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%d alarm(s)\t%s\n", p.Name, p.Service, p.Environment, approval, len(p.StopOn), p.Title)
		services[p.Service] = p
	}
	_ = tw.Flush() // standard output is gone
	fmt.Fprintf(w, "\n%s: %d plans, no mistakes\n", name, len(plans))
	for _, s := range drill.Services() {
		p, ok := services[s]
		if !ok {
			continue
		}
		sv, err := described(p)
		if err != nil {
			continue
		}
		for _, c := range sv.Facts().Cannot {
			fmt.Fprintf(w, "%s cannot promise: %s\n", s, c)
		}
	}
}

func printHints(w io.Writer, hints []finding) {
	for _, h := range hints {
		fmt.Fprintf(w, "hint: %s\n", catalog.Problem(h))
	}
}
