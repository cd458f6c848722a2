package limits

import (
	"os"
	"runtime"
	"testing"
)

func TestParse(t *testing.T) {
	const whole = 8 << 30
	for _, tt := range []struct {
		text string
		want int64
	}{
		{"60%", 5153960755}, {"100%", whole}, {"0.5%", 42949672}, {"1024", 1024}, {"0", 0},
		{"50MB", 50e6}, {"512MiB", 512 << 20}, {"2 GiB", 2 << 30}, {"1.5kB", 1500},
	} {
		if got, err := Parse(tt.text, whole); err != nil || got != tt.want {
			t.Errorf("%q is %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		"":     `"" is no amount (want for example 512MiB, 2GB or 60%)`,
		"many": `"many" is no amount (want for example 512MiB, 2GB or 60%)`,
		"-1":   `"-1" is no amount (want for example 512MiB, 2GB or 60%)`,
		"99EB": `"99EB" is no amount (want for example 512MiB, 2GB or 60%)`,
		"0%":   `"0%" is no percentage (want more than 0% and at most 100%)`,
		"101%": `"101%" is no percentage (want more than 0% and at most 100%)`,
		"NaN%": `"NaN%" is no percentage (want more than 0% and at most 100%)`,
	} {
		if _, err := Parse(text, whole); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if got, err := Parse("60%", 0); got != 0 || err != nil {
		t.Errorf("60%% of an unknown amount is %d, %v, want no limit", got, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"60%", "512MiB", "1e300GB", "-5", "0x10", "%", "18446744073709551615", "1.2.3kB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := Parse(s, 1<<40); err == nil && n < 0 {
			t.Errorf("%q is %d", s, n)
		}
	})
}

// TestMeasures checks that what is measured is possible.
func TestMeasures(t *testing.T) {
	whole := Memory()
	if runtime.GOOS == "linux" && whole < 16<<20 {
		t.Errorf("there are %d octets of memory", whole)
	}
	block := make([]byte, 64<<20)
	for i := range block {
		block[i] = 1
	}
	if got := Resident(); got < int64(len(block)) || whole > 0 && got > whole {
		t.Errorf("the process takes %d octets of %d and holds %d", got, whole, len(block))
	}
	runtime.KeepAlive(block)
	if runtime.GOOS != "linux" {
		return
	}
	if free, err := DiskFree(os.TempDir()); err != nil || free <= 0 {
		t.Errorf("%d octets are free, %v", free, err)
	}
	if _, err := DiskFree("/nowhere/at/all"); err == nil {
		t.Error("a folder that does not exist has free space")
	}
}
