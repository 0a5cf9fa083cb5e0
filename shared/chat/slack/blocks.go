package slack

import (
	"bytes"
	"encoding/json"
)

// What Slack takes (https://docs.slack.dev/reference/block-kit). The total is not on its pages: about 13,200 characters were measured
// by others, after which it says msg_blocks_too_long.
const (
	maxBlocks  = 50
	maxTotal   = 12000
	maxHeader  = 150
	maxSection = 3000
	maxCells   = 10
	maxCell    = 2000
	maxButtons = 8  // Slack takes 25; nobody reads them
	maxLabel   = 40 // Slack takes 75 and shows 30
	maxToken   = 128
	maxNotice  = 3000 // of the text beside the blocks: chat.update takes 4000
)

// block is one part of a message, one below the other.
type block struct {
	Type     string  `json:"type"`
	Text     *words  `json:"text,omitempty"`
	Fields   []words `json:"fields,omitempty"`
	Elements []any   `json:"elements,omitempty"`
}

// words is a text object. Of the two kinds, plain_text interprets nothing: that is where texts of others stand. In mrkdwn only what is
// ours may be unescaped.
type words struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji *bool  `json:"emoji,omitempty"`
}

// plain shows a text as it is; not even :fire: becomes an emoji.
func plain(s string) words {
	no := false
	return words{Type: "plain_text", Text: s, Emoji: &no}
}

func mrkdwn(s string) words { return words{Type: "mrkdwn", Text: s} }

func section(w words) block { return block{Type: "section", Text: &w} }

// rich is an element of a rich_text block: words that nothing is read from, or a link.
type rich struct {
	Type     string `json:"type"`
	Text     string `json:"text,omitempty"`
	URL      string `json:"url,omitempty"`
	Elements []rich `json:"elements,omitempty"`
}

type button struct {
	Type    string   `json:"type"`
	ID      string   `json:"action_id"`
	Text    words    `json:"text"`
	Value   string   `json:"value"`
	Style   string   `json:"style,omitempty"`
	Confirm *confirm `json:"confirm,omitempty"`
}

// confirm is what Slack asks before it sends a press.
type confirm struct {
	Title   words  `json:"title"`
	Text    words  `json:"text"`
	Confirm words  `json:"confirm"`
	Deny    words  `json:"deny"`
	Style   string `json:"style,omitempty"`
}

// said is the body of an answer to a slash command, or to a reply URL.
type said struct {
	Type    string  `json:"response_type"`
	Text    string  `json:"text"`
	Blocks  []block `json:"blocks,omitempty"`
	Thread  string  `json:"thread_ts,omitempty"`
	Replace *bool   `json:"replace_original,omitempty"`
}

// encode writes JSON as it is counted and sent: < and > are not spelled out.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// size is how much of maxTotal blocks take, counted on the safe side: with all names and signs of their JSON.
func size(blocks []block) int {
	b, err := encode(blocks)
	if err != nil {
		return maxTotal + 1
	}
	return width(string(b))
}
