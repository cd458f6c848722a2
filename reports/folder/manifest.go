package folder

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"harelab/loadgen/run"
)

const manifestSchema = "harelab/manifest/v1"

// A Manifest has what is needed to reproduce a folder's figures.
type Manifest struct {
	Schema   string    `json:"schema"`
	Version  string    `json:"version,omitempty"`  // of harelab
	Revision string    `json:"revision,omitempty"` // commit from which harelab was built
	Modified bool      `json:"modified,omitempty"` // the working tree had changes
	Go       string    `json:"go"`                 // version of Go
	Command  []string  `json:"command,omitempty"`  // as typed, without credentials
	Started  time.Time `json:"started,omitzero"`   // zero if all runs are in virtual time
	Host     *Host     `json:"host,omitempty"`     // nil if all runs are in virtual time, where the host does not matter
	Arms     []Arm     `json:"arms"`               // one for each run
}

// A Host is the machine of a run on a real clock.
type Host struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	CPU   string `json:"cpu,omitempty"`
	CPUs  int    `json:"cpus"` // number of logical CPUs
	Procs int    `json:"gomaxprocs"`
}

// An Arm is the manifest's entry for one run.
type Arm struct {
	Dir          string            `json:"dir"`
	Arm          string            `json:"arm"`
	Target       string            `json:"target"`        // kind, product and version
	URL          string            `json:"url,omitempty"` // of a broker, without credentials
	Seed         uint64            `json:"seed"`
	Repeat       int               `json:"repeat"`
	ScenarioHash string            `json:"scenario_sha256"` // of scenario.resolved.yaml
	Doc          string            `json:"doc,omitempty"`
	Params       map[string]string `json:"params,omitempty"`
	Started      time.Time         `json:"started,omitzero"`
	Elapsed      time.Duration     `json:"elapsed_ns,omitempty"`
	LengthUS     int64             `json:"length_us"`
	WarmupUS     int64             `json:"warmup_us"`
	IntervalUS   int64             `json:"interval_us"`
	Queues       []string          `json:"queues"`
	Tenants      []string          `json:"tenants,omitempty"`
	WorkerQueues [][]string        `json:"worker_queues"`
	WorkerAway   [][]run.Absence   `json:"worker_away,omitempty"` // when each worker was away; nil if none was
	Outages      []run.Outage      `json:"outages,omitempty"`
	Charts       []string          `json:"charts,omitempty"` // that report.charts names
	Partial      bool              `json:"partial"`
	Valid        bool              `json:"valid"`
	Findings     []string          `json:"findings,omitempty"`
}

// NewManifest describes this process and its command line, from which it removes the
// credentials of URLs.
func NewManifest(command []string) Manifest {
	m := Manifest{Schema: manifestSchema, Go: runtime.Version()}
	for _, arg := range command {
		m.Command = append(m.Command, Redact(arg))
	}
	if b, ok := debug.ReadBuildInfo(); ok {
		m.Version = b.Main.Version
		for _, s := range b.Settings {
			switch s.Key {
			case "vcs.revision":
				m.Revision = s.Value
			case "vcs.modified":
				m.Modified = s.Value == "true"
			}
		}
	}
	return m
}

// fill adds the entries of the runs, and removes credentials from their figures.
func (m *Manifest) fill(runs []*Run) {
	m.Schema = manifestSchema
	m.Arms = nil
	for _, r := range runs {
		res := r.Result
		resolved := Redact(string(res.Resolved))
		sum := sha256.Sum256([]byte(resolved))
		a := Arm{
			Dir: r.Dir, Arm: res.Arm(), Seed: res.Seed, Repeat: res.Repeat,
			Target:       strings.Join(strings.Fields(res.Target.Kind+" "+res.Target.Product+" "+res.Target.Version+" "+res.Target.Durability), " "),
			URL:          Redact(res.Target.URL),
			ScenarioHash: hex.EncodeToString(sum[:]), Doc: res.Doc, Params: res.Params,
			Started: res.Started, Elapsed: res.Elapsed, LengthUS: res.Length, WarmupUS: res.Warmup, IntervalUS: res.Interval,
			Queues: res.Queues, Tenants: res.Tenants, Outages: res.Outages, Charts: res.Charts, Partial: res.Partial, Valid: r.Summary.Valid(),
		}
		for _, w := range res.Workers {
			a.WorkerQueues = append(a.WorkerQueues, w.Queues)
			a.WorkerAway = append(a.WorkerAway, w.Away)
		}
		if !slices.ContainsFunc(a.WorkerAway, func(away []run.Absence) bool { return len(away) > 0 }) {
			a.WorkerAway = nil
		}
		for _, f := range r.Summary.Findings {
			a.Findings = append(a.Findings, f.Code)
		}
		if !r.Summary.Virtual {
			if m.Started.IsZero() || res.Started.Before(m.Started) {
				m.Started = res.Started
			}
			if m.Host == nil {
				m.Host = thisHost()
			}
		}
		r.Summary.Target.URL = Redact(r.Summary.Target.URL)
		for i := range r.Summary.Findings {
			r.Summary.Findings[i].Text = Redact(r.Summary.Findings[i].Text)
		}
		m.Arms = append(m.Arms, a)
	}
}

func thisHost() *Host {
	return &Host{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), CPUs: runtime.NumCPU(), Procs: runtime.GOMAXPROCS(0),
	}
}

// cpuModel returns the processor's name on Linux, and nothing elsewhere.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// userinfo matches the part of a URL between its scheme and its host. It reaches to
// the last @, since a password may contain one: losing a piece of the host is better
// than keeping a piece of the password.
var userinfo = regexp.MustCompile(`://[^\s"']*@`)

// Redact removes the user names and passwords of all URLs in s.
func Redact(s string) string { return userinfo.ReplaceAllString(s, "://") }
