package lab

import (
	"strings"
	"testing"

	"harelab/reports/stat"
)

func TestTargetAgain(t *testing.T) {
	const here, there = "amqp://here:5672/", "amqp://there/"
	given := func(urls ...string) (ts []Target) {
		for _, u := range urls {
			ts = append(ts, Target{Kind: AMQP, URL: u})
		}
		return ts
	}
	for _, c := range []struct {
		name  string
		rec   stat.Target
		urls  []string
		given []Target
		want  string // URL or kind, "refused" if none
	}{
		{"virtual time needs nothing", stat.Target{Kind: "sim"}, nil, nil, "sim"},
		{"neither does the embedded broker", stat.Target{Kind: "embedded"}, []string{here}, given("amqp://u:p@here:5672/"), "embedded"},
		{"credentials are given again", stat.Target{Kind: "amqp", URL: here}, []string{here}, given("amqp://u:p@here:5672/"), "amqp://u:p@here:5672/"},
		{"a broker that has moved", stat.Target{Kind: "amqp", URL: here}, []string{here}, given("amqp://u:p@there/"), "amqp://u:p@there/"},
		{"each of two by its address", stat.Target{Kind: "amqp", URL: there}, []string{here, there},
			given("amqp://u:p@here:5672/", "amqp://v:q@there/"), "amqp://v:q@there/"},
		{"none", stat.Target{Kind: "amqp", URL: here}, []string{here}, nil, "refused"},
		{"one of two is missing", stat.Target{Kind: "amqp", URL: there}, []string{here, there}, given("amqp://u:p@here:5672/"), "refused"},
	} {
		got, err := targetAgain(c.rec, c.urls, c.given)
		switch {
		case err != nil && c.want != "refused":
			t.Errorf("%s: %v", c.name, err)
		case err == nil && got.URL != c.want && string(got.Kind) != c.want:
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		case err != nil && (!IsUsage(err) || !strings.Contains(err.Error(), c.rec.URL)):
			t.Errorf("%s: %v: want a usage error that names %s", c.name, err, c.rec.URL)
		}
	}
}
