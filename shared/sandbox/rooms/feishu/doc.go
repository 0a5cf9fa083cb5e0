// Package feishu is Feishu's fake: one company, one group with our app bot and a custom bot in it, and four people, each of whom may talk
// to the bot alone too (feishu:<tenant>/oc_p2p_alice).
//
// It is written from the vendor's pages: sending, replying and editing
// (https://open.feishu.cn/document/server-docs/im-v1/message/create, …/reply, …/message-card/patch), access tokens, the custom bot
// (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot), rate limits
// (https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control), and on the other side encrypted, signed
// events and card callbacks. Most failures are HTTP 400 with a code, those of a custom bot HTTP 200 with a code.
//
// Where the pages are silent, this is what it does: a second message with the same uuid within an hour is answered with the first; editing
// somebody else's message is code 230071; a card that says nothing of update_multi cannot be edited, with code 230099; an event that
// is not answered with 200 is not sent again, because tests resend what they want from Heard.
package feishu
