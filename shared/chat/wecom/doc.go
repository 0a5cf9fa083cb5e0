// Package wecom is the chat platform WeCom (企业微信): an app that the company makes itself (自建应用), which people talk to one to one, and
// group robots, which only post.
//
// Inbound: WeCom encrypts what people say and press (AES-256-CBC, a key of ours) and signs the ciphertext (SHA-1 over our token, the time,
// a nonce and the ciphertext). See https://developer.work.weixin.qq.com/document/path/90930 and, for the messages,
// /path/90239 to /path/90241. The answer stands in the acknowledgement, encrypted the same way.
//
// Outbound: message/send with an access token (/path/90236), and webhook/send of a robot (/path/99110). All limits are in bytes of
// UTF-8 unless said otherwise. There are no threads, and a card changes only while somebody presses a button of it.
package wecom
