package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/bcrypt"
)

// saltLen is the length of the salt before RabbitMQ's hashes, in octets
// (rabbit_password, generate_salt/0).
const saltLen = 4

// A Hash is a salted password hash: RabbitMQ's (SHA-256 or SHA-512 over a salt of
// four octets and the password) or bcrypt. It prints as a placeholder; [Hash.Export]
// gives the text. The zero Hash belongs to no password.
type Hash struct {
	octets []byte // salt and sum, or bcrypt's text
}

// HashPassword returns RabbitMQ's default hash of a password, with a fresh salt.
func HashPassword(password string) (Hash, error) {
	if password == "" {
		return Hash{}, errors.New("empty password")
	}
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails
	return Hash{rabbitSum(salt, []byte(password), sha256.Size)}, nil
}

// ParseHash reads a hash as [Hash.Export] writes it: the base64 of RabbitMQ's
// definitions files, or bcrypt's "$2...". The empty text is the zero Hash.
func ParseHash(text string) (Hash, error) {
	if text == "" {
		return Hash{}, nil
	}
	if text[0] == '$' {
		if _, err := bcrypt.Cost([]byte(text)); err != nil {
			return Hash{}, errors.New("auth: password hash begins with $ and is not bcrypt's")
		}
		return Hash{[]byte(text)}, nil
	}
	octets, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return Hash{}, errors.New("auth: password hash is neither base64 nor bcrypt's")
	}
	switch len(octets) {
	case saltLen + sha256.Size, saltLen + sha512.Size:
		return Hash{octets}, nil
	}
	return Hash{}, fmt.Errorf("auth: password hash of %d octets (want salt and SHA-256, %d, or SHA-512, %d)",
		len(octets), saltLen+sha256.Size, saltLen+sha512.Size)
}

// Export returns the hash as text, for definitions files.
func (h Hash) Export() string {
	if h.isBcrypt() {
		return string(h.octets)
	}
	return base64.StdEncoding.EncodeToString(h.octets)
}

// Format writes a placeholder for every verb, so that no log or error text holds the
// hash.
func (h Hash) Format(f fmt.State, _ rune) { io.WriteString(f, "(password hash)") }

// LogValue returns a placeholder, so that no structured log holds the hash.
func (h Hash) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(h)) }

func (h Hash) isBcrypt() bool { return len(h.octets) > 0 && h.octets[0] == '$' && !h.isRabbit() }

func (h Hash) isRabbit() bool {
	return len(h.octets) == saltLen+sha256.Size || len(h.octets) == saltLen+sha512.Size
}

// Verify reports whether the hash is that of the password, in a time that does not
// depend on where they differ. It reports false for the empty password.
func (h Hash) Verify(password []byte) bool {
	switch {
	case len(password) == 0:
		return false
	case h.isBcrypt():
		return bcrypt.CompareHashAndPassword(h.octets, password) == nil
	case h.isRabbit():
		sum := rabbitSum(h.octets[:saltLen], password, len(h.octets)-saltLen)
		return subtle.ConstantTimeCompare(sum, h.octets) == 1
	}
	return false
}

// rabbitSum returns the salt followed by the sum of salt and password.
func rabbitSum(salt, password []byte, size int) []byte {
	salted := append(bytes.Clone(salt), password...)
	if size == sha512.Size {
		sum := sha512.Sum512(salted)
		return append(bytes.Clone(salt), sum[:]...)
	}
	sum := sha256.Sum256(salted)
	return append(bytes.Clone(salt), sum[:]...)
}
