package wecom

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	maxText = 2048 // bytes of a text, in a reply and in message/send
	maxDone = 96   // bytes of what stands in a button's place; the vendor names no limit, and ten characters fit on a line
)

// text answers in the acknowledgement (https://developer.work.weixin.qq.com/document/path/90241). One that is too long is cut and says so.
func (c call) text(user, s string) chat.Response {
	s = escape(strings.TrimSpace(s))
	if s == "" {
		return chat.Response{}
	}
	return c.reply(user, "text", "<Content>"+cdata(cutText(s))+"</Content>")
}

// button writes what became of a press where the card's buttons were. Only the person who pressed sees it: the cards of others stay.
func (c call) button(user, done string) chat.Response {
	if done = cut(escape(chat.Line(done, maxDone)), maxDone); done == "" {
		return chat.Response{}
	}
	return c.reply(user, "update_button", "<Button><ReplaceName>"+cdata(done)+"</ReplaceName></Button>")
}

// reply encrypts and signs with the keys that the request came with: during a change of keys those are the ones that WeCom knows.
func (c call) reply(user, kind, body string) chat.Response {
	now := strconv.FormatInt(c.now.Unix(), 10)
	plain := fmt.Sprintf("<xml><ToUserName>%s</ToUserName><FromUserName>%s</FromUserName><CreateTime>%s</CreateTime><MsgType>%s</MsgType>%s</xml>",
		cdata(user), cdata(c.corp), now, cdata(kind), body)
	text := c.key.seal([]byte(plain), c.corp, now, c.nonce)
	sum := signature(c.token.text, now, c.nonce, text)
	return chat.Response{Type: "application/xml; charset=utf-8", Body: fmt.Appendf(nil,
		"<xml><Encrypt>%s</Encrypt><MsgSignature>%s</MsgSignature><TimeStamp>%s</TimeStamp><Nonce>%s</Nonce></xml>",
		cdata(text), cdata(hex.EncodeToString(sum[:])), now, cdata(c.nonce))}
}

// cdata quotes a text for XML. Its end mark is broken up, and what XML cannot hold is left out.
func cdata(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, s)
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]] >") + "]]>"
}
