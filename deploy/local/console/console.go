// Package console is the local command's page for people: it lists plans and drills, shows one drill as it happens, sends commands, and
// shows the sandbox's chat platforms. It holds static files alone; all it knows and does goes through the API on the same address.
package console

import (
	"embed"
	"html"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static
var files embed.FS

// policy lets the page load its own files and talk to its own address, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page at /, /drills/{id}, /chat and /chat/{platform}, and its files under /static/. mode is SANDBOX or LIVE; the page shows it on every
// view and asks before it sends anything in LIVE.
func Handler(mode string) http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic("console: static files are not embedded: " + err.Error())
	}
	index, err := fs.ReadFile(static, "index.html")
	if err != nil {
		panic("console: index.html is not embedded: " + err.Error())
	}
	page := []byte(strings.ReplaceAll(string(index), "{{MODE}}", html.EscapeString(mode)))
	show := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // the reader is gone
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", show)
	mux.HandleFunc("GET /drills/{id}", show)
	mux.HandleFunc("GET /chat", show)
	mux.HandleFunc("GET /chat/{platform}", show)
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	return guarded(mux)
}

// guarded sets the headers that every answer carries. The files change with the command, so nothing may be kept.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}
