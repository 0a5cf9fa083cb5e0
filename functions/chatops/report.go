package chatops

import (
	"errors"
	"net/http"

	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/journal"
)

// report shows a drill's report to whoever has a link with a good token. Links are given out in chat and good for a day: an old one says
// how to get a new one. Nothing is done by a GET, and the page loads nothing from elsewhere.
func (f *Function) report(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("drill")
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Referrer-Policy", "no-referrer") // the link's token stays here
	h.Set("X-Robots-Tag", "noindex")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; form-action 'none'")
	err := f.Keys.OpenLink(id, r.URL.Query().Get("t"), f.Now())
	if errors.Is(err, token.ErrExpired) {
		page(w, http.StatusGone, "This link has expired", "Links to reports are good for a day. Type <code>/drill report "+shortID(id)+"</code> in chat for a new one.")
		return
	}
	if err != nil {
		page(w, http.StatusNotFound, "There is nothing here", "A link to a report has a token at its end. Type <code>/drill report</code> and the drill's id in chat.")
		return
	}
	data, err := f.Reader.Report(r.Context(), id)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		page(w, http.StatusNotFound, "There is no report yet", "It is written when the drill is concluded. Type <code>/drill status "+shortID(id)+"</code> in chat to see where it stands.")
	case err != nil:
		f.Log.Error("report cannot be read", "drill", id, "error", err)
		page(w, http.StatusServiceUnavailable, "The report cannot be read now", "Please try again in a minute.")
	default:
		_, _ = w.Write(data) // the reader is gone: there is nobody to tell
	}
}

// page is a short page; its texts are ours.
func page(w http.ResponseWriter, status int, title, text string) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>` + title +
		`</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;color:#1f2328}</style><h1>` + title + `</h1><p>` + text + `</p></html>`))
}
