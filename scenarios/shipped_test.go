package scenarios

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// forms resolves a file in every form its variants and single-axis settings
// give it.
func forms(t *testing.T, f *File) map[string]*Scenario {
	t.Helper()
	list := map[string]*Scenario{}
	add := func(name string, o Options) {
		s, err := f.Resolve(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		list[name] = s
	}
	add(f.Name, Options{})
	for _, v := range f.Variants() {
		add(f.Name+"/"+v, Options{Variant: v})
	}
	for _, axis := range f.Sweep().Axes {
		for _, val := range axis.Values {
			add(f.Name+" "+axis.Name+"="+val, Options{Set: map[string]string{axis.Name: val}})
		}
	}
	return list
}

func TestShippedScenarios(t *testing.T) {
	if len(Names()) < 12 {
		t.Fatalf("%d scenarios: %v", len(Names()), Names())
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			f, err := Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name != name || f.Title == "" || f.Doc == "" {
				t.Errorf("name %q, title %q", f.Name, f.Title)
			}
			for form, s := range forms(t, f) {
				if len(s.Bindings) > 20_000 {
					continue // the text of these is megabytes
				}
				roundTrip(t, form, s)
			}
		})
	}
}

// roundTrip wants the resolved text to load and to resolve to itself.
func roundTrip(t *testing.T, form string, s *Scenario) {
	t.Helper()
	f, err := Parse("resolved.yaml", s.YAML())
	if err != nil {
		t.Errorf("%s: %v", form, err)
		return
	}
	again, err := f.Resolve(Options{})
	if err != nil {
		t.Errorf("%s: %v", form, err)
		return
	}
	if again.SHA256 != s.SHA256 {
		a, b := strings.Split(string(s.YAML()), "\n"), strings.Split(string(again.YAML()), "\n")
		for i := range a {
			if a[i] != b[min(i, len(b)-1)] {
				t.Errorf("%s: the resolved text resolves to another one:\n%s\n%s", form, a[i], b[min(i, len(b)-1)])
				return
			}
		}
	}
	if again.Variant != s.Variant {
		t.Errorf("%s: variant %q after the round trip", form, again.Variant)
	}
}

// undrafted takes out of the drafts what the format does not have: metrics that
// nothing computes, and a second matcher that nobody runs.
var undrafted = strings.NewReplacer(
	", check_against: naive:0.1%", "",
	"mismatches == 0, ", "",
	"- recovery{of=wait.p99, within=2x} < 60s when retry == backoff-jitter", "- lost == 0",
)

func TestDraftScenarios(t *testing.T) {
	files, _ := filepath.Glob("../../shared/scenarios/*.yaml")
	if len(files) == 0 {
		t.Skip("the folder of draft scenarios is not beside the repository")
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		f, err := Parse(path, []byte(undrafted.Replace(string(data))))
		if err != nil {
			t.Error(err)
			continue
		}
		s, err := f.Resolve(Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		roundTrip(t, f.Name, s)
	}
}

// TestSeedsKeepTheirMeaning wants the two scenarios of the talk to resolve to
// what is in testdata. Look at a change before accepting it with -update.
func TestSeedsKeepTheirMeaning(t *testing.T) {
	for _, c := range []struct{ name, variant string }{
		{"celery-initial", ""}, {"celery-optimized", ""}, {"celery-optimized", "same-load"}, {"celery-optimized", "same-load-fair"},
	} {
		f, err := Load(c.name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.Resolve(Options{Variant: c.variant})
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", strings.TrimSuffix(c.name+"."+c.variant, ".")+".resolved.yaml")
		if *update {
			if err := os.WriteFile(golden, s.YAML(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, s.YAML()) {
			t.Errorf("%s differs; look at it, then run: go test ./scenarios -update\n%s", golden, s.YAML())
		}
	}
}

func TestResolveIsDeterministic(t *testing.T) {
	f, err := Load("topic-explosion")
	if err != nil {
		t.Fatal(err)
	}
	a, _ := f.Resolve(Options{})
	b, _ := f.Resolve(Options{})
	seed := uint64(32)
	c, _ := f.Resolve(Options{Seed: &seed})
	if a.SHA256 != b.SHA256 {
		t.Error("two resolutions differ")
	}
	if a.SHA256 == c.SHA256 || slices.EqualFunc(a.Bindings, c.Bindings, func(x, y Binding) bool { return x.Key == y.Key }) {
		t.Error("another seed gives the same bindings")
	}
}

func TestLoadByName(t *testing.T) {
	_, err := Load("celery-inital")
	if err == nil || !strings.Contains(err.Error(), `did you mean "celery-initial"?`) {
		t.Errorf("Load(celery-inital) = %v, want the nearest name", err)
	}
	if _, err = Load("no/such.yaml"); err == nil {
		t.Error("a missing file loads")
	}
}

func TestOptions(t *testing.T) {
	f, err := Load("celery-optimized")
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Resolve(Options{Variant: "same-load", Set: map[string]string{"queries": "60", "ack": "on-done"}, Dispatch: "fair", Matcher: "trie"})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Load[0].Phases[1].Count; n != 60 {
		t.Errorf("%d queries, want --set over the variant's 40", n)
	}
	if s.Workers[0].Ack.When != OnDone || s.Engine.Dispatch != "fair" || s.Engine.Matcher != "trie" || s.Params["queries"] != "60" {
		t.Errorf("%+v %+v %v", s.Workers[0].Ack, s.Engine, s.Params)
	}
	for _, o := range []Options{{Variant: "same-laod"}, {Set: map[string]string{"qeries": "1"}}, {Set: map[string]string{"queries": "many"}}} {
		if _, err := f.Resolve(o); err == nil {
			t.Errorf("%+v resolves", o)
		} else {
			t.Log(err)
		}
	}
}
