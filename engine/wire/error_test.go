package wire

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestErrorTexts(t *testing.T) {
	for _, c := range []struct {
		err           *Error
		message, text string
		hard          bool
	}{
		{Errorf(NotFound, "no queue '%s' in vhost '/'", "x"),
			"NOT_FOUND (404): no queue 'x' in vhost '/'", "NOT_FOUND - no queue 'x' in vhost '/'", false},
		{&Error{Code: NotImplemented, Text: "immediate=true", Method: MethodBasicPublish},
			"NOT_IMPLEMENTED (540): immediate=true (basic.publish)", "NOT_IMPLEMENTED - immediate=true", true},
		{&Error{Code: InternalError}, "INTERNAL_ERROR (541)", "INTERNAL_ERROR", true},
		{&Error{Code: 999, Text: "x"}, "UNKNOWN (999): x", "UNKNOWN - x", true},
	} {
		if got := c.err.Error(); got != c.message {
			t.Errorf("Error() = %q, want %q", got, c.message)
		}
		if got := c.err.ReplyText(); got != c.text {
			t.Errorf("ReplyText() = %q, want %q", got, c.text)
		}
		if got := c.err.Hard(); got != c.hard {
			t.Errorf("%v: Hard() = %v, want %v", c.err, got, c.hard)
		}
	}
}

// TestSoftCodes lists the codes that close only a channel (AMQP 0-9-1, constants of
// class soft-error, and RabbitMQ's 312 and 313 of the same class).
func TestSoftCodes(t *testing.T) {
	soft := map[ReplyCode]string{
		311: "CONTENT_TOO_LARGE", 312: "NO_ROUTE", 313: "NO_CONSUMERS", 403: "ACCESS_REFUSED",
		404: "NOT_FOUND", 405: "RESOURCE_LOCKED", 406: "PRECONDITION_FAILED",
	}
	hard := map[ReplyCode]string{
		200: "REPLY_SUCCESS", 320: "CONNECTION_FORCED", 402: "INVALID_PATH", 501: "FRAME_ERROR", 502: "SYNTAX_ERROR",
		503: "COMMAND_INVALID", 504: "CHANNEL_ERROR", 505: "UNEXPECTED_FRAME", 506: "RESOURCE_ERROR",
		530: "NOT_ALLOWED", 540: "NOT_IMPLEMENTED", 541: "INTERNAL_ERROR",
	}
	for c := range ReplyCode(1000) {
		want := "UNKNOWN"
		if name := soft[c] + hard[c]; name != "" {
			want = name
		}
		if got := c.Name(); got != want {
			t.Errorf("ReplyCode(%d).Name() = %q, want %q", c, got, want)
		}
		if got, want := c.Hard(), soft[c] == ""; got != want {
			t.Errorf("ReplyCode(%d).Hard() = %v, want %v", c, got, want)
		}
	}
}

func TestReplyTextFitsShortString(t *testing.T) {
	const name = len("NOT_FOUND - ")
	for n := MaxShortString - name - 5; n < MaxShortString+10; n++ {
		for _, text := range []string{strings.Repeat("x", n), "x" + strings.Repeat("é", n/2), "x" + strings.Repeat("漢", n/3)} {
			whole := "NOT_FOUND - " + text
			got := Errorf(NotFound, "%s", text).ReplyText()
			switch {
			case len(whole) <= MaxShortString && got != whole:
				t.Fatalf("%d octets: got %q, want it whole", len(whole), got)
			case len(whole) > MaxShortString && !strings.HasSuffix(got, "..."):
				t.Fatalf("%d octets: got %q, want ... at the end", len(whole), got)
			case len(got) > MaxShortString || !utf8.ValidString(got):
				t.Fatalf("%d octets: got %d, want UTF-8 of at most %d", len(whole), len(got), MaxShortString)
			}
		}
	}
}

// TestErlangBinary compares with the output of io:format("~p|~w", [B, B]).
func TestErlangBinary(t *testing.T) {
	for _, c := range []struct{ in, p, w string }{
		{"", `<<>>`, `<<>>`},
		{"\x00", `<<0>>`, `<<0>>`},
		{"abc", `<<"abc">>`, `<<97,98,99>>`},
		{`a"b\c`, `<<"a\"b\\c">>`, `<<97,34,98,92,99>>`},
		{"\n\r\t\v\f\b\x1b", `<<"\n\r\t\v\f\b\e">>`, `<<10,13,9,11,12,8,27>>`},
		{"\x7f", `<<127>>`, `<<127>>`},
		{"a\x00", `<<97,0>>`, `<<97,0>>`},
		{"\a", `<<7>>`, `<<7>>`},
		{"GET / HTTP/1.1\r\n", `<<"GET / HTTP/1.1\r\n">>`, `<<71,69,84,32,47,32,72,84,84,80,47,49,46,49,13,10>>`},
	} {
		if got := erlangBinary([]byte(c.in)); got != c.p {
			t.Errorf("erlangBinary(%q) = %s, want %s", c.in, got, c.p)
		}
		if got := erlangOctets([]byte(c.in)); got != c.w {
			t.Errorf("erlangOctets(%q) = %s, want %s", c.in, got, c.w)
		}
	}
}
