// Package chatops takes commands from chat over HTTP: it verifies who sent the request, reads the command, and puts it on the bus as
// an event. It answers at once; what comes of the command is told by notify.
//
// In: HTTP. Out: command.*.
//
// A stop, a halt and an approval are appended to the journal before they are published, so that a slow bus delays none of
// them. Ids of commands are derived from the request's own id: the same request, sent again, is the same command.
package chatops
