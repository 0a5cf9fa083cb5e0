// Package tokentest makes up keys for tests.
package tokentest

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/firedrill/firedrill/shared/chat/token"
)

// New makes up a key that no other call gets.
func New() token.Keys {
	raw := make([]byte, 32)
	rand.Read(raw) //nolint:errcheck // it never fails: it ends the process instead
	k, err := token.ParseKeys(base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		panic("tokentest: " + err.Error()) // 32 bytes in base64 are a key
	}
	return k
}
