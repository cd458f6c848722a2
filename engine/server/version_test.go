package server

import "testing"

func TestVersionOf(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, tt := range []struct{ version, commit, want string }{
		{"v1.2.3", commit, "1.2.3"},
		{"v1.2.3", "", "1.2.3"},
		{"(devel)", commit, "devel-0123456789ab"},
		{"v0.0.0-20261130120000-fedcba987654", "", "devel-fedcba987654"},
		{"v1.2.4-0.20261130120000-fedcba987654+dirty", commit, "devel-fedcba987654"},
		{"(devel)", "", "devel"},
		{"", "", "devel"},
	} {
		if got := versionOf(tt.version, tt.commit); got != tt.want {
			t.Errorf("version %q, commit %q: %q, want %q", tt.version, tt.commit, got, tt.want)
		}
	}
}
