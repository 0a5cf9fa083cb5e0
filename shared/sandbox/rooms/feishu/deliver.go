package feishu

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// event wraps what happened as Feishu does in schema 2.0.
func (r *Room) event(kind string, event map[string]any) ([]byte, error) {
	plain, err := json.Marshal(map[string]any{"schema": "2.0", "event": event, "header": map[string]any{
		"event_id": r.next(""), "event_type": kind, "create_time": strconv.FormatInt(r.now().UnixMilli(), 10),
		"token": verifyToken, "app_id": appID, "tenant_key": tenant,
	}})
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", kind, err)
	}
	return plain, nil
}

// deliver encrypts, signs and sends, and returns how it was answered. The lock is not held: whoever is called may call the API.
func (r *Room) deliver(ctx context.Context, plain []byte, sign bool) (rooms.Heard, []byte, error) {
	r.mu.Lock()
	to, nonce, iv, id := r.to, r.next(""), r.next(""), r.next("")
	r.mu.Unlock()
	if to == nil {
		return rooms.Heard{}, nil, errors.New("nobody is connected to this room")
	}
	body, err := seal(plain, iv)
	if err != nil {
		return rooms.Heard{}, nil, err
	}
	start := r.now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://firedrill.example/chat/feishu", bytes.NewReader(body))
	if err != nil {
		return rooms.Heard{}, nil, fmt.Errorf("deliver: %w", err)
	}
	req.Header.Set("Content-Type", "application/json;charset=utf-8")
	req.Header.Set("X-Request-Id", id)
	if sign {
		at := strconv.FormatInt(start.Unix(), 10)
		sum := sha256.Sum256([]byte(at + nonce + encryptKey + string(body)))
		req.Header.Set("X-Lark-Request-Timestamp", at)
		req.Header.Set("X-Lark-Request-Nonce", nonce)
		req.Header.Set("X-Lark-Signature", hex.EncodeToString(sum[:]))
	}
	again := req.Clone(context.WithoutCancel(ctx))
	again.Body, again.GetBody = io.NopCloser(bytes.NewReader(body)), req.GetBody
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	to.ServeHTTP(w, req)
	return rooms.Heard{Status: w.status, Took: r.now().Sub(start), Request: again, Body: body}, w.body.Bytes(), nil
}

// seal is AES-256-CBC with PKCS#7 under SHA-256 of the encrypt key; the IV stands in front.
func seal(plain []byte, nonce string) ([]byte, error) {
	key, iv := sha256.Sum256([]byte(encryptKey)), sha256.Sum256([]byte(nonce))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	text := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv[:aes.BlockSize]).CryptBlocks(text, text)
	body, err := json.Marshal(map[string]string{"encrypt": base64.StdEncoding.EncodeToString(append(iv[:aes.BlockSize:aes.BlockSize], text...))})
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return body, nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

// Header returns the headers of the answer.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader keeps the first status.
func (w *recorder) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
}

// Write keeps the body.
func (w *recorder) Write(b []byte) (int, error) {
	w.wrote = true
	return w.body.Write(b)
}
