// Package dingtalk is the chat platform DingTalk: a robot of an organisation's own app that takes words in groups and in one-to-one
// chats, interactive cards, and custom robots of single groups, which only post.
//
// DingTalk signs a time and nothing else: neither the robot's messages nor the callbacks of cards have a signature that covers who said
// what (https://open.dingtalk.com/document/orgapp/receive-message,
// https://open.dingtalk.com/document/development/event-callback-card). Whoever gets hold of one pair of time and signature could say
// anything in anybody's name for as long as it is good. So the window is five minutes instead of the vendor's hour, a signature is
// good for one body, and what a press may do is proven by the token that the button carries and not by the request. Words from here
// should have a ceiling below approvals; see docs/chat/dingtalk.md.
package dingtalk
