package scenarios

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// kind is the type of a value.
type kind uint8

const (
	number kind = iota
	text
	truth
)

// A value is the value of a scalar or an expression. A number carries its dimension
// as exponents of seconds and bytes, so that 4*0.7/5ms is known to be a rate.
type value struct {
	kind    kind
	num     float64 // in seconds and bytes; a percentage as a fraction
	time    int8    // exponent of seconds
	bytes   int8    // exponent of bytes
	percent bool    // it was written with %
	grain   float64 // place value of the last digit written; 0: computed
	metric  string  // in an expectation: the value is num times this metric
	text    string
	bare    bool // text is a word without quotes that is not a param
	truth   bool
}

func textValue(s string) value { return value{kind: text, text: s} }

// String returns the value as a scenario file writes it.
func (v value) String() string {
	switch v.kind {
	case text:
		return v.text
	case truth:
		return strconv.FormatBool(v.truth)
	}
	num := strconv.FormatFloat(v.num, 'f', -1, 64)
	switch {
	case v.time == 1 && v.bytes == 0:
		return num + "s"
	case v.time == -1 && v.bytes == 0:
		return num + "/s"
	case v.time == 0 && v.bytes == 1:
		return num + "B"
	}
	return num
}

// dimension names the type or dimension of a value, for messages.
func (v value) dimension() string {
	switch {
	case v.kind == text:
		return fmt.Sprintf("the text %q", v.text)
	case v.kind == truth:
		return fmt.Sprintf("the condition %t", v.truth)
	case v.time == 0 && v.bytes == 0:
		return "a plain number"
	case v.time == 1 && v.bytes == 0:
		return "a time"
	case v.time == -1 && v.bytes == 0:
		return "a rate"
	case v.time == 0 && v.bytes == 1:
		return "a size"
	}
	return fmt.Sprintf("a number in s^%d B^%d", v.time, v.bytes)
}

// A unit scales a number and gives it a dimension.
type unit struct {
	name  string
	scale float64
	time  int8
	bytes int8
}

// units are the units of the format. A unit followed by /s, /min or /h is a rate. As
// in Go's time package, m is a minute.
var units = []unit{
	{"", 1, 0, 0},
	{"%", 0.01, 0, 0},
	{"ns", 1e-9, 1, 0},
	{"us", 1e-6, 1, 0},
	{"µs", 1e-6, 1, 0},
	{"ms", 1e-3, 1, 0},
	{"s", 1, 1, 0},
	{"m", 60, 1, 0},
	{"min", 60, 1, 0},
	{"h", 3600, 1, 0},
	{"B", 1, 0, 1},
	{"kB", 1e3, 0, 1},
	{"KB", 1e3, 0, 1},
	{"MB", 1e6, 0, 1},
	{"GB", 1e9, 0, 1},
	{"KiB", 1 << 10, 0, 1},
	{"MiB", 1 << 20, 0, 1},
	{"GiB", 1 << 30, 0, 1},
}

var perUnits = []unit{{"/s", 1, -1, 0}, {"/min", 1.0 / 60, -1, 0}, {"/h", 1.0 / 3600, -1, 0}}

// lookupUnit returns the unit written as s, such as "ms", "/s" or "MiB/s".
func lookupUnit(s string) (unit, bool) {
	base, per, ok := strings.Cut(s, "/")
	u := unit{scale: 1}
	for _, have := range units {
		if have.name == base {
			u = have
			u.name = s
			break
		}
	}
	if u.name != s {
		return unit{}, false
	}
	if !ok {
		return u, true
	}
	for _, p := range perUnits {
		if p.name == "/"+per {
			u.scale *= p.scale
			u.time += p.time
			return u, true
		}
	}
	return unit{}, false
}

// numberLen returns the length in bytes of the unsigned decimal number at the start of
// s, which may have a fraction and an exponent.
func numberLen(s string) int {
	digits := func(i int) int {
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '_') {
			i++
		}
		return i
	}
	n := digits(0)
	if n == 0 || s[0] == '_' {
		return 0
	}
	if n+1 < len(s) && s[n] == '.' && s[n+1] >= '0' && s[n+1] <= '9' {
		n = digits(n + 1)
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		i := n + 1
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if end := digits(i); end > i {
			n = end
		}
	}
	return n
}

// unitLen returns the length in bytes of what may be a unit at the start of s.
func unitLen(s string) int {
	n := 0
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' || strings.HasPrefix(s[n:], "µ") || n > 0 && s[n-1] == 0xC2) {
		n++
	}
	if n == 0 && strings.HasPrefix(s, "%") {
		if len(s) > 1 && (isWord(s[1]) || s[1] == '(') {
			return 0 // the rest of a division, as in 7%3
		}
		return 1
	}
	for _, p := range perUnits {
		if rest, ok := strings.CutPrefix(s[n:], p.name); ok && (rest == "" || !isWord(rest[0])) {
			return n + len(p.name)
		}
	}
	return n
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// scanNumber reads a number with its unit from the start of s: "10", "15%",
// "1m30s", "300/s". It returns the length in bytes, 0 if s does not begin with a
// number.
func scanNumber(s string) (v value, n int, err error) {
	for n < len(s) {
		digits := numberLen(s[n:])
		if digits == 0 {
			break
		}
		written := strings.ReplaceAll(s[n:n+digits], "_", "")
		num, perr := strconv.ParseFloat(written, 64)
		if perr != nil || math.IsInf(num, 0) {
			return value{}, n + digits, fmt.Errorf("number %q is out of range", written)
		}
		ulen := unitLen(s[n+digits:])
		name := s[n+digits : n+digits+ulen]
		u, ok := lookupUnit(name)
		if !ok {
			return value{}, n + digits + ulen, fmt.Errorf("unknown unit %q in %q (have ns us ms s m h, B kB MB GB KiB MiB GiB, %%, and /s /min /h behind)", name, s)
		}
		part := value{num: num * u.scale, time: u.time, bytes: u.bytes, percent: u.name == "%", grain: lastPlace(written) * u.scale}
		if n > 0 && (part.time != 1 || v.time != 1 || part.bytes != 0) {
			return value{}, n + digits + ulen, fmt.Errorf("%q is neither a number nor a time such as 1m30s", s)
		}
		part.num += v.num
		v = part
		n += digits + ulen
		if v.time != 1 {
			break
		}
	}
	return v, n, nil
}

// lastPlace returns the place value of the last digit of a decimal number:
// 0.01 for "10.45", 1 for "10".
func lastPlace(s string) float64 {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	place := 0
	if _, frac, ok := strings.Cut(mantissa, "."); ok {
		place = -len(frac)
	}
	if e, err := strconv.Atoi(exponent); err == nil && e > -300 && e < 300 {
		place += e
	}
	return math.Pow10(place)
}

// parseLiteral returns the value of a literal: a number with its unit, a condition,
// or else a text.
func parseLiteral(s string) value {
	switch s {
	case "true", "false":
		return value{kind: truth, truth: s == "true"}
	}
	body, negative := strings.CutPrefix(s, "-")
	v, n, err := scanNumber(body)
	if err != nil || n == 0 || n != len(body) {
		return textValue(s)
	}
	if negative {
		v.num = -v.num
	}
	return v
}

// duration converts a time in seconds, rounded to a nanosecond.
func duration(seconds float64) (time.Duration, bool) {
	ns := math.Round(seconds * 1e9)
	if math.Abs(ns) > 1<<62 {
		return 0, false
	}
	return time.Duration(ns), true
}
