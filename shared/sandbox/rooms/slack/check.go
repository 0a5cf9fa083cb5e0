package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Sizes from https://docs.slack.dev/reference/block-kit, in characters.
const (
	maxBlocks  = 50
	maxTotal   = 13200
	maxHeader  = 150
	maxSection = 3000
	maxFields  = 10
	maxField   = 2000
	maxContext = 10
	maxActions = 25
	maxLabel   = 75
	maxID      = 255
	maxValue   = 2000
	maxURL     = 3000
)

type block struct {
	Type     string    `json:"type"`
	ID       string    `json:"block_id"`
	Text     *words    `json:"text"`
	Fields   []words   `json:"fields"`
	Elements []element `json:"elements"`
}

// words is a text object; in a rich text it is the text alone.
type words struct{ Type, Text string }

// UnmarshalJSON takes either.
func (w *words) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &w.Text) == nil {
		return nil
	}
	var o struct{ Type, Text string }
	err := json.Unmarshal(raw, &o)
	*w = words{Type: o.Type, Text: o.Text}
	return err
}

type element struct {
	Type     string    `json:"type"`
	ID       string    `json:"action_id"`
	Text     *words    `json:"text"`
	Value    string    `json:"value"`
	Style    any       `json:"style"`
	URL      string    `json:"url"`
	User     string    `json:"user_id"`
	Group    string    `json:"usergroup_id"`
	Range    string    `json:"range"`
	Name     string    `json:"name"`
	Elements []element `json:"elements"`
	Confirm  *struct {
		Title, Text, Confirm, Deny *words
	} `json:"confirm"`
}

// checked reads blocks as Slack does, and gives ids to those that have none.
func (r *Room) checked(raw json.RawMessage) ([]block, []map[string]any, any) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil, nil
	}
	var blocks []block
	var kept []map[string]any
	if json.Unmarshal(raw, &kept) != nil || json.Unmarshal(raw, &blocks) != nil {
		return nil, nil, refusal("invalid_blocks_format")
	}
	v := &verifier{ids: map[string]bool{}}
	if len(blocks) > maxBlocks {
		v.wrong("no more than 50 items allowed")
	}
	for i := range blocks {
		v.at = fmt.Sprintf("/blocks/%d", i)
		v.block(blocks[i])
		if blocks[i].ID == "" {
			blocks[i].ID = fmt.Sprintf("b%d", r.next())
			kept[i]["block_id"] = blocks[i].ID
		}
	}
	switch {
	case len(v.problems) > 0:
		return nil, nil, result{"ok": false, "error": "invalid_blocks", "errors": v.problems, "response_metadata": map[string]any{"messages": v.problems}}
	case utf8.RuneCount(raw) > maxTotal:
		return nil, nil, refusal("msg_blocks_too_long")
	}
	return blocks, kept, nil
}

// verifier gathers what is wrong with blocks.
type verifier struct {
	at       string
	ids      map[string]bool
	problems []string
}

func (v *verifier) wrong(why string) {
	v.problems = append(v.problems, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", why, v.at))
}

func (v *verifier) block(b block) {
	switch b.Type {
	case "header":
		v.text(b.Text, maxHeader, "plain_text")
	case "section":
		if b.Text == nil && len(b.Fields) == 0 {
			v.wrong("missing required field: text or fields")
		}
		if b.Text != nil {
			v.text(b.Text, maxSection, "plain_text", "mrkdwn")
		}
		v.count(len(b.Fields), 0, maxFields)
		for i := range b.Fields {
			v.text(&b.Fields[i], maxField, "plain_text", "mrkdwn")
		}
	case "context":
		v.count(len(b.Elements), 1, maxContext)
		for _, e := range b.Elements {
			v.text(&words{Type: e.Type, Text: e.plain()}, maxSection, "plain_text", "mrkdwn")
		}
	case "actions":
		v.count(len(b.Elements), 1, maxActions)
		for _, e := range b.Elements {
			v.button(e)
		}
	case "rich_text":
		v.count(len(b.Elements), 1, maxBlocks)
		for _, e := range b.Elements {
			v.rich(e)
		}
	case "divider":
	default:
		v.wrong("unsupported type: " + b.Type)
	}
}

func (v *verifier) text(w *words, most int, kinds ...string) {
	if w == nil || w.Text == "" {
		v.wrong("must be more than 0 characters")
		return
	}
	if n := utf8.RuneCountInString(w.Text); n > most {
		v.wrong(fmt.Sprintf("must be less than %d characters", most+1))
	}
	for _, kind := range kinds {
		if w.Type == kind {
			return
		}
	}
	v.wrong("unsupported type of text: " + w.Type)
}

func (v *verifier) count(n, least, most int) {
	if n < least || n > most {
		v.wrong(fmt.Sprintf("must provide %d to %d items, not %d", least, most, n))
	}
}

func (v *verifier) button(e element) {
	if e.Type != "button" {
		v.wrong("unsupported element: " + e.Type)
		return
	}
	v.text(e.Text, maxLabel, "plain_text")
	if v.ids[e.ID] && e.ID != "" {
		v.wrong("`action_id` " + e.ID + " already exists")
	}
	v.ids[e.ID] = true
	if len(e.ID) > maxID || utf8.RuneCountInString(e.Value) > maxValue || len(e.URL) > maxURL {
		v.wrong("must be less than the maximum of characters")
	}
	if s, ok := e.Style.(string); e.Style != nil && (!ok || s != "primary" && s != "danger") {
		v.wrong("failed to match allowed values: primary, danger")
	}
	if c := e.Confirm; c != nil {
		v.text(c.Title, 100, "plain_text")
		v.text(c.Text, 300, "plain_text", "mrkdwn")
		v.text(c.Confirm, 30, "plain_text")
		v.text(c.Deny, 30, "plain_text")
	}
}

func (v *verifier) rich(e element) {
	if !strings.HasPrefix(e.Type, "rich_text_") {
		v.wrong("unsupported element: " + e.Type)
	}
	for _, in := range e.Elements {
		switch {
		case in.Type == "rich_text_section":
			v.rich(in)
		case in.Type == "text" && in.plain() == "":
			v.wrong("must be more than 0 characters")
		case in.Type == "link" && in.URL == "":
			v.wrong("missing required field: url")
		}
	}
}

// plain returns an element's text.
func (e element) plain() string {
	if e.Text == nil {
		return ""
	}
	return e.Text.Text
}
