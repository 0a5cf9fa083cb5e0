package report

import (
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6})\b`)

// palettes reads the colours of the light, dark and print pages off the style sheet.
func palettes(t *testing.T) map[string]map[string]float64 {
	t.Helper()
	parts := strings.Split(css, ":root {")
	if len(parts) != 4 {
		t.Fatalf("the style sheet has %d palettes, want 3", len(parts)-1)
	}
	out := map[string]map[string]float64{}
	for i, name := range []string{"light", "dark", "print"} {
		block, _, _ := strings.Cut(parts[i+1], "}")
		out[name] = map[string]float64{}
		for _, m := range colour.FindAllStringSubmatch(block, -1) {
			out[name][m[1]] = luminance(t, m[2])
		}
	}
	return out
}

// luminance is the relative luminance of WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }

func TestStyle_contrast(t *testing.T) {
	for name, p := range palettes(t) {
		t.Run(name, func(t *testing.T) {
			for ink, least := range map[string]float64{
				"text": 7, "soft": 4.5, "link": 4.5, "good": 4.5, "bad": 4.5, "warn": 4.5, "approval": 4.5, "recovery": 4.5, // words
				"fault": 3, "wait": 3, "check": 3, "idle": 3, "run": 3, // bars
			} {
				for _, paper := range []string{"bg", "card"} {
					if got := contrast(p[ink], p[paper]); got < least {
						t.Errorf("%s on %s has contrast %.1f, want %.1f", ink, paper, got, least)
					}
				}
			}
		})
	}
}

// A template package would make the linker keep every exported method of every SDK in a handler's binary: +9 MB.
func TestDependencies_linkerKeepsNothingByReflection(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, ".").Output()
	if err != nil {
		t.Skipf("go list does not run here: %v", err)
	}
	for _, no := range []string{"html/template", "text/template"} {
		if strings.Contains("\n"+string(out), "\n"+no+"\n") {
			t.Errorf("the package imports %s; render with templ", no)
		}
	}
	if testing.Short() {
		t.Skip("linking takes some seconds")
	}
	link := exec.Command("go", "build", "-o", t.TempDir()+"/probe", "-ldflags=-s -w -dumpdep", "./testdata/probe")
	dump, err := link.CombinedOutput()
	if err != nil {
		t.Fatalf("build the probe: %v\n%.2000s", err, dump)
	}
	if !strings.Contains(string(dump), "shared/report.HTML") {
		t.Fatal("the linker's dump does not show the report: the test looks at nothing")
	}
	for line := range strings.Lines(string(dump)) {
		if strings.Contains(line, "<ReflectMethod>") {
			t.Errorf("dead-code removal is off: %s", line)
		}
	}
}
