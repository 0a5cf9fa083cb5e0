package grammar_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
)

func TestParse_RefusesAndSaysWhatToWrite(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a verb that is misspelt":       {"/drill strat checkout", `did you mean "start"`},
		"letters that changed places":   {"sotp k7m2", `did you mean "stop"`},
		"a verb from nowhere":           {"/drill frobnicate", "/drill help"},
		"start of nothing":              {"start", "the plan's name is missing"},
		"a bare word after start":       {"start checkout now", `"now"`},
		"a misspelt dry-run":            {"start checkout dry-rnu", "Nothing was started"},
		"dry-run with a value":          {"start checkout dry-run=true", "write dry-run alone"},
		"a flag":                        {"start checkout --force", "there are no flags"},
		"a flag with a value":           {"start checkout --seconds=60", "there are no flags"},
		"a flag with a very long dash":  {"start checkout ⸺seconds=60", "there are no flags"},
		"a question":                    {"approve? k7m2", `did you mean "approve"`},
		"a question about a drill":      {"approve k7m2?", "no id of a drill"},
		"the same in Chinese":           {"批准 k7m2吗", "no id of a drill"},
		"a word before a but":           {"ok, but wait for bob", "no such command"},
		"a quotation":                   {"> approve k7m2", "no such command"},
		"a quotation with the name":     {"> /drill approve k7m2", "no such command"},
		"a Chinese verb and an id":      {"批准k7m2", "no such command"},
		"a stop that is a sentence":     {"停止按钮坏了", "no such command"},
		"an id that is too long":        {"approve " + strings.Repeat("a2", 17), "no id of a drill"},
		"approval of all":               {"approve all", "takes one drill"},
		"a long dash for a flag":        {"start checkout —force", `"--force"`},
		"a parameter twice":             {"start checkout a=1 a=2", "stands twice"},
		"a parameter without a name":    {"start checkout =1", "no name of a parameter"},
		"a name that is too long":       {"start checkout " + strings.Repeat("a", 33) + "=1", "at most 32"},
		"a name that is shown safely":   {"start checkout \u202ea\u200bb/c=1", `"ab/c"`},
		"an open quote":                 {`start checkout note="two words`, "never closed"},
		"an open curly quote":           {"start checkout note=“two words", "never closed"},
		"too many words":                {"start checkout " + strings.Repeat("dry-run ", 40), "at most 32 words"},
		"too long":                      {"note k7m2 " + strings.Repeat("x", 2048), "longer than 2048 bytes"},
		"stop of nothing":               {"stop", "the drill's id is missing"},
		"advance of all":                {"advance all", "takes one drill"},
		"an id with strange characters": {"status-me", "no such command"},
		"an id that is a path":          {"approve ../../etc", "no id of a drill"},
		"words after a step":            {"advance k7m2 3 please", `"please"`},
		"words after list":              {"list everything", "takes no such word"},
		"release of nothing":            {"release", "a reason is missing"},
		"release without a reason":      {"release all", "a reason is missing"},
		"release of a misspelt scope":   {"release enviroment/production over", "this is no scope"},
		"halt of a misspelt scope":      {"halt enviroment/production", "this is no scope"},
		"a note without text":           {"note k7m2", "the text is missing"},
		"an answer without claim":       {"answer k7m2", "the claim"},
		"an answer without answer":      {"answer k7m2 c1", "yes or no is missing"},
		"an answer of perhaps":          {"answer k7m2 c1 perhaps", "neither yes nor no"},
		"a verdict that is misspelt":    {"conclude k7m2 unexpcted x", `did you mean "unexpected"`},
		"a verdict without summary":     {"conclude k7m2 expected", "a summary is missing"},
		"report of nothing":             {"report", "the drill's id is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := grammar.Parse(c.text)
			var e *grammar.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.want)) {
				t.Errorf("error %q does not say %q", err, c.want)
			}
			if strings.ContainsAny(err.Error(), "\u202e\u0000\n") {
				t.Errorf("error is not safe to show: %q", err)
			}
		})
	}
}

type cmd = grammar.Command

func TestParse_ReadsEveryVerb(t *testing.T) {
	for text, want := range map[string]cmd{
		"":                                  {Verb: grammar.Help},
		"/drill":                            {Verb: grammar.Help},
		"help start":                        {Verb: grammar.Help, Topic: "start"},
		"/drill list":                       {Verb: grammar.List},
		"drill LIST":                        {Verb: grammar.List},
		"plan checkout-az":                  {Verb: grammar.Plan, Plan: "checkout-az"},
		"next":                              {Verb: grammar.Next},
		"next Checkout":                     {Verb: grammar.Next, Plan: "Checkout"},
		"status":                            {Verb: grammar.Status},
		"状态 K7M2":                           {Verb: grammar.Status, Drill: "k7m2"},
		"report K7M2Q":                      {Verb: grammar.Report, Drill: "k7m2q"},
		"advance k7m2":                      {Verb: grammar.Execute, Drill: "k7m2"},
		"Advance k7m2 '2 3'":                {Verb: grammar.Execute, Drill: "k7m2", Step: "2 3"},
		"skip k7m2 13":                      {Verb: grammar.Skip, Drill: "k7m2", Step: "13"},
		"retry k7m2":                        {Verb: grammar.Retry, Drill: "k7m2"},
		"pause k7m2":                        {Verb: grammar.Pause, Drill: "k7m2"},
		"approve k7m2":                      {Verb: grammar.Approve, Drill: "k7m2"},
		"approve k7m2 note=“looks fine”":    {Verb: grammar.Approve, Drill: "k7m2", Text: "looks fine"},
		"reject k7m2 don't, not now":        {Verb: grammar.Reject, Drill: "k7m2", Text: "don't, not now"},
		"stop k7m2":                         {Verb: grammar.Stop, Drill: "k7m2"},
		"STOP ALL":                          {Verb: grammar.Stop, Drill: "all"},
		"stop all<- \"unbalanced":           {},
		"stop k7m2 it's \"bad":              {Verb: grammar.Stop, Drill: "k7m2", Text: "it's \"bad"},
		"abort k7m2 5xx":                    {Verb: grammar.Stop, Drill: "k7m2", Text: "5xx"},
		"halt":                              {Verb: grammar.Halt, Scope: "all"},
		"halt incident 42":                  {Verb: grammar.Halt, Scope: "all", Text: "incident 42"},
		"halt all it's on fire":             {Verb: grammar.Halt, Scope: "all", Text: "it's on fire"},
		"halt env/production incident":      {Verb: grammar.Halt, Scope: "environment/production", Text: "incident"},
		"halt ENVIRONMENT/staging":          {Verb: grammar.Halt, Scope: "environment/staging"},
		"release plan/cart-cpu fixed now":   {Verb: grammar.Release, Scope: "plan/cart-cpu", Text: "fixed now"},
		"note k7m2 it's fine #1; ok | $(x)": {Verb: grammar.Note, Drill: "k7m2", Text: "it's fine #1; ok | $(x)"},
		"note k7m2 “缓存未命中，重试”":                       {Verb: grammar.Note, Drill: "k7m2", Text: "缓存未命中，重试"},
		"note k7m2 \"a\" and \"b\"":                  {Verb: grammar.Note, Drill: "k7m2", Text: "\"a\" and \"b\""},
		"note k7m2 two\nlines 👨‍👩‍👧":                 {Verb: grammar.Note, Drill: "k7m2", Text: "two\nlines 👨‍👩‍👧"},
		"answer k7m2 C1 Yes":                         {Verb: grammar.Answer, Drill: "k7m2", Claim: "C1", Holds: true},
		"answer k7m2 c1 no two were lost":            {Verb: grammar.Answer, Drill: "k7m2", Claim: "c1", Text: "two were lost"},
		"answer k7m2 \"no order is lost\" 是":         {Verb: grammar.Answer, Drill: "k7m2", Claim: "no order is lost", Holds: true},
		"conclude k7m2 Expected all is well":         {Verb: grammar.Conclude, Drill: "k7m2", Verdict: "expected", Text: "all is well"},
		"start az":                                   {Verb: grammar.Start, Plan: "az"},
		"start az dry-run":                           {Verb: grammar.Start, Plan: "az", DryRun: true},
		"start az —dry-run":                          {Verb: grammar.Start, Plan: "az", DryRun: true},
		"start az DRY‑RUN":                           {Verb: grammar.Start, Plan: "az", DryRun: true},
		`start az region=eu-west-1 note="two words"`: {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"region": "eu-west-1", "note": "two words"}},
		"start az note=“two words”":                  {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"note": "two words"}},
		"start　az\u00a0x＝1":                          {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"x": "1"}},
		`start az path=C:\temp`:                      {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"path": `C:\temp`}},
		`start az note="say \"hi\" \n"`:              {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"note": `say "hi" \n`}},
		`start az note=""`:                           {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"note": ""}},
		"start az a=b=c it=it's":                     {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"a": "b=c", "it": "it's"}},
		"start a\u200bz\u2060 x=\ufeff1":             {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"x": "1"}},
		"start az x=－５":                              {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"x": "-5"}},
		"stop all\u202e":                             {Verb: grammar.Stop, Drill: "all"},
		"note k7m2 hot ⚠\ufe0f":                      {Verb: grammar.Note, Drill: "k7m2", Text: "hot ⚠\ufe0f"},
		"start az x=-5":                              {Verb: grammar.Start, Plan: "az", Parameters: map[string]string{"x": "-5"}},
		":":                                          {Verb: grammar.Help},
		": ？":                                        {Verb: grammar.Help},
		"? start":                                    {Verb: grammar.Help, Topic: "start"},
		"release 全部 好了":                              {Verb: grammar.Release, Scope: "all", Text: "好了"},
		"状态 全部":                                      {Verb: grammar.Status, Drill: "all"},
		"status k7m2?":                               {Verb: grammar.Status, Drill: "k7m2"},
	} {
		if want.Verb == "" {
			continue
		}
		t.Run(text, func(t *testing.T) {
			got, err := grammar.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestParse_AStopIsNeverTooLong(t *testing.T) {
	for _, begin := range []string{"stop all ", "halt all "} {
		c, err := grammar.Parse(begin + strings.Repeat("火", 4000))
		if err != nil || c.Text == "" || len(c.Text) > grammar.MaxText || !utf8.ValidString(c.Text) {
			t.Errorf("%s: %v, %d bytes of reason", begin, err, len(c.Text))
		}
	}
}

func TestHelpText_KnowsEveryVerbAndItsExampleParses(t *testing.T) {
	all := grammar.HelpText("", words.English)
	for _, line := range strings.Split(all, "\n") {
		verb := strings.Fields(line)[1]
		one := grammar.HelpText(verb, words.English)
		_, example, ok := strings.Cut(one, "For example: ")
		if !ok {
			t.Errorf("%s: no example: %s", verb, one)
			continue
		}
		if c, err := grammar.Parse(example); err != nil || string(c.Verb) != verb {
			t.Errorf("%s: example %q: %+v, %v", verb, example, c, err)
		}
	}
	if len(strings.Split(all, "\n")) != 22 {
		t.Errorf("help has %d lines:\n%s", len(strings.Split(all, "\n")), all)
	}
}

func TestMutates_TellsReadingFromActing(t *testing.T) {
	for text, want := range map[string]bool{"list": false, "plan x": false, "status": false, "next": false, "report k7": false, "help": false, "start x": true, "stop k7": true, "note k7 x": true, "halt": true} {
		c, err := grammar.Parse(text)
		if err != nil || c.Mutates() != want {
			t.Errorf("%s: %v, %v", text, c.Mutates(), err)
		}
	}
}

func TestNear_IsNotTooEager(t *testing.T) {
	for _, c := range []struct{ typed, want string }{{"checkuot-az", "checkout-az"}, {"CHECKOUT-AZ", "checkout-az"}, {"zzz", ""}, {"", ""}, {strings.Repeat("x", 500), ""}} {
		if got := grammar.Near(c.typed, []string{"cart-cpu", "checkout-az"}); got != c.want {
			t.Errorf("%q: got %q, want %q", c.typed, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "/drill start az x＝1 note=“a b”", "stop all\u202e", `start a "b\"`, "halt env/x why", "conclude k expected \xff", "answer a b 是 x", "note k '"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := grammar.Parse(s)
		var e *grammar.Error
		switch {
		case err != nil && (!errors.As(err, &e) || !utf8.ValidString(err.Error()) || strings.ContainsAny(err.Error(), "\u202e\u0000")):
			t.Fatalf("error %q", err)
		case err == nil && (c.Verb == "" || !utf8.ValidString(c.Text+c.Plan+c.Drill+c.Step+c.Scope+c.Claim)):
			t.Fatalf("command %+v", c)
		case err == nil && strings.ContainsAny(c.Text, "\u202e\u0000"):
			t.Fatalf("text %q", c.Text)
		}
	})
}

func TestParseIn_AThreadStandsForItsDrill(t *testing.T) {
	in := thread()
	for text, want := range map[string]grammar.Command{
		"stop":                          {Verb: grammar.Stop, Drill: "abcdefghijkl2"},
		"停止":                            {Verb: grammar.Stop, Drill: "abcdefghijkl2"},
		"stop checkout is slow":         {Verb: grammar.Stop, Drill: "abcdefghijkl2", Text: "checkout is slow"},
		"stop all":                      {Verb: grammar.Stop, Drill: "all"},
		"stop ALL now":                  {Verb: grammar.Stop, Drill: "all", Text: "now"},
		"stop k7m2x3ab":                 {Verb: grammar.Stop, Drill: "k7m2x3ab"},
		"advance":                       {Verb: grammar.Execute, Drill: "abcdefghijkl2"},
		"advance 2":                     {Verb: grammar.Execute, Drill: "abcdefghijkl2", Step: "2"},
		"advance abcd 2":                {Verb: grammar.Execute, Drill: "abcd", Step: "2"},
		"approve":                       {Verb: grammar.Approve, Drill: "abcdefghijkl2"},
		"approve looks good":            {Verb: grammar.Approve, Drill: "abcdefghijkl2", Text: "looks good"},
		"note cache was cold":           {Verb: grammar.Note, Drill: "abcdefghijkl2", Text: "cache was cold"},
		"answer c1 yes":                 {Verb: grammar.Answer, Drill: "abcdefghijkl2", Claim: "c1", Holds: true},
		"conclude expected all is well": {Verb: grammar.Conclude, Drill: "abcdefghijkl2", Verdict: "expected", Text: "all is well"},
		"status":                        {Verb: grammar.Status, Drill: "abcdefghijkl2"},
		"status all":                    {Verb: grammar.Status, Drill: "all"},
		"report":                        {Verb: grammar.Report, Drill: "abcdefghijkl2"},
		"list":                          {Verb: grammar.List},
	} {
		got, err := grammar.ParseIn(text, in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"advance all", "note", `advance "2`, "conclude k7m2x3ab", "report all", "skip 全部"} {
		if got, err := grammar.ParseIn(text, in); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
	if got, err := grammar.ParseIn("status", grammar.Context{}); err != nil || got.Drill != "" {
		t.Errorf("status nowhere: %+v, %v", got, err)
	}
}

// thread is a conversation about one drill, with two others that are active.
func thread() grammar.Context {
	return grammar.Context{Drill: "abcdefghijkl2", Names: func(_ grammar.Verb, w string) (bool, error) { return w == "k7m2x3ab" || w == "abcd", nil }}
}

func TestParse_MarksAroundWordsMeanNothing(t *testing.T) {
	for text, want := range map[string]cmd{
		"stop！":                     {Verb: grammar.Stop, Drill: "abcdefghijkl2"},
		"stop?":                     {Verb: grammar.Stop, Drill: "abcdefghijkl2"},
		"停止。":                       {Verb: grammar.Stop, Drill: "abcdefghijkl2"},
		"“stop all”":                {Verb: grammar.Stop, Drill: "all"},
		"“/drill stop all”":         {Verb: grammar.Stop, Drill: "all"},
		"\"stop all":                {Verb: grammar.Stop, Drill: "all"},
		"*stop all*":                {Verb: grammar.Stop, Drill: "all"},
		"_stop all_":                {Verb: grammar.Stop, Drill: "all"},
		"`stop all`":                {Verb: grammar.Stop, Drill: "all"},
		"/stop all":                 {Verb: grammar.Stop, Drill: "all"},
		": stop all":                {Verb: grammar.Stop, Drill: "all"},
		"，停止 abcd":                  {Verb: grammar.Stop, Drill: "abcd"},
		"：停止 abcd":                  {Verb: grammar.Stop, Drill: "abcd"},
		"stop all!":                 {Verb: grammar.Stop, Drill: "all"},
		"stop all🔥":                 {Verb: grammar.Stop, Drill: "all"},
		"stop a\u034fll\ufe0f":      {Verb: grammar.Stop, Drill: "all"},
		"stop: all, now":            {Verb: grammar.Stop, Drill: "all", Text: "now"},
		"停止 全部":                     {Verb: grammar.Stop, Drill: "all"},
		"stop 全部":                   {Verb: grammar.Stop, Drill: "all"},
		"停止 所有":                     {Verb: grammar.Stop, Drill: "all"},
		"停止：全部演练！ 着火了":              {Verb: grammar.Stop, Drill: "all", Text: "着火了"},
		"停止所有演练":                    {Verb: grammar.Stop, Drill: "all"},
		"停止abcd":                    {Verb: grammar.Stop, Drill: "abcd"},
		"停止演练 abcd 太慢":              {Verb: grammar.Stop, Drill: "abcd", Text: "太慢"},
		"停止 abcd，太慢":                {Verb: grammar.Stop, Drill: "abcd", Text: "太慢"},
		"停止 abcd太慢":                 {Verb: grammar.Stop, Drill: "abcd", Text: "太慢"},
		"stop drill abcd":           {Verb: grammar.Stop, Drill: "abcd"},
		"stop abcd, slow":           {Verb: grammar.Stop, Drill: "abcd", Text: "slow"},
		"stop abcd.":                {Verb: grammar.Stop, Drill: "abcd"},
		"stop (ABCD) slow":          {Verb: grammar.Stop, Drill: "abcd", Text: "slow"},
		"stop ＡＢＣＤ——slow":           {Verb: grammar.Stop, Drill: "abcd", Text: "slow"},
		"halt！":                     {Verb: grammar.Halt, Scope: "all"},
		"急停全部 着火":                   {Verb: grammar.Halt, Scope: "all", Text: "着火"},
		"halt env/production, fire": {Verb: grammar.Halt, Scope: "environment/production", Text: "fire"},
		"halt plan/a_b.c。":          {Verb: grammar.Halt, Scope: "plan/a_b.c"},
		"approve abcd, looks fine":  {Verb: grammar.Approve, Drill: "abcd", Text: "looks fine"},
		"approve `abcd`":            {Verb: grammar.Approve, Drill: "abcd"},
		"approve #abcd":             {Verb: grammar.Approve, Drill: "abcd"},
		"approve <abcd>":            {Verb: grammar.Approve, Drill: "abcd"},
		"approve “abcd” (ok)":       {Verb: grammar.Approve, Drill: "abcd", Text: "(ok)"},
		"approve drill abcd":        {Verb: grammar.Approve, Drill: "abcd"},
		"批准：abcd，没问题":               {Verb: grammar.Approve, Drill: "abcd", Text: "没问题"},
		"/approve abcd":             {Verb: grammar.Approve, Drill: "abcd"},
	} {
		in := grammar.Context{}
		if want.Drill == thread().Drill {
			in = thread()
		}
		for _, in := range []grammar.Context{in, thread()} {
			if got, err := grammar.ParseIn(text, in); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q in %q: got %+v, %v", text, in.Drill, got, err)
			}
		}
	}
	for text, want := range map[string]cmd{ // what is no id of a drill keeps its marks, for it is the text
		"stop 5xxs rising":             {Verb: grammar.Stop, Drill: "abcdefghijkl2", Text: "5xxs rising"},
		"stop (http2 errors) at once":  {Verb: grammar.Stop, Drill: "abcdefghijkl2", Text: "(http2 errors) at once"},
		"note 'twas fine, drill or no": {Verb: grammar.Note, Drill: "abcdefghijkl2", Text: "'twas fine, drill or no"},
		"note drill was fine":          {Verb: grammar.Note, Drill: "abcdefghijkl2", Text: "drill was fine"},
		"备注：缓存未命中":                     {Verb: grammar.Note, Drill: "abcdefghijkl2", Text: "缓存未命中"},
	} {
		if got, err := grammar.ParseIn(text, thread()); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func TestParseIn_AnErrorOfNamesIsReturnedWithTheVerb(t *testing.T) {
	down := errors.New("down")
	in := grammar.Context{Drill: "abcdefghijkl2", Names: func(grammar.Verb, string) (bool, error) { return false, down }}
	if c, err := grammar.ParseIn("approve looks good", in); !errors.Is(err, down) || c.Verb != grammar.Approve {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestHelpText_OfAMisspeltVerbSaysWhichIsMeant(t *testing.T) {
	if got := grammar.HelpText("strat", words.English); !strings.Contains(got, `Did you mean "start"`) || !strings.Contains(got, "/drill stop ID|all") {
		t.Error(got)
	}
	if got := grammar.HelpText("strat", words.Chinese); !strings.Contains(got, `是否想写 "start"`) {
		t.Error(got)
	}
	if got := grammar.HelpText("", words.English); strings.Contains(got, "no such command") {
		t.Error(got)
	}
}
