// Package wecom is WeCom's room: one company, one app, four members who talk to it one to one, and a group with a robot in it.
//
// It is written from the vendor's pages on https://developer.work.weixin.qq.com: callbacks and their encryption (path/90930), messages and
// events (path/90239, path/90240), passive replies (path/90241), message/send (path/90236), update_template_card (path/94888), webhook/send
// (path/99110), limits (path/90312) and error codes (path/90313). Where a page gives no error code, the room answers 40058, invalid parameter.
package wecom
