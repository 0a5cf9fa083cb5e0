package rpc

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// Error is an error as the vendor answers it.
type Error struct {
	Status        int
	Code, Message string
}

// Error returns code and message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Refuse makes an error.
func Refuse(status int, code, message string) *Error { return &Error{status, code, message} }

// Missing is the answer to a request that lacks a parameter.
func Missing(name string) *Error {
	return Refuse(http.StatusBadRequest, "Missing"+name, "The input parameter \""+name+"\" that is mandatory for processing this request is not supplied.")
}

// MissingParameter is the answer of products that name the missing parameter after a dot.
func MissingParameter(name string) *Error {
	return Refuse(http.StatusBadRequest, "MissingParameter."+name, "The input parameter \""+name+"\" that is mandatory for processing this request is not supplied.")
}

// InvalidVersion is the answer to a version that the product does not have.
func InvalidVersion() *Error {
	return Refuse(http.StatusBadRequest, "InvalidVersion", "Specified parameter Version is not valid.")
}

// NoSuchAction is the answer to an action that the product does not have.
func NoSuchAction() *Error {
	return Refuse(http.StatusBadRequest, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
}

// Throttled is the answer to too many calls.
func Throttled() *Error {
	return Refuse(http.StatusBadRequest, "Throttling.User", "Request was denied due to user flow control.")
}

// Internal is the vendor's own failure.
func Internal() *Error {
	return Refuse(http.StatusInternalServerError, "InternalError", "The request processing has failed due to some unknown error.")
}

// Write answers with v, any value that JSON can hold. A request id is added unless v has one.
func Write(w http.ResponseWriter, q Request, requestID string, v any) {
	m := object(v)
	if _, has := m["RequestId"]; !has {
		m["RequestId"] = requestID
	}
	send(w, q, http.StatusOK, q.Action+"Response", m)
}

// Fail answers with an error.
func Fail(w http.ResponseWriter, q Request, requestID string, e *Error) {
	send(w, q, e.Status, "Error", map[string]any{
		"RequestId": requestID,
		"HostId":    q.Host,
		"Code":      e.Code,
		"Message":   e.Message,
		"Recommend": "https://api.aliyun.com/troubleshoot?q=" + e.Code,
	})
}

func object(v any) map[string]any {
	m := map[string]any{}
	b, err := json.Marshal(v)
	if err != nil {
		return m
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // ids of 19 digits
	_ = d.Decode(&m)
	return m
}

func send(w http.ResponseWriter, q Request, status int, root string, m map[string]any) {
	w.Header().Set("Cache-Control", "no-store")
	if id, ok := m["RequestId"].(string); ok {
		w.Header().Set("x-acs-request-id", id)
	}
	if q.Format != "JSON" { // the vendor's default
		w.Header().Set("Content-Type", "text/xml;charset=utf-8")
		w.WriteHeader(status)
		var b bytes.Buffer
		b.WriteString("<?xml version='1.0' encoding='UTF-8'?>")
		element(&b, root, m)
		_, _ = w.Write(b.Bytes())
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(m)
}

// element writes a value in the vendor's XML shape: an object's fields in order of name, a list as the element
// repeated, an empty list as nothing.
func element(b *bytes.Buffer, name string, v any) {
	name = xmlName(name)
	switch v := v.(type) {
	case nil:
		b.WriteString("<" + name + "/>")
	case []any:
		for _, item := range v {
			element(b, name, item)
		}
	case map[string]any:
		b.WriteString("<" + name + ">")
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			element(b, k, v[k])
		}
		b.WriteString("</" + name + ">")
	default:
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(b, []byte(scalar(v)))
		b.WriteString("</" + name + ">")
	}
}

// xmlName makes a key that is no XML name into one.
func xmlName(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '_'
	}, s)
	if out == "" || (out[0] >= '0' && out[0] <= '9') || out[0] == '-' || out[0] == '.' {
		out = "_" + out
	}
	return out
}
