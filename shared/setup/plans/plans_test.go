package plans

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/setup"
)

const one = `version: 1
include: [ more.yaml ]
defaults: { timezone: UTC, environment: staging, max_duration: 10m }
accounts: { aws: { cloud: aws, id: "123456789012", region: us-east-1 } }
drills:
  first: { title: First, owner: sre, account: aws, fis: { template: EXTwait00000000001 } }
`

const more = `drills:
  second: { title: Second, owner: sre, account: aws, fis: { template: EXTwait00000000001 } }
`

func TestBook_ReadsAgainWhatHasChangedAndKeepsTheLastGoodOne(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "drills.yaml")
	edits := 0
	put := func(name, text string) {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		edits++
		at := time.Unix(1e9+int64(edits), 0)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	put("drills.yaml", one)
	put("more.yaml", more)
	settings, err := setup.Read([]string{"FIREDRILL_JOURNAL=dir:///j", "FIREDRILL_BUS=https://b.example.com", "FIREDRILL_DEPLOYMENT=t", "FIREDRILL_CATALOG=" + path}, Need())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(2e9, 0)
	var logs bytes.Buffer
	b, err := Open(t.Context(), &setup.Setup{Settings: settings, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	plans := func() int { return len(b.Catalog().Plans()) }
	look := func() { now = now.Add(lookEvery); b.Look(t.Context()) }
	put("more.yaml", strings.ReplaceAll(more, "second", "third")+strings.ReplaceAll(more, "drills:\n", ""))
	if b.Look(t.Context()); plans() != 2 {
		t.Error("it looked too soon")
	}
	if look(); plans() != 3 {
		t.Errorf("%d plans after a change of an included file, want 3", plans())
	}
	put("drills.yaml", one+"nonsense: true\n")
	if look(); plans() != 3 || strings.Count(logs.String(), "the last good one stays") != 1 {
		t.Errorf("%d plans after a mistake:\n%s", plans(), &logs)
	}
	if look(); strings.Count(logs.String(), "the last good one stays") != 1 {
		t.Error("the same mistake was told twice")
	}
	put("more.yaml", more)
	put("drills.yaml", one)
	if look(); plans() != 2 {
		t.Errorf("%d plans after the repair, want 2", plans())
	}
}

func TestOpen_AMistakeAtTheStart(t *testing.T) {
	settings, err := setup.Read([]string{"FIREDRILL_JOURNAL=dir:///j", "FIREDRILL_BUS=https://b.example.com", "FIREDRILL_DEPLOYMENT=t", "FIREDRILL_CATALOG=/nowhere.yaml"}, Need())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), &setup.Setup{Settings: settings, Now: time.Now}); err == nil {
		t.Error("there is no such file")
	}
}
