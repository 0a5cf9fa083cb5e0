package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/firedrill/firedrill/events"
)

// errNoEvent means that a request carries no CloudEvent, in no mode that is known here.
var errNoEvent = errors.New("this is no CloudEvent: send Content-Type application/cloudevents+json, or ce- headers")

const (
	maxAttributes = 32
	ceHeader      = "Ce-" // as http.Header writes it
)

// decode reads one CloudEvent 1.0 in structured or binary mode. Errors other than errNoEvent wrap events.ErrInvalid.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
func decode(h http.Header, body []byte) (events.Event, error) {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	switch {
	case media == "application/cloudevents+json":
		if c := params["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
			return events.Event{}, fmt.Errorf("%w: its charset is not UTF-8", events.ErrInvalid)
		}
		return events.Parse(body)
	case h.Get("Ce-Specversion") == "":
		return events.Event{}, errNoEvent
	case media != "application/json":
		return events.Event{}, fmt.Errorf("%w: the data of a binary event must be application/json", events.ErrInvalid)
	}
	return binary(h, body)
}

// binary puts the headers' attributes around the body, so that one parser reads both modes.
func binary(h http.Header, body []byte) (events.Event, error) {
	if len(body) == 0 || !json.Valid(body) {
		return events.Event{}, fmt.Errorf("%w: the body is not valid json", events.ErrInvalid)
	}
	put := map[string]any{"datacontenttype": "application/json", "data": json.RawMessage(body)}
	for name, values := range h {
		attribute, ok := strings.CutPrefix(name, ceHeader)
		if !ok {
			continue
		}
		attribute = strings.ToLower(attribute)
		text, err := url.PathUnescape(values[0])
		switch {
		case len(values) != 1:
			return events.Event{}, fmt.Errorf("%w: attribute %q stands %d times", events.ErrInvalid, attribute, len(values))
		case err != nil || !utf8.ValidString(text):
			return events.Event{}, fmt.Errorf("%w: attribute %q is not encoded as HTTP headers must be", events.ErrInvalid, attribute)
		case attribute == "data" || attribute == "data_base64" || attribute == "datacontenttype":
			return events.Event{}, fmt.Errorf("%w: %q is no attribute of a header", events.ErrInvalid, attribute)
		}
		put[attribute] = text
		if len(put) > maxAttributes {
			return events.Event{}, fmt.Errorf("%w: more than %d attributes", events.ErrInvalid, maxAttributes)
		}
	}
	b, err := json.Marshal(put)
	if err != nil {
		return events.Event{}, fmt.Errorf("%w: it cannot be read as one document", events.ErrInvalid)
	}
	return events.Parse(b)
}
