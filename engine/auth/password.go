package auth

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// saltLen is the length of the salt before RabbitMQ's hashes, in octets
// (rabbit_password, generate_salt/0).
const saltLen = 4

// A Hash is a salted password hash: RabbitMQ's (SHA-256, SHA-512 or MD5 over a salt of
// four octets and the password) or bcrypt. Of these, only SHA-256 is made here; the others
// come from elsewhere and are verified. A Hash prints as a placeholder; [Hash.Export]
// gives the text. The zero Hash belongs to no password.
type Hash struct {
	octets []byte // salt and sum, or bcrypt's text
}

// algorithms are the names that definitions files give to hashes (RabbitMQ's modules
// rabbit_password_hashing_*), with the length of the sum in octets.
var algorithms = []struct {
	name string
	size int
	sum  func(salted []byte) []byte
}{
	{"rabbit_password_hashing_sha256", sha256.Size, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }},
	{"rabbit_password_hashing_sha512", sha512.Size, func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }},
	{"rabbit_password_hashing_md5", md5.Size, func(b []byte) []byte { s := md5.Sum(b); return s[:] }},
}

// slow has room for the bcrypt hashes that are computed at the same time: each takes a
// processor for tens of milliseconds, and strangers can ask for them.
var slow = make(chan struct{}, 2)

// bcryptName is the name of the algorithm that RabbitMQ does not have.
const bcryptName = "bcrypt"

// HashPassword returns RabbitMQ's default hash of a password, with a fresh salt.
func HashPassword(password string) (Hash, error) {
	if password == "" {
		return Hash{}, errors.New("empty password")
	}
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails
	return Hash{saltedSum(algorithms[0].sum, salt, []byte(password))}, nil
}

// ParseHash reads a hash as [Hash.Export] writes it: the base64 of RabbitMQ's
// definitions files, or bcrypt's "$2...". The length of a hash tells its algorithm. The
// empty text is the zero Hash.
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
	h := Hash{octets}
	if h.rabbit() < 0 {
		return Hash{}, fmt.Errorf("auth: password hash of %d octets (want a salt of %d and SHA-256, %d, SHA-512, %d, or MD5, %d)",
			len(octets), saltLen, sha256.Size, sha512.Size, md5.Size)
	}
	return h, nil
}

// ParseNamedHash reads a hash whose algorithm is given as in definitions files
// (hashing_algorithm). Without a name it is ParseHash.
func ParseNamedHash(algorithm, text string) (Hash, error) {
	if algorithm != "" && !slices.Contains(algorithmNames(), algorithm) {
		return Hash{}, fmt.Errorf("auth: unknown hashing algorithm %.64q (have %s)", algorithm, strings.Join(algorithmNames(), ", "))
	}
	h, err := ParseHash(text)
	if err == nil && algorithm != "" && text != "" && h.Algorithm() != algorithm {
		return Hash{}, fmt.Errorf("auth: password hash is one of %s, not of %s", h.Algorithm(), algorithm)
	}
	return h, err
}

func algorithmNames() []string {
	var names []string
	for _, a := range algorithms {
		names = append(names, a.name)
	}
	return append(names, bcryptName)
}

// Algorithm returns the name of the hash's algorithm: one of RabbitMQ's modules, or
// "bcrypt". The zero Hash has RabbitMQ's default.
func (h Hash) Algorithm() string {
	if h.isBcrypt() {
		return bcryptName
	}
	return algorithms[max(0, h.rabbit())].name
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

func (h Hash) isBcrypt() bool { return len(h.octets) > 0 && h.octets[0] == '$' && h.rabbit() < 0 }

// rabbit returns the index of the hash's algorithm in algorithms, or -1.
func (h Hash) rabbit() int {
	for i, a := range algorithms {
		if len(h.octets) == saltLen+a.size {
			return i
		}
	}
	return -1
}

// Verify reports whether the hash is that of the password, in a time that does not
// depend on where they differ. It reports false for the empty password.
func (h Hash) Verify(password []byte) bool {
	if len(password) == 0 {
		return false
	}
	if h.isBcrypt() {
		slow <- struct{}{}
		defer func() { <-slow }()
		return bcrypt.CompareHashAndPassword(h.octets, password) == nil
	}
	if i := h.rabbit(); i >= 0 {
		sum := saltedSum(algorithms[i].sum, h.octets[:saltLen], password)
		return subtle.ConstantTimeCompare(sum, h.octets) == 1
	}
	return false
}

// saltedSum returns the salt followed by the sum of salt and password.
func saltedSum(sum func([]byte) []byte, salt, password []byte) []byte {
	return append(bytes.Clone(salt), sum(append(bytes.Clone(salt), password...))...)
}
