package lab

import "testing"

func TestDidYouMean(t *testing.T) {
	have := []string{"prefetch", "workers", "dispatch", "order", "rr", "rr-eager"}
	for _, tt := range []struct{ got, want string }{
		{"prefech", "prefetch"},
		{"perfetch", "prefetch"},
		{"dipatch", "dispatch"},
		{"work", "workers"},
		{"oder", "order"},
		{"r", ""},
		{"colour", ""},
		{"", ""},
	} {
		want := ""
		if tt.want != "" {
			want = `, did you mean "` + tt.want + `"?`
		}
		if got := DidYouMean(tt.got, have); got != want {
			t.Errorf("%q: %q, want %q", tt.got, got, want)
		}
	}
}
