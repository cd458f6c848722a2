package broker

import (
	"regexp"
	"strings"
	"testing"
)

// TestHeadersOfTheMessage: exchanges and strategies see the headers that the message has
// at the time, whichever way it comes to a queue.
func TestHeadersOfTheMessage(t *testing.T) {
	got := regexp.MustCompile(`get #\d+ "(.*?)"`)
	const setup = `
> a1 declare q x-order=sjf x-dead-letter-exchange=h
> a1 declare dead
> a1 declare seen
> a1 exchange h headers
> a1 bind dead h - x-match=all-with-x x-first-death-reason=rejected
> a1 bind seen h - BCC=void
`
	for _, tt := range []struct{ name, script, gets, want string }{
		{"costs of a transaction", `
> a1 tx
> a1 publish - q m1 x-cost=30
> a1 publish - q m2 x-cost=10
> a1 publish - q m3 x-cost=20
> a1 commit
> a2 get q
> a2 get q
`, "m2 m3", "q=1 dead=0 seen=0 "},
		{"those of a dead letter", `
> a1 publish - q m1 x-cost=30
> a2 get q
> a2 nack 1
`, "m1", "q=0 dead=1 seen=0 "},
		{"without BCC, which nobody may see", `
> a1 publish h k m1 BCC=[q]
> a1 publish h k m2 CC=[q] BCC=[q]
`, "", "q=0 dead=0 seen=0 "},
		{"but not without others", `
> a1 publish h k m1 x-first-death-reason=rejected BCC=[q]
`, "", "q=0 dead=1 seen=0 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			s.run(setup)
			s.out.Reset()
			var gets []string
			for _, m := range got.FindAllStringSubmatch(s.run(tt.script), -1) {
				gets = append(gets, m[1])
			}
			if text := strings.Join(gets, " "); text != tt.gets {
				t.Errorf("got %q, want %q", text, tt.gets)
			}
			s.wantReady(tt.want)
		})
	}
}
