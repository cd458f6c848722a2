package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// traced loads the sound scenario with a trace as its load.
func traced(t *testing.T, trace string) (*Scenario, error) {
	t.Helper()
	dir := t.TempDir()
	text := strings.Replace(sound, "class: job, model: burst, count: =n", "model: trace, file: trace.csv", 1)
	for name, data := range map[string]string{"t.yaml": text, "trace.csv": trace} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Load(filepath.Join(dir, "t.yaml"))
	if err != nil {
		return nil, err
	}
	return f.Resolve(Options{})
}

// TestTimesOfTraces wants the rows of a trace at 0 s, 0.25 s and 90 s whatever kind of
// times it has.
func TestTimesOfTraces(t *testing.T) {
	const shifted = " since 1970: the run begins with its first row, at 2023-11-14 22:13:20.5 UTC."
	for _, c := range []struct{ name, times, note string }{
		{"from the start, with units", "0s 250ms 1.5m", ""},
		{"from the start, in seconds", "0 0.25 90", ""},
		{"seconds since 1970", "1700000000.5 1700000000.75 1700000090.5", "trace.csv gives times in seconds" + shifted},
		{"seconds since 1970, with units", "1700000000500ms 1700000000.75s 1700000090.5s", "trace.csv gives times in seconds" + shifted},
		{"milliseconds since 1970", "1700000000500 1700000000750 1700000090500", "trace.csv gives times in milliseconds" + shifted},
		{"microseconds since 1970", "1700000000500000 1700000000750000 1700000090500000", "trace.csv gives times in microseconds" + shifted},
		{"nanoseconds since 1970", "1700000000500000000 1700000000750000000 1700000090500000000", "trace.csv gives times in nanoseconds" + shifted},
		{"the first row need not come first", "1700000090.5 1700000000.5 1700000000.75", "trace.csv gives times in seconds" + shifted},
		{"dates", "2023-11-14T22:13:20.5Z 2023-11-14T22:13:20.75Z 2023-11-14T23:14:50.5+01:00", "trace.csv gives times in seconds" + shifted},
	} {
		t.Run(c.name, func(t *testing.T) {
			csv := "at,class\n"
			for _, at := range strings.Fields(c.times) {
				csv += at + ",job\n"
			}
			s, err := traced(t, csv)
			if err != nil {
				t.Fatal(err)
			}
			var got []time.Duration
			for _, r := range s.Load[0].Phases[0].Rows {
				got = append(got, r.At)
			}
			if want := []time.Duration{0, 250 * time.Millisecond, 90 * time.Second}; !slices.Equal(got, want) {
				t.Errorf("rows at %v, want %v", got, want)
			}
			var want []string
			if c.note != "" {
				want = []string{c.note}
			}
			if !slices.Equal(s.Notes, want) {
				t.Errorf("notes %q\nwant  %q", s.Notes, want)
			}
			roundTrip(t, c.name, s)
		})
	}
}

// TestTenYearsAreTheLongestTrace wants the last time from the start, and the first since
// 1970, to be told apart.
func TestTenYearsAreTheLongestTrace(t *testing.T) {
	s, err := traced(t, "at,class\n315575999,job\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Load[0].Phases[0].Rows[0].At, 315575999*time.Second; got != want || s.Notes != nil {
		t.Errorf("at %v with notes %q, want %v without", got, s.Notes, want)
	}
	s, err = traced(t, "at,class\n315576000,job\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Load[0].Phases[0].Rows[0].At; got != 0 || len(s.Notes) != 1 {
		t.Errorf("at %v with notes %q, want 0s with one", got, s.Notes)
	}
}

func TestColumnsOfATraceMayComeInAnyOrder(t *testing.T) {
	s, err := traced(t, "class,service,at\njob,20ms,1s\njob,,2s\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{{At: time.Second, Size: -1, Service: 20 * time.Millisecond}, {At: 2 * time.Second, Size: -1, Service: -1}}
	if got := s.Load[0].Phases[0].Rows; !slices.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
}

func TestMessagesOfARunAreATrace(t *testing.T) {
	s, err := traced(t, `seq,class,queue,worker,slot,attempts,redelivered,intended_us,sent_us,confirmed_us,enqueued_us,dispatched_us,received_us,started_us,done_us,acked_us,state
0,job,q,w,0,1,false,500000,500010,,500010,500010,500010,500010,512345,512345,done
1,job,q,w,,0,false,1500000,1500000,,1500000,,,,,,unserved
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{{At: 500 * time.Millisecond, Size: -1, Service: 12335 * time.Microsecond}, {At: 1500 * time.Millisecond, Size: -1, Service: -1}}
	if got := s.Load[0].Phases[0].Rows; !slices.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
	if s.Notes != nil {
		t.Errorf("notes %q, want none", s.Notes)
	}
}

// TestByteOrderMarks wants the mark of UTF-8 before a scenario and its trace to change
// nothing, and UTF-16 to be refused by its name.
func TestByteOrderMarks(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	s, err := traced(t, mark+"at,class\n1s,job\n")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Load[0].Phases[0].Rows); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	if _, err := Parse("t.yaml", []byte(mark+sound)); err != nil {
		t.Error(err)
	}
	const utf16 = "\xff\xfea\x00t\x00"
	if _, err := Parse("t.yaml", []byte(utf16)); err == nil || err.Error() != "t.yaml: the text is in UTF-16: save it as UTF-8" {
		t.Errorf("error %v", err)
	}
	if _, err := traced(t, utf16); err == nil || !strings.HasSuffix(err.Error(), "trace.csv: the text is in UTF-16: save it as UTF-8") {
		t.Errorf("error %v", err)
	}
}

// FuzzTrace wants no panic on any trace, and rows in order of their times within the
// span that a run can have.
func FuzzTrace(f *testing.F) {
	for _, s := range []string{
		"at,class\n0,job\n", "at,class,exchange,routing_key,size,service\n1.5s,job,x,a.b,512,20ms\n",
		"at,class\n1700000000,job\n1700000001.5,job\n", "class,at\njob,2023-11-14T22:13:20Z\n",
		"seq,class,intended_us,started_us,done_us\n0,job,5,6,7\n", "\xef\xbb\xbfat,class\n9e99,job\n", "at;class\n",
	} {
		f.Add(s)
	}
	text := []byte(strings.Replace(sound, "class: job, model: burst, count: =n", "model: trace, file: trace.csv", 1))
	f.Fuzz(func(t *testing.T, trace string) {
		file, err := parse("t.yaml", text, fstest.MapFS{"trace.csv": {Data: []byte(trace)}})
		if err != nil {
			return
		}
		s, err := file.Resolve(Options{})
		if err != nil {
			t.Fatal(err)
		}
		last := time.Duration(0)
		for _, r := range s.Load[0].Phases[0].Rows {
			if r.At < last || r.At > 1<<62 {
				t.Fatalf("a row at %v after one at %v", r.At, last)
			}
			last = r.At
		}
	})
}
