// Package report tells what happened in one drill: Build folds a drill's journal into a Report, HTML writes it as one
// self-contained page with an SVG timeline, JSON as a record for programs.
//
// A report says only what the journal holds. A step that is not known to have ended is drawn with an open end; a drill is
// called stopped only where its state says that the service confirmed it.
//
// The page loads nothing from outside and runs no script. It is rendered with templ, never with html/template or
// text/template: those switch off the linker's dead-code removal in every handler binary.
//
//go:generate go tool templ generate -path .
package report
