package wecom

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the vendor's choice
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

const (
	saltSize = 16
	head     = saltSize + 4 // salt and length
	padBlock = 32           // the padding is PKCS#7 with blocks of 32, though AES has 16
)

// signature is SHA-1 over the four texts, sorted and joined with nothing between.
func signature(token, timestamp, nonce, encrypted string) [sha1.Size]byte {
	parts := []string{token, timestamp, nonce, encrypted}
	slices.Sort(parts)
	return sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // the vendor's choice
}

// signed returns the token that the signature was made with. All tokens are tried, each in constant time.
func signed(tokens []secret, given, timestamp, nonce, encrypted string) (secret, bool) {
	got, err := hex.DecodeString(given)
	if err != nil || len(got) != sha1.Size {
		return secret{}, false
	}
	var by secret
	ok := false
	for _, t := range tokens {
		want := signature(t.text, timestamp, nonce, encrypted)
		if hmac.Equal(got, want[:]) && t.text != "" {
			by, ok = t, true
		}
	}
	return by, ok
}

// open decrypts: 16 bytes of salt, the message's length in 4, the message, and the id of the receiver, which is the company's. It is called
// for signed texts alone, so that nobody can ask it about paddings.
func (k aesKey) open(encrypted string) (message []byte, receiver string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil, "", false
	}
	block, err := aes.NewCipher(k.raw[:])
	if err != nil {
		return nil, "", false
	}
	cipher.NewCBCDecrypter(block, k.raw[:aes.BlockSize]).CryptBlocks(raw, raw)
	pad := int(raw[len(raw)-1])
	if pad < 1 || pad > padBlock || pad > len(raw)-head {
		return nil, "", false
	}
	body, padding := raw[:len(raw)-pad], raw[len(raw)-pad:]
	if !bytes.Equal(padding, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, "", false
	}
	n := uint64(binary.BigEndian.Uint32(body[saltSize:head]))
	if n > uint64(len(body)-head) {
		return nil, "", false
	}
	return body[head : head+int(n)], string(body[head+int(n):]), true
}

// seal encrypts an answer. The salt is derived from what is sealed and from when: the initialisation vector is fixed by the vendor, and with
// a salt of its own no two answers begin alike.
func (k aesKey) seal(message []byte, receiver, timestamp, nonce string) string {
	mac := hmac.New(sha256.New, k.raw[:])
	mac.Write([]byte(timestamp + "." + nonce + "."))
	mac.Write(message)
	plain := append(mac.Sum(nil)[:saltSize:saltSize], binary.BigEndian.AppendUint32(nil, uint32(len(message)))...)
	plain = append(append(plain, message...), receiver...)
	pad := padBlock - len(plain)%padBlock
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(k.raw[:])
	if err != nil {
		return "" // never: the key has 32 bytes
	}
	cipher.NewCBCEncrypter(block, k.raw[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}
