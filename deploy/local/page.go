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
	mux.Handle("GET /chat", pages)
	mux.HandleFunc("GET /chat/{platform}", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" { // a platform's handshake, which stands in the query; the page has none
			s.talk.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
