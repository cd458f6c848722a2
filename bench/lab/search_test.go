package lab

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"harelab/loadgen/run"
)

// quickFile writes a scenario of n jobs of 10 ms for one worker: the last job waits
// (n-1) x 10 ms.
func quickFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "quick.yaml")
	if err := os.WriteFile(file, []byte(quick), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSearch(t *testing.T) {
	file := quickFile(t)
	for _, tt := range []struct {
		rule     string
		from, to int
		bounds   []string
		repeat   int
		want     Found
		most     int // largest number of values that are tried
	}{
		{"the last that holds", 1, 100, []string{"wait.max <= 95ms"}, 1, Found{Value: 10}, 9},
		{"upwards, the value that just holds", 1, 100, []string{"wait.max <= 90ms"}, 1, Found{Value: 10}, 9},
		{"downwards", 100, 1, []string{"wait.max >= 95ms"}, 1, Found{Value: 11}, 9},
		{"neighbours", 10, 11, []string{"wait.max <= 95ms"}, 1, Found{Value: 10}, 2},
		{"the tightest of several bounds", 1, 100, []string{"wait.max <= 95ms", "makespan <= 50ms"}, 1, Found{Value: 5}, 9},
		{"not even the first", 20, 100, []string{"wait.max <= 95ms"}, 1, Found{Value: 20, None: true}, 1},
		{"all of them", 1, 10, []string{"wait.max <= 95ms"}, 1, Found{Value: 10, Edge: true}, 2},
		{"repeats", 1, 100, []string{"wait.max <= 95ms"}, 3, Found{Value: 10}, 9},
	} {
		s, err := NewSearch(SearchRequest{Scenario: file, Param: "n", From: tt.from, To: tt.to, Bounds: tt.bounds, Repeat: tt.repeat, Target: Target{Kind: Sim}})
		if err != nil {
			t.Fatalf("%s: %v", tt.rule, err)
		}
		got, err := s.Run(context.Background(), nil)
		if err != nil || got.Value != tt.want.Value || got.None != tt.want.None || got.Edge != tt.want.Edge || len(got.Tried) > tt.most {
			t.Errorf("%s: %+v, %v, %d tried, want %+v of at most %d", tt.rule, got, err, len(got.Tried), tt.want, tt.most)
		}
		if next := got.Value + (tt.to-tt.from)/max(tt.to-tt.from, tt.from-tt.to); !got.None && !got.Edge &&
			!slices.ContainsFunc(got.Tried, func(t Tried) bool { return t.Value == next }) {
			t.Errorf("%s: %d was not tried, so %d is not known to be the last", tt.rule, next, got.Value)
		}
		for _, tried := range got.Tried {
			if holds := strings.HasPrefix(tt.bounds[0], "wait.max >=") == (tried.Value > 10); len(tt.bounds) == 1 && tried.Holds != holds {
				t.Errorf("%s: %d holds %v, want %v", tt.rule, tried.Value, tried.Holds, holds)
			}
			if len(tried.Runs) != tt.repeat || tried.Runs[0].Summary.Seed != s.base.Seed {
				t.Errorf("%s: %d has %d runs, want %d from seed %d", tt.rule, tried.Value, len(tried.Runs), tt.repeat, s.base.Seed)
			}
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	file := quickFile(t)
	for _, tt := range []struct {
		param, bound string
		to           int
		want         string
	}{
		{"m", "wait.max < 1s", 9, `unknown param "m" (have ack, n)`},
		{"akc", "wait.max < 1s", 9, `unknown param "akc": did you mean "ack"? (have ack, n)`},
		{"n", "", 9, "a search needs a bound, such as 'wait.p99 < 50ms'"},
		{"n", "wiat.max < 1s", 9, `bound unknown metric "wiat.max": did you mean "wait"?`},
		{"n", "wait.max", 9, `bound "wait.max": give one of`},
		{"n", "wait.max{class=jbo} < 1s", 9, `bound metric "wait.max{class=jbo}": there is no class "jbo": did you mean "job"?`},
		{"n", "wait.max < 1s", -1, `n=-1: `},
	} {
		var bounds []string
		if tt.bound != "" {
			bounds = []string{tt.bound}
		}
		_, err := NewSearch(SearchRequest{Scenario: file, Param: tt.param, From: 1, To: tt.to, Bounds: bounds, Target: Target{Kind: Sim}})
		if !IsUsage(err) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s, %q: %v, want %s", tt.param, tt.bound, err, tt.want)
		}
	}
}

// A stopper cancels after some arms have ended.
type stopper struct {
	unwatched
	after int
	stop  context.CancelFunc
}

func (s *stopper) End(int, Arm, *run.Result) {
	if s.after--; s.after == 0 {
		s.stop()
	}
}

func TestSearchThatIsInterruptedKeepsWhatWasTried(t *testing.T) {
	s, err := NewSearch(SearchRequest{Scenario: quickFile(t), Param: "n", From: 1, To: 100, Bounds: []string{"wait.max <= 95ms"}, Target: Target{Kind: Sim}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	got, err := s.Run(ctx, &stopper{after: 3, stop: stop})
	if !errors.Is(err, context.Canceled) || len(got.Tried) != 2 || got.Value != 1 {
		t.Errorf("%+v, %v, want two values tried and the first kept", got, err)
	}
}
