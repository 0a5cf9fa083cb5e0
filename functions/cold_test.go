package functions

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/firedrill/firedrill/functions/cloudtest"
	"github.com/firedrill/firedrill/shared/host/lambdatest"
)

// BenchmarkColdStart measures the time from a process's start to its first /next, each function against three hellos, in turns, so that
// what else the machine does is the same for all. It reports medians with their quartiles, and ratios of medians in one run. FIREDRILL_BENCH_OTHER
// may name a folder with bootstraps of another build, <folder>/<function>/bootstrap, which then take turns as well.
func BenchmarkColdStart(b *testing.B) {
	folder := b.TempDir()
	text := "version: 1\ndefaults: { timezone: UTC, environment: staging, max_duration: 10m }\n" +
		"accounts: { aws: { cloud: aws, id: \"123456789012\", region: us-east-1 } }\n" +
		"drills: { a: { title: A, owner: sre, account: aws, fis: { template: EXTwait00000000001 } } }\n"
	if err := os.WriteFile(filepath.Join(folder, "drills.yaml"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	build := func(name, pkg string) string {
		out, err := lambdatest.Build(module+pkg, filepath.Join(folder, name))
		if err != nil {
			b.Fatal(err)
		}
		return out.Path
	}
	type starter struct {
		name, path string
		env        []string
	}
	hello := build("hello", "shared/host/lambdatest/hello")
	all := []starter{{"hello", hello, nil}, {"hello_roots", hello, []string{"HELLO_ROOTS=wait"}}, {"hello_go", hello, []string{"HELLO_ROOTS=go"}}}
	other := os.Getenv("FIREDRILL_BENCH_OTHER")
	for _, name := range cloudtest.Names() {
		all = append(all, starter{name, build(name, "functions/"+name+"/bootstrap"), append(cloudtest.Environment(folder, name, "http://127.0.0.1:9", "http://127.0.0.1:9"),
			"FIREDRILL_JOURNAL=s3://bucket/journal?region=us-east-1", "FIREDRILL_BUS=eventbridge://drills?region=us-east-1", // as on Lambda
			"FIREDRILL_DEADLETTER=https://sqs.us-east-1.amazonaws.com/123456789012/dead")})
		if last := all[len(all)-1]; other != "" {
			all = append(all, starter{"other_" + name, filepath.Join(other, name, "bootstrap"), last.env})
		}
	}
	took := map[string][]time.Duration{}
	for b.Loop() {
		for _, s := range all {
			r := lambdatest.Start(b, s.path, s.env...)
			took[s.name] = append(took[s.name], r.Ready())
			r.Stop()
		}
	}
	quantile := func(name string, quarters int) float64 {
		d := took[name]
		slices.SortFunc(d, cmp.Compare)
		return float64(d[len(d)*quarters/4]) / float64(time.Millisecond)
	}
	median := func(name string) float64 { return quantile(name, 2) }
	for _, s := range all {
		b.ReportMetric(median(s.name), s.name+"_ms")
		b.Logf("%-14s median %6.2f ms, half of all from %6.2f to %6.2f ms", s.name, median(s.name), quantile(s.name, 1), quantile(s.name, 3))
		b.ReportMetric(median(s.name)/median("hello_roots"), s.name+"_x_roots")
		b.ReportMetric(median(s.name)/median("hello"), s.name+"_x_bare")
	}
}
