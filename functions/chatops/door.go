package chatops

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	// maxBody is the most bytes that a request may have.
	maxBody = 256 << 10
	// patience is how long a command may take: platforms want their acknowledgement within 3 s, cold start included.
	patience = 2200 * time.Millisecond
)

// door is where requests come in.
type door struct {
	f    *Function
	seen *seen
	wall func() time.Time
}

// Reply is what came of a command.
type Reply struct {
	Text   string
	Failed bool     // nothing was done
	Events []string // ids of the commands that were published
	Drill  string   // the drill that the command is about, where it is known
	Done   string   // what became of a button that was pressed, in a few words
}

func (d *door) serve(w http.ResponseWriter, r *http.Request) {
	platform := chat.Platform(r.PathValue("platform"))
	receiver := d.f.Receivers[platform]
	if receiver == nil {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		http.Error(w, "the request is too large", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "the request could not be read", http.StatusBadRequest)
		return
	}
	in, err := receiver.Receive(chat.Request{Method: r.Method, Header: r.Header, Query: r.URL.Query(), Body: body, Now: d.wall()})
	switch {
	case errors.Is(err, chat.ErrAuth):
		d.f.Log.Warn("request refused", "platform", string(platform), "reason", "signature, timestamp, tenant or headers")
		unauthorised(w)
	case err != nil:
		d.f.Log.Warn("request refused", "platform", string(platform), "error", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
	case in.Response != nil:
		write(w, *in.Response)
	default:
		d.verified(w, r, in, body)
	}
}

// verified answers a request that comes from where it says. One that was answered before gets the same answer and does nothing.
func (d *door) verified(w http.ResponseWriter, r *http.Request, in chat.Incoming, body []byte) {
	key := seenKey(string(in.From.Platform)+" "+in.ID, body)
	if reply, ok := d.seen.get(key, d.wall()); ok {
		write(w, in.Answer(answerOf(reply)))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	reply, err := d.f.take(ctx, in)
	if err != nil {
		d.f.Log.Error("command not taken", "error", err)
		response := in.Answer(chat.Answer{Text: reply.Text, Failed: true})
		if !in.Says || in.From.Platform == chat.Webhook {
			response.Status = http.StatusServiceUnavailable // it is sent again, or its sender sees that it must be
		}
		write(w, response)
		return
	}
	if len(reply.Events) > 0 {
		d.seen.put(key, reply, d.wall())
	}
	write(w, in.Answer(answerOf(reply)))
}

func answerOf(r Reply) chat.Answer {
	return chat.Answer{Text: r.Text, Failed: r.Failed, Drill: r.Drill, Events: r.Events, Done: r.Done}
}

// unauthorised is the one answer to everything that is not trusted: it does not help anybody to find out why.
func unauthorised(w http.ResponseWriter) {
	write(w, chat.Response{Status: http.StatusUnauthorized, Type: "application/json; charset=utf-8", Body: []byte("{\"text\":\"not authorised\"}\n")})
}

func write(w http.ResponseWriter, r chat.Response) {
	if r.Type != "" {
		w.Header().Set("Content-Type", r.Type)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Status == 0 {
		r.Status = http.StatusOK
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // the sender is gone: there is nobody to tell
}
