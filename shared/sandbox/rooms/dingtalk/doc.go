// Package dingtalk is the sandbox's DingTalk: one organisation with a group, four people, an app with a robot, and a custom robot of
// another group. It is written from the vendor's pages (https://open.dingtalk.com/document) and not from our adapter.
//
// New is what an organisation has at once: the robot posts action cards, whose buttons are links that make whoever taps them send a
// text. NewCards is one with a published template of interactive cards, whose buttons call back and which can be changed.
package dingtalk
