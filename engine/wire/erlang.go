package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// RabbitMQ's reply texts show octets and reasons as Erlang prints them. Clients'
// logs and tests know these texts, so they are made here in the same form.

// frameError returns the error of a frame that cannot be read (rabbit_reader,
// frame_error/5). The reason is an Erlang term.
func frameError(typ byte, payload []byte, reason string, args ...any) *Error {
	return Errorf(FrameError, "%s: %s", describe(typ, payload), fmt.Sprintf(reason, args...))
}

// cannotDecode returns the error of a method whose arguments do not have the
// layout of that method (rabbit_misc, frame_error/2).
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

// erlangBinary formats b as Erlang's ~p does: as text if all of it is printable.
// Unlike there, only ASCII is, so that the result is UTF-8, and lines are not broken.
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

// erlangOctets formats b as Erlang's ~w does: <<0,20>>. It stops after as many
// octets as fill a reply text, whatever they are.
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
