// Command vuln checks a module for known vulnerabilities that its code can reach:
//
//	go run . MODULE_FOLDER
//
// The program is govulncheck with a database that needs no network service:
// golang.org/x/vulndb, whose version go.mod beside this file pins. To renew the
// database run `go get golang.org/x/vulndb@latest` here; do not run `go mod tidy`,
// which would drop that requirement, because no package of it is imported.
//
// A reachable vulnerability in a required module is an error (exit 1). One in the
// standard library is a note: a newer Go on the building machine mends it, and the
// checked module cannot choose that.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/vuln/scan"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . MODULE_FOLDER")
		os.Exit(2)
	}
	failed, err := check(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "vuln:", err)
		os.Exit(1)
	}
	if failed {
		os.Exit(1)
	}
}

// check prints what the code in dir reaches and reports whether a required module
// is among it.
func check(dir string) (failed bool, err error) {
	database, err := databaseFolder()
	if err != nil {
		return false, err
	}
	var out bytes.Buffer
	cmd := scan.Command(context.Background(), "-C", dir, "-format", "json", "-db", "file://"+filepath.ToSlash(database), "./...")
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		return false, err
	}
	if err := cmd.Wait(); err != nil {
		return false, fmt.Errorf("govulncheck in %s: %w", dir, err)
	}
	found, err := reached(&out)
	if err != nil {
		return false, err
	}
	for _, f := range found {
		if f.module == "stdlib" {
			fmt.Printf("note: %s in the standard library's %s; Go %s has it mended\n", f.id, f.pkg, strings.TrimPrefix(f.fixed, "v"))
			continue
		}
		failed = true
		fmt.Printf("%s: the code reaches %s of %s %s; version %s has it mended\n", f.id, f.pkg, f.module, f.version, f.fixed)
	}
	return failed, nil
}

// databaseFolder downloads the pinned database, if it is not there, and returns the
// folder of its entries.
func databaseFolder() (string, error) {
	const module = "golang.org/x/vulndb"
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("download %s: %w", module, err)
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(text, &m); err != nil {
		return "", err
	}
	return filepath.Join(m.Dir, "data", "osv"), nil
}

// A finding is a vulnerability that a call of the checked code reaches.
type finding struct {
	id, pkg, module, version, fixed string
}

// reached reads govulncheck's stream of JSON messages and returns the findings that
// name a function, each vulnerability once a package.
func reached(r io.Reader) ([]finding, error) {
	var found []finding
	seen := make(map[finding]bool)
	for d := json.NewDecoder(r); ; {
		var message struct {
			Finding *struct {
				OSV          string `json:"osv"`
				FixedVersion string `json:"fixed_version"`
				Trace        []struct{ Module, Version, Package, Function string }
			}
		}
		switch err := d.Decode(&message); {
		case err == io.EOF:
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("output of govulncheck: %w", err)
		}
		m := message.Finding
		if m == nil || len(m.Trace) == 0 || m.Trace[0].Function == "" {
			continue
		}
		at := m.Trace[0]
		f := finding{m.OSV, at.Package, at.Module, at.Version, m.FixedVersion}
		if !seen[f] {
			seen[f] = true
			found = append(found, f)
		}
	}
}
