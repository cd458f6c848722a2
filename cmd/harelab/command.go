package main

import (
	"os"
	"strings"
)

// commandLine returns the command line that gives the same figures again. It leaves out
// --out, --quiet and --resume, so that the same run in two folders gives the same
// bytes.
func commandLine() []string {
	out := []string{"harelab"}
	args := os.Args[1:]
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--out":
			i++
		case strings.HasPrefix(a, "--out="), a == "--quiet", a == "-q", a == "--resume":
		default:
			out = append(out, a)
		}
	}
	return out
}
