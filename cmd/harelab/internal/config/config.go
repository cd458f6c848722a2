// Package config gives the flags of a command their values from a YAML file and from
// environment variables. The set of flags itself is the table of settings: the flag
// --memory-limit is the key memory-limit of the file and the variable
// HARELAB_MEMORY_LIMIT, so that a new flag needs nothing more.
//
// What is stronger is applied first and is not replaced: the command line, then the
// environment, then the file. [Source] tells where a value came from.
package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// wanted describes the values of each type of flag.
var wanted = map[string]string{
	"int": "a whole number", "uint64": "a whole number, 0 or above", "float64": "a number",
	"duration": "a time such as 5ms", "bool": "true or false",
}

// Wanted describes the values that a flag takes, as in "a whole number", or returns "" if
// the flag's own error says it.
func Wanted(f *pflag.Flag) string { return wanted[f.Value.Type()] }

// notSettings are flags that say what the command does now, not how it is set up.
var notSettings = []string{"help", "version"}

// sourceKey is the annotation of a flag that holds where its value came from.
const sourceKey = "source"

// Source returns where the value of a flag came from: "default", "--flag", the name of a
// variable, or the place in a file, as in "harelab.yaml:3".
func Source(f *pflag.Flag) string {
	if at := f.Annotations[sourceKey]; len(at) > 0 {
		return at[0]
	}
	if f.Changed {
		return "--" + f.Name
	}
	return "default"
}

// set gives a flag its values: one, or any number if the flag is a list.
func set(flags *pflag.FlagSet, f *pflag.Flag, source string, values ...string) error {
	for _, v := range values {
		if err := flags.Set(f.Name, v); err != nil {
			var invalid *pflag.InvalidValueError
			if want := Wanted(f); want != "" {
				err = fmt.Errorf("give %s", want)
			} else if errors.As(err, &invalid) {
				err = errors.Unwrap(invalid)
			}
			return &valueError{v, err}
		}
	}
	return flags.SetAnnotation(f.Name, sourceKey, []string{source})
}

// A valueError says what is wrong with a value.
type valueError struct {
	value string
	err   error
}

func (e *valueError) Error() string { return fmt.Sprintf("%q: %v", e.value, e.err) }

// Variable returns the name of the variable that stands for a flag.
func Variable(flag string) string {
	return "HARELAB_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// FromEnvironment sets the flags that were not given from their variables. It goes on
// after a mistake and returns all mistakes, in order of flags.
func FromEnvironment(flags *pflag.FlagSet) (mistakes []error) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := Variable(f.Name)
		value, ok := os.LookupEnv(name)
		if !ok || f.Changed || slices.Contains(notSettings, f.Name) {
			return
		}
		if err := set(flags, f, name, value); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s=%w", name, err))
		}
	})
	return mistakes
}

// Place names the file or variable that the value came from in an error about a flag,
// which begins with the flag's name: `--amqp "x": ...` becomes
// `harelab.yaml:3: amqp "x": ...`. Other errors are returned as they are.
func Place(flags *pflag.FlagSet, err error) error {
	text := strings.TrimPrefix(err.Error(), "--")
	name := text[:len(text)-len(strings.TrimLeft(text, "abcdefghijklmnopqrstuvwxyz0123456789-"))]
	f := flags.Lookup(name)
	if f == nil || len(f.Annotations[sourceKey]) == 0 {
		return err
	}
	return &placedError{Source(f) + ": " + text, err}
}

// A placedError is an error with a text that begins with a place.
type placedError struct {
	text string
	err  error
}

func (e *placedError) Error() string { return e.text }
func (e *placedError) Unwrap() error { return e.err }
