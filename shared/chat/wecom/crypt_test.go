package wecom

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"testing"
)

func TestSigned_AnEmptyTokenSignsNothing(t *testing.T) {
	sum := signature("", "1795856400", "1", "AAAA")
	for _, tokens := range [][]secret{nil, {{}}, {{}, {"another"}}} {
		if by, ok := signed(tokens, hex.EncodeToString(sum[:]), "1795856400", "1", "AAAA"); ok || by.text != "" {
			t.Errorf("%d tokens: signed", len(tokens))
		}
	}
}

func TestOpen_LooksAtEveryByteOfThePadding(t *testing.T) {
	var k aesKey
	copy(k.raw[:], "0123456789abcdef0123456789abcdef")
	sealed := k.seal([]byte("hello"), "ww1", "1795856400", "1")
	if text, to, ok := k.open(sealed); !ok || string(text) != "hello" || to != "ww1" {
		t.Fatalf("%q for %q, %v", text, to, ok)
	}
	block, err := aes.NewCipher(k.raw[:])
	if err != nil {
		t.Fatal(err)
	}
	plain := append(bytes.Repeat([]byte{0}, 16), "\x00\x00\x00\x05helloww1"...)
	pad := 32 - len(plain)%32
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	plain[len(plain)-2]++
	cipher.NewCBCEncrypter(block, k.raw[:16]).CryptBlocks(plain, plain)
	if text, to, ok := k.open(base64.StdEncoding.EncodeToString(plain)); ok {
		t.Errorf("opened %q for %q", text, to)
	}
}

func FuzzOpen(f *testing.F) {
	var k aesKey
	f.Add([]byte("hello"), "ww1")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, message []byte, to string) {
		if text, got, ok := k.open(k.seal(message, to, "1", "2")); !ok || !bytes.Equal(text, message) || got != to {
			t.Errorf("%q for %q, %v", text, got, ok)
		}
		k.open(base64.StdEncoding.EncodeToString(message))
		k.open(string(message))
	})
}
