// Package tidy has the project's rules about its own source: which packages may import
// which, how long files may be, and what every package must document. The rules are
// tests, so `go test ./...` checks them.
package tidy
