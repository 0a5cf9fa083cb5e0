// Package chat is the portable side of outgoing messages: what a message is, where it goes, and what a platform must be
// able to do. A platform is a Sender in a folder of its own: local and webhook here, others beside them.
//
// Texts are made by package messages, the commands that people type are read by package grammar.
package chat
