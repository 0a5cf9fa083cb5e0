package wecom

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // the vendor's choice
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"sort"
	"strings"
)

// sealed encrypts as the vendor's page says: 16 random bytes, the length in 4, the message, the company; padded to blocks of 32.
func sealed(message string, random int64) string {
	salt := sha256.Sum256(fmt.Appendf(nil, "salt %d", random))
	var b bytes.Buffer
	b.Write(salt[:16])
	length := make([]byte, 4)
	binary.BigEndian.PutUint32(length, uint32(len(message)))
	b.Write(length)
	b.WriteString(message + corp)
	pad := 32 - b.Len()%32
	for range pad {
		b.WriteByte(byte(pad))
	}
	key, block := cipherKey()
	out := make([]byte, b.Len())
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(out, b.Bytes())
	return base64.StdEncoding.EncodeToString(out)
}

// opened decrypts an answer.
func opened(text string) (string, error) {
	in, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(in) < 32 || len(in)%32 != 0 {
		return "", errors.New("its Encrypt is no base64 of whole blocks of 32 bytes")
	}
	key, block := cipherKey()
	out := make([]byte, len(in))
	cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(out, in)
	pad := int(out[len(out)-1])
	if pad < 1 || pad > 32 || pad > len(out)-20 {
		return "", errors.New("its padding is wrong")
	}
	out = out[:len(out)-pad]
	n := binary.BigEndian.Uint32(out[16:20])
	if int64(n) > int64(len(out)-20) {
		return "", errors.New("its length is wrong")
	}
	if string(out[20+n:]) != corp {
		return "", errors.New("it is for another company")
	}
	return string(out[20 : 20+n]), nil
}

func cipherKey() ([]byte, cipher.Block) {
	key, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil {
		panic("wecom room: " + err.Error()) // a constant
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("wecom room: " + err.Error())
	}
	return key, block
}

func signed(timestamp, nonce, text string) string {
	all := []string{token, timestamp, nonce, text}
	sort.Strings(all)
	sum := sha1.Sum([]byte(strings.Join(all, ""))) //nolint:gosec // the vendor's choice
	return hex.EncodeToString(sum[:])
}

// passive is a reply in an acknowledgement.
type passive struct {
	ToUserName   string
	FromUserName string
	CreateTime   string
	MsgType      string
	Content      string
	Button       struct{ ReplaceName string }
}

// readPassive checks a reply as WeCom does. An empty one is none.
func readPassive(body []byte, person string) (passive, error) {
	if len(bytes.TrimSpace(body)) == 0 || string(body) == "success" {
		return passive{}, nil
	}
	var e struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
	if err := xml.Unmarshal(body, &e); err != nil {
		return passive{}, errors.New("passive reply: it is no XML")
	}
	if e.MsgSignature != signed(e.TimeStamp, e.Nonce, e.Encrypt) {
		return passive{}, errors.New("passive reply: its signature is wrong")
	}
	plain, err := opened(e.Encrypt)
	if err != nil {
		return passive{}, fmt.Errorf("passive reply: %w", err)
	}
	var p passive
	if err := xml.Unmarshal([]byte(plain), &p); err != nil {
		return passive{}, errors.New("passive reply: its message is no XML")
	}
	if p.ToUserName != person || p.FromUserName != corp || p.CreateTime == "" {
		return passive{}, errors.New("passive reply: it is not from the company to who wrote")
	}
	return p, nil
}
