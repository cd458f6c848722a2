package wire

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// RabbitMQ's reply texts show octets and reasons as Erlang prints them. Logs and tests
// of clients rely on these texts, so this file formats them in the same way.

// frameError returns the error of a frame that cannot be read (rabbit_reader,
// frame_error/5). The reason is an Erlang term.
func frameError(typ byte, payload []byte, reason string, args ...any) *Error {
	return Errorf(FrameError, "%s: %s", describe(typ, payload), fmt.Sprintf(reason, args...))
}

// cannotDecode returns the error of a method whose arguments are too short or too long
// (rabbit_misc, frame_error/2).
func cannotDecode(id MethodID, args []byte) *Error {
	e := Errorf(FrameError, "cannot decode %s", erlangOctets(args))
	e.Method = id
	return e
}

// describe names a frame by its type and the first octets of its payload.
func describe(typ byte, payload []byte) string {
	const snippet = 16
	which := "all"
	if len(payload) > snippet {
		which, payload = "first 16", payload[:snippet]
	}
	return fmt.Sprintf("type %d, %s octets = %s", typ, which, erlangBinary(payload))
}

// Term formats a table value as RabbitMQ's term for it, as Erlang's ~p does: a long
// string is <<"text">>, an array a list of {type,value}. Unlike ~p, it does not break
// long terms into lines.
func Term(v any) string { return string(appendTerm(nil, v)) }

func appendTerm(s []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(s, "undefined"...)
	case string:
		return append(s, erlangBinary([]byte(v))...)
	case []byte:
		return append(s, erlangBinary(v)...)
	case float32:
		return appendFloat(s, float64(v))
	case float64:
		return appendFloat(s, v)
	case Decimal:
		return fmt.Appendf(s, "{%d,%d}", v.Scale, v.Value)
	case Table:
		s = append(s, '[')
		for i, f := range v {
			if i > 0 {
				s = append(s, ',')
			}
			s = append(append(append(s, '{'), erlangBinary([]byte(f.Key))...), ',')
			s = append(append(s, TypeName(f.Value)...), ',')
			s = append(appendTerm(s, f.Value), '}')
		}
		return append(s, ']')
	case []any:
		s = append(s, '[')
		for i, e := range v {
			if i > 0 {
				s = append(s, ',')
			}
			s = append(append(append(s, '{'), TypeName(e)...), ',')
			s = append(appendTerm(s, e), '}')
		}
		return append(s, ']')
	}
	return fmt.Append(s, v) // integers, bools, times
}

// appendFloat formats a float with the fewest digits that identify it, in the shorter
// one of two forms, with or without an exponent (io_lib_format, insert_decimal/2).
func appendFloat(s []byte, x float64) []byte {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(x), 'e', -1, 64), "e")
	power, err := strconv.Atoi(exponent)
	if err != nil {
		return strconv.AppendFloat(s, x, 'g', -1, 64) // infinite or not a number: Erlang has neither
	}
	if math.Signbit(x) {
		s = append(s, '-')
	}
	digits := strings.Replace(mantissa, ".", "", 1)
	place, n := power+1, len(digits) // x is 0.digits times ten to the place
	cost := len(strconv.Itoa(power)) + 2
	if n == 1 {
		cost++
	}
	switch {
	case place > 0 && place < n:
		return append(append(append(s, digits[:place]...), '.'), digits[place:]...)
	case place <= 0 && (place == 0 || 2-place <= cost):
		return append(append(append(s, "0."...), strings.Repeat("0", -place)...), digits...)
	case place >= n && place-n+2 <= cost:
		return append(append(append(s, digits...), strings.Repeat("0", place-n)...), ".0"...)
	case n == 1:
		digits += "0"
	}
	return fmt.Appendf(s, "%s.%se%d", digits[:1], digits[1:], power)
}

// erlangBinary formats b as Erlang's ~p does: as text if all of it is printable.
// Unlike ~p, it counts only ASCII as printable, so that the result is UTF-8, and breaks
// no lines.
func erlangBinary(b []byte) string {
	if len(b) == 0 {
		return "<<>>"
	}
	for _, c := range b {
		if (c < ' ' || c > '~') && !strings.ContainsRune("\b\t\n\v\f\r\x1b", rune(c)) {
			return erlangOctets(b)
		}
	}
	escape := strings.NewReplacer(`"`, `\"`, `\`, `\\`,
		"\b", `\b`, "\t", `\t`, "\n", `\n`, "\v", `\v`, "\f", `\f`, "\r", `\r`, "\x1b", `\e`)
	return `<<"` + escape.Replace(string(b)) + `">>`
}

// erlangOctets formats b as Erlang's ~w does: <<0,20>>. It stops when the octets fill
// any reply text.
func erlangOctets(b []byte) string {
	var s []byte
	s = append(s, "<<"...)
	for i, c := range b[:min(len(b), MaxShortString/2+1)] {
		if i > 0 {
			s = append(s, ',')
		}
		s = strconv.AppendUint(s, uint64(c), 10)
	}
	return string(append(s, ">>"...))
}
