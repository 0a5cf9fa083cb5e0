package feishu

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
)

const hidden = "[secret]"

// secret is one text that nobody may see. Every way to print it hides it.
type secret struct{ text string }

// String hides the secret.
func (secret) String() string { return hidden }

// GoString hides the secret.
func (secret) GoString() string { return hidden }

// LogValue hides the secret.
func (secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the secret.
func (secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// signature is what Feishu signs a request with. It is no HMAC: whoever knows one signature could lengthen the body, which is why
// the body must be one JSON value and nothing after it.
func signature(timestamp, nonce string, key secret, body []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(timestamp + nonce + key.text))
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}

// decrypt opens an encrypted body: an IV of 16 bytes, then AES-256-CBC with PKCS#7.
func decrypt(key secret, sealed []byte) ([]byte, bool) {
	if key.text == "" || len(sealed) < 2*aes.BlockSize || len(sealed)%aes.BlockSize != 0 {
		return nil, false
	}
	sum := sha256.Sum256([]byte(key.text))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, false
	}
	iv, text := sealed[:aes.BlockSize], sealed[aes.BlockSize:]
	plain := make([]byte, len(text))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, text)
	n := int(plain[len(plain)-1])
	if n < 1 || n > aes.BlockSize {
		return nil, false
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			return nil, false
		}
	}
	return plain[:len(plain)-n], true
}

// among reports whether text is one of the list, looking at all of it in constant time. An empty text never is.
func among(list []secret, text string) bool {
	found := 0
	got := sha256.Sum256([]byte(text))
	for _, s := range list {
		want := sha256.Sum256([]byte(s.text))
		found |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return found == 1 && text != ""
}

// hookSign is the signature of a custom bot: the key is the timestamp and the secret, and nothing is signed
// (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot).
func hookSign(timestamp string, key secret) string {
	m := hmac.New(sha256.New, []byte(timestamp+"\n"+key.text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}
