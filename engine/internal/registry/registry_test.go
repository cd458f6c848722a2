package registry

import (
	"slices"
	"testing"
)

func TestAllIsInOrderOfName(t *testing.T) {
	r := New[int]("colour", "shade")
	r.Add("red", 3)
	r.Add("blue", 1)
	r.Add("green", 2)
	if got, want := r.Names(), []string{"blue", "green", "red"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
	if got, want := r.All(), []int{1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("All() = %d, want %d", got, want)
	}
}

func TestGet(t *testing.T) {
	r := New[int]("colour", "shade")
	r.Add("red", 3)
	r.Add("blue", 1)
	if got, err := r.Get("red"); got != 3 || err != nil {
		t.Errorf("Get(red) = %d, %v, want 3, nil", got, err)
	}
	for name, want := range map[string]string{
		"rad":   `colour: unknown shade "rad" (have blue, red); did you mean "red"?`,
		"black": `colour: unknown shade "black" (have blue, red)`,
	} {
		if _, err := r.Get(name); err == nil || err.Error() != want {
			t.Errorf("Get(%s): error %v, want %s", name, err, want)
		}
	}
}

func TestAddPanics(t *testing.T) {
	for _, tt := range []struct{ rule, name, want string }{
		{"a name is given once", "red", `colour: shade "red" is registered twice`},
		{"a name is not empty", "", `colour: shade without a name`},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r := New[int]("colour", "shade")
			r.Add("red", 3)
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("Add(%q) panicked with %v, want %s", tt.name, got, tt.want)
				}
			}()
			r.Add(tt.name, 4)
		})
	}
}
