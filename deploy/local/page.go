package main

import (
	"net/http"

	"github.com/firedrill/firedrill/deploy/local/console"
)

// console adds the pages that people use.
func (s *system) console(mux *http.ServeMux) {
	pages := console.Handler(s.mode)
	mux.Handle("GET /{$}", pages)
	mux.Handle("GET /drills/{id}", pages)
	mux.Handle("GET /static/", pages)
}
