// Package feishu is the chat platform Feishu, and Lark outside of China: an app bot that takes commands and presses and posts cards,
// and custom group bots, which only post.
//
// Inbound is the vendor's webhook mode with an encrypt key, which is required: without one Feishu signs nothing. A request carries
// X-Lark-Request-Timestamp (seconds), X-Lark-Request-Nonce and X-Lark-Signature, the hex SHA-256 of
// timestamp+nonce+key+body; the body is {"encrypt": …}, AES-256-CBC under SHA-256 of the key
// (https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case).
// Only the handshake url_verification is not signed; it is answered with its challenge and nothing else.
//
// Outbound are cards of the JSON 1.0 structure, in which what others wrote stands in plain_text alone, which Feishu does not
// interpret. Limits: 5 messages a second for each chat, shared by all bots in it; 5 edits a second for each message, for 14 days; 30 KB a
// card, 20 KB a message of a custom bot (https://open.feishu.cn/document/server-docs/im-v1/message/create).
//
// Addresses are feishu:<tenant_key>/<chat_id> and, for a custom bot, feishu:<tenant_key>/hook:<name>.
package feishu
