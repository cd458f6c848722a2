package folder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPlain is the greatest length in bytes of a name that is its own file name. The
// names of file systems have at most 255 bytes, and other parts stand beside it.
const maxPlain = 80

// fileName returns a file name for a name of the scenario. Different names have
// different file names, also on disks that ignore the case of letters or compose accents:
// a name of small Latin letters, digits, '-', '_' and '.' is its own file name, and any
// other has a hash of the name after what can be read of it, as "quick-task~9f86d08188".
func fileName(s string) string {
	if plainName(s) {
		return s
	}
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		if !plainRune(c) {
			c = '-'
		}
		if b.WriteRune(c); b.Len() == maxPlain/2 {
			break
		}
	}
	sum := sha256.Sum256([]byte(s))
	return strings.TrimLeft(b.String(), "-.") + "~" + hex.EncodeToString(sum[:5])
}

func plainName(s string) bool {
	for _, c := range s {
		if !plainRune(c) {
			return false
		}
	}
	return s != "" && s[0] != '.' && len(s) <= maxPlain
}

func plainRune(c rune) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// fileNames are the names of files in one folder that are taken.
type fileNames map[string]bool

// take returns base+ext, with a number from 2 on before ext if that is taken.
func (t fileNames) take(base, ext string) string {
	name := base + ext
	for n := 2; t[name]; n++ {
		name = fmt.Sprintf("%s.%d%s", base, n, ext)
	}
	t[name] = true
	return name
}

// KeyValue makes s usable as the value of a key in a benchmark's name. Different texts
// have different values: a slash, which separates keys, an equals sign, white space,
// which ends a name, and a percent sign are written as %XX for each byte.
func KeyValue(s string) string { return escape(s, "/=%") }

// keyPart is KeyValue for a part of a value whose parts are joined by "+".
func keyPart(s string) string { return escape(s, "/=%+") }

// KeyParts joins the parts of a value by "+". Different lists have different values.
func KeyParts(parts ...string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = keyPart(p)
	}
	return strings.Join(out, "+")
}

// workload is the value of the key workload for a class. A class that is called as the
// whole run is gets a value of its own.
func workload(class string, whole bool) string {
	const all = "all"
	if class == all && !whole {
		return "%61ll"
	}
	return KeyValue(class)
}

// escape writes each byte of the characters in special, of white space, of control
// characters and of what is not UTF-8 as %XX.
func escape(s, special string) string {
	var b strings.Builder
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		if c == utf8.RuneError && n == 1 || unicode.IsSpace(c) || unicode.IsControl(c) || strings.ContainsRune(special, c) {
			for _, x := range []byte(s[:n]) {
				fmt.Fprintf(&b, "%%%02X", x)
			}
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}
