package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/drill"
)

// maxFiles bounds what include may bring in.
const maxFiles = 1000

// Load reads the catalogue at the path and the files that it includes, all of which lie in its folder or below. The
// error is of type Problems if the catalogue is wrong.
func Load(path string) (*Catalog, error) { return whole(LoadPartial(path)) }

// Parse reads the catalogue from a file system, for embedded files and tests. Errors are those of Load.
func Parse(fsys fs.FS, name string) (*Catalog, error) { return whole(ParsePartial(fsys, name)) }

func whole(c *Catalog, err error) (*Catalog, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

// LoadPartial is Load, and besides the mistakes returns a catalogue of the plans that have none. A mistake outside of
// drills, accounts, channels and alarms may concern every plan (a freeze, a default, a file that cannot be read): then
// none is offered. The catalogue is nil only if the file cannot be opened.
func LoadPartial(path string) (*Catalog, error) {
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	defer root.Close()
	shown := func(name string) string { return filepath.Join(filepath.Dir(path), filepath.FromSlash(name)) }
	return read(root.FS(), filepath.Base(file), shown)
}

// ParsePartial is to Parse what LoadPartial is to Load.
func ParsePartial(fsys fs.FS, name string) (*Catalog, error) {
	return read(fsys, name, func(name string) string { return name })
}

// loader gathers the sections of all files, and then resolves them.
type loader struct {
	fsys   fs.FS
	shown  func(name string) string
	loaded map[string]bool
	files  []string // as shown, in the order of reading
	sum    []byte

	problems []Problem
	broken   bool // a mistake that may concern every plan
	sections map[string][]value
	defaults defaults
	accounts map[string]drill.Account
	channels map[string]drill.Channel
	alarms   map[string]drill.Alarm
	wrong    map[string]bool // "accounts.x": there, but with a mistake
	mentions []value         // names of plans outside of drills
	planned  map[string]map[string]any
	readable map[string]drill.Plan
	asks     map[string]value // where each plan says that it must be approved
	hints    []Problem
}

func read(fsys fs.FS, name string, shown func(string) string) (*Catalog, error) {
	l := &loader{fsys: fsys, shown: shown, loaded: map[string]bool{}, sections: map[string][]value{}, wrong: map[string]bool{},
		planned: map[string]map[string]any{}, readable: map[string]drill.Plan{}, asks: map[string]value{}}
	content, err := l.bytes(name)
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	l.file(name, content, nil)
	c := l.catalog()
	if len(l.problems) > 0 {
		return c, sorted(l.problems, l.files)
	}
	return c, nil
}

// bytes reads a file up to one byte more than is allowed.
func (l *loader) bytes(name string) ([]byte, error) {
	f, err := l.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}

// file takes the sections of one file and of those that it includes. stack holds the files that led here.
func (l *loader) file(name string, content []byte, stack []string) {
	l.loaded[name] = true
	src := &source{file: l.shown(name), problems: &l.problems}
	l.files = append(l.files, src.file)
	hash := sha256.Sum256(content)
	l.sum = append(append(append(l.sum, name...), 0), hash[:]...)
	top, ok := src.parse(content)
	if !ok || top.node.Kind != yaml.MappingNode {
		if ok {
			top.wrong("begin with version: 1 and drills:", "%s where a mapping is wanted", top.shown())
		}
		l.broken = true
		return
	}
	before := len(l.problems)
	fields := top.fields(kindCatalogue)
	l.version(top, fields, len(stack) == 0)
	l.broken = l.broken || len(l.problems) > before
	for field, v := range fields {
		l.sections[field] = append(l.sections[field], v)
	}
	if include, ok := fields["include"]; ok {
		before = len(l.problems)
		for _, item := range include.items() {
			l.include(item, name, append(slices.Clone(stack), name))
		}
		l.broken = l.broken || len(l.problems) > before
	}
}

func (l *loader) version(top value, fields map[string]value, root bool) {
	v, ok := fields["version"]
	if !ok {
		if root {
			top.wrong("write version: 1", "version is missing")
		}
		return
	}
	if v.node.Value != "1" || v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!int" {
		v.wrong("write version: 1", "%s is not a version that this Firedrill knows", v.shown())
	}
}

// include reads the files that one pattern names.
func (l *loader) include(item value, from string, stack []string) {
	pattern, ok := item.lineUpTo(maxNote)
	if !ok {
		return
	}
	full := path.Join(path.Dir(from), pattern)
	if path.IsAbs(pattern) || strings.ContainsAny(pattern, `\`) || slices.Contains(strings.Split(pattern, "/"), "..") || !fs.ValidPath(full) {
		item.wrong("write a path below this file's folder, with /", "%s leads out of the catalogue's folder", item.shown())
		return
	}
	names, err := fs.Glob(l.fsys, full)
	if err != nil {
		item.wrong("write a pattern such as teams/*.yaml", "%s is not a pattern", item.shown())
		return
	}
	if len(names) == 0 {
		item.wrong("create it, or remove the line", "no file matches %s", item.shown())
	}
	globbed := strings.ContainsAny(pattern, "*?[")
	for _, name := range names {
		if globbed && name == from {
			continue // a pattern that matches its own file means the others
		}
		l.included(item, name, stack)
	}
}

func (l *loader) included(item value, name string, stack []string) {
	if slices.Contains(stack, name) {
		item.wrong("remove the line", "include goes in a circle: %s", strings.Join(append(stack, name), " -> "))
		return
	}
	if l.loaded[name] {
		return
	}
	if len(l.loaded) >= maxFiles {
		item.wrong("put several drills into one file", "more than %d files", maxFiles)
		return
	}
	content, err := l.bytes(name)
	if err != nil {
		var bad *fs.PathError
		if errors.As(err, &bad) {
			err = bad.Err
		}
		item.wrong("make it a file that can be read", "%s: %s", name, err)
		return
	}
	l.file(name, content, stack)
}

// catalog resolves what the files hold.
func (l *loader) catalog() *Catalog {
	before := len(l.problems)
	l.readDefaults()
	c := &Catalog{files: l.files, later: map[string]any{}}
	c.freezes = list(l, "freezes", l.freeze)
	c.holidays = list(l, "holidays", l.holiday)
	c.access = l.policy()
	for _, field := range laterKeys() {
		c.later[field] = l.kept(field)
	}
	l.broken = l.broken || len(l.problems) > before
	l.accounts = named(l, "accounts", l.account)
	l.channels = named(l, "channels", l.channel)
	l.alarms = named(l, "alarms", l.alarm)
	c.accounts, c.channels = l.accounts, l.channels
	c.plans = named(l, "drills", l.plan)
	c.planned, c.readable = l.planned, l.readable
	before = len(l.problems)
	l.checkMentions(c.plans)
	if l.broken || len(l.problems) > before {
		c.plans = map[string]drill.Plan{}
	}
	l.checkApprovers(c)
	c.hints = sorted(l.hints, l.files)
	sum := sha256.Sum256(l.sum)
	c.version = hex.EncodeToString(sum[:])
	return c
}

// checkMentions looks for names of plans that are none.
func (l *loader) checkMentions(plans map[string]drill.Plan) {
	var names []string
	for name := range plans {
		names = append(names, name)
	}
	for _, v := range l.mentions {
		if _, ok := plans[v.node.Value]; ok || l.wrong["drills."+v.node.Value] || v.node.Kind != yaml.ScalarNode {
			continue
		}
		v.wrong(instead(v.node.Value, names), "no drill is called %s", v.shown())
	}
}
