package functions

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// allowed lists the files that may use real time or chance, each with its reason. Mains (package main) and tests are not looked at.
func allowed() map[string]string {
	return map[string]string{
		"shared/host/http.go":     "ids of webhook events; a host is wiring",
		"shared/host/lambda.go":   "the runtime's own deadline is real; a host is wiring",
		"shared/setup/open.go":    "wires the real clock, wait and dice into everything else",
		"shared/sandbox/clock.go": "the sandbox's waits of real time, on the clock that it is given",
	}
}

// TestClock_TimeAndChanceAreInjected greps: no clock, no sleep and no dice outside mains, tests, the simulator and the drivers' suite.
func TestClock_TimeAndChanceAreInjected(t *testing.T) {
	used := regexp.MustCompile(`\btime\.(Now|Sleep|Since|Until|After|AfterFunc|Tick|NewTimer|NewTicker)\b|"(math/rand|math/rand/v2|crypto/rand)"`)
	skipped := regexp.MustCompile(`^shared/simulate/|test/[^/]*$`) // linked into tests only: drivertest, storetest, …
	seen := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if e != nil && strings.HasPrefix(e.Name(), ".") && e.Name() != ".." {
				return filepath.SkipDir
			}
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || skipped.MatchString(name) {
			return nil
		}
		lines, err := read(path)
		if err != nil || slices.Contains(lines, "package main") {
			return err
		}
		for i, line := range lines {
			code, _, _ := strings.Cut(line, "//")
			if !used.MatchString(code) {
				continue
			}
			if seen[name] = true; allowed()[name] == "" {
				t.Errorf("%s:%d: %s: a clock, a wait and an id are passed to New", name, i+1, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range allowed() {
		if _, err := os.Stat(filepath.Join("..", name)); err == nil && !seen[name] {
			t.Errorf("%s is allowed real time or chance and uses none: take it off the list", name)
		}
	}
}

func read(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		lines = append(lines, s.Text())
	}
	return lines, s.Err()
}
