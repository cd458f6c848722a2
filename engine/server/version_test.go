package server

import (
	"slices"
	"testing"
)

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

// TestServerProperties: the keys are those of RabbitMQ 3.10.8 in its order, and harelab's.
// RabbitMQ tells capabilities to clients of 0-9 and 0-9-1 only.
func TestServerProperties(t *testing.T) {
	rabbitMQ := []string{"capabilities", "cluster_name", "copyright", "information", "platform", "product", "version"}
	for _, tt := range []struct {
		version version
		want    []string
	}{
		{version{0, 9}, append(rabbitMQ, "harelab", "harelab_durability")},
		{version{8, 0}, append(rabbitMQ[1:], "harelab", "harelab_durability")},
	} {
		var got []string
		for _, f := range newTestServer(t, Options{}).properties(tt.version) {
			got = append(got, f.Key)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("server-properties of %v: %q, want %q", tt.version, got, tt.want)
		}
	}
}
