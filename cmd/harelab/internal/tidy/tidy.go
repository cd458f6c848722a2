// Package tidy holds the project's rules about its own source: who may import
// whom, how long files may grow, what every package must say about itself.
// The rules are tests, so `go test ./...` is the whole gate.
package tidy
