package words_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/chat/words"
)

func TestPhrase_InBothLanguages(t *testing.T) {
	table := map[string]string{"stop of %s asked for": "已请求停止%s", "drill %s": "演练 %s"}
	p := words.Say("stop of %s asked for", words.Say("drill %s", "k7m2"))
	if got := p.In(words.Chinese, table); got != "已请求停止演练 k7m2" {
		t.Error(got)
	}
	if got := p.String(); got != "stop of drill k7m2 asked for" {
		t.Error(got)
	}
	told := words.Say("%s: %s", "x", words.Told("already answered: slack:T/BOB approved it at 2026-11-24T09:00:00Z"))
	if got := told.In(words.Chinese, table); got != "x: 已有人处理：slack:T/BOB 已于 2026-11-24 09:00:00 +00:00 批准" {
		t.Error(got)
	}
	if got := told.String(); got != "x: already answered: slack:T/BOB approved it at 2026-11-24 09:00:00 +00:00" {
		t.Error(got)
	}
	if got := words.Say("100% sure").In(words.Chinese, table); got != "100% sure" {
		t.Error(got)
	}
}

func TestLangOf(t *testing.T) {
	for s, want := range map[string]words.Lang{"zh": "zh", "zh-CN": "zh", "ZH_Hans": "zh", "": "en", "en": "en", "zhx": "en", "fr": "en"} {
		if got := words.LangOf(s); got != want {
			t.Errorf("%q: %s", s, got)
		}
	}
}

// TestTables_HaveTheChineseOfEverythingThatIsSaid reads the packages that speak, and wants each of their texts in their table, with the same
// verbs of fmt in the same order, and nothing in the table that nobody says.
func TestTables_HaveTheChineseOfEverythingThatIsSaid(t *testing.T) {
	for _, dir := range []string{"../grammar", "../../../functions/chatops"} {
		said, chinese := read(t, dir)
		for _, s := range said {
			zh, ok := chinese[s]
			if !ok {
				t.Errorf("%s: no Chinese for %q", dir, s)
				continue
			}
			if !slices.Equal(verbs(s), verbs(zh)) {
				t.Errorf("%s: %q and %q take different arguments", dir, s, zh)
			}
		}
	}
}

var verb = regexp.MustCompile(`%[a-z]`)

func verbs(format string) []string { return verb.FindAllString(format, -1) }

// read returns the constant formats that a package passes to say or Say, and its table.
func read(t *testing.T, dir string) (said []string, chinese map[string]string) {
	t.Helper()
	chinese = map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, ok := first(n); ok && s != "" && strings.Trim(s, "%s: ") != "" {
					said = append(said, s)
				}
			case *ast.KeyValueExpr:
				k, ok1 := text(n.Key)
				v, ok2 := text(n.Value)
				if ok1 && ok2 {
					chinese[k] = v
				}
			}
			return true
		})
	}
	if len(said) < 20 {
		t.Fatalf("%s: only %d texts found", dir, len(said))
	}
	return said, chinese
}

func first(c *ast.CallExpr) (string, bool) {
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "say" && s.Sel.Name != "Say" || len(c.Args) == 0 {
		return "", false
	}
	return text(c.Args[0])
}

func text(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}
