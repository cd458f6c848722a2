package doctor

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"harelab/loadgen"
)

// ThisMachine measures this machine, which takes about a second. Root is the root of the
// file system, where Linux shows some of the facts.
func ThisMachine(root fs.FS) Machine {
	before, seen := stolen(root)
	m := Machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), CPUs: runtime.NumCPU(), Procs: runtime.GOMAXPROCS(0),
		Load: -1, Steal: -1, Files: openFiles(), BrokerPort: ":5672",
	}
	m.read(root)
	m.PortTaken = taken(m.BrokerPort)
	m.Timing = measureTime()
	if after, ok := stolen(root); ok && seen && after.all > before.all {
		m.Steal = (after.steal - before.steal) / (after.all - before.all)
	}
	return m
}

// read fills in the facts that files show.
func (m *Machine) read(root fs.FS) {
	line := func(name string) string {
		b, _ := fs.ReadFile(root, name)
		first, _, _ := bytes.Cut(b, []byte("\n"))
		return strings.TrimSpace(string(first))
	}
	m.Governor = line("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	m.ClockSource = line("sys/devices/system/clocksource/clocksource0/current_clocksource")
	if quota, period, ok := strings.Cut(line("sys/fs/cgroup/cpu.max"), " "); ok && quota != "max" {
		q, err1 := strconv.ParseFloat(quota, 64)
		p, err2 := strconv.ParseFloat(period, 64)
		if err1 == nil && err2 == nil && p > 0 {
			m.Quota = q / p
		}
	}
	if first, _, ok := strings.Cut(line("proc/loadavg"), " "); ok {
		if v, err := strconv.ParseFloat(first, 64); err == nil {
			m.Load = v
		}
	}
	info, _ := fs.ReadFile(root, "proc/cpuinfo")
	for s := bufio.NewScanner(bytes.NewReader(info)); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			m.Model = strings.TrimSpace(value)
			return
		}
	}
}

// ticks is processor time, in the unit of /proc/stat.
type ticks struct{ all, steal float64 }

// stolen reads the time that the hypervisor gave to other machines: the eighth figure of
// the line "cpu" in proc(5).
func stolen(root fs.FS) (ticks, bool) {
	b, err := fs.ReadFile(root, "proc/stat")
	if err != nil {
		return ticks{}, false
	}
	first, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(first)
	if len(f) < 9 || f[0] != "cpu" {
		return ticks{}, false
	}
	var t ticks
	for i, s := range f[1:9] {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return ticks{}, false
		}
		t.all += v
		if i == 7 {
			t.steal = v
		}
	}
	return t, true
}

// taken reports whether another program listens on addr.
func taken(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		l.Close()
	}
	return errors.Is(err, syscall.EADDRINUSE)
}

// measureTime measures the clock, timers and scheduler.
func measureTime() Timing {
	const (
		naps = 150
		nap  = time.Millisecond
		spin = 300 * time.Millisecond
	)
	t := Timing{Tick: time.Hour}
	begin := time.Now()
	for last := begin; last.Sub(begin) < spin; {
		now := time.Now()
		if step := now.Sub(last); step > 0 {
			t.Tick, t.Pause = min(t.Tick, step), max(t.Pause, step)
		}
		last = now
	}
	late := make([]time.Duration, naps)
	alarm := loadgen.NewAlarm()
	sleeper := alarm.Sleeper()
	for i := range late {
		due := time.Now().Add(nap)
		sleeper.Until(due, nil)
		late[i] = time.Since(due)
	}
	alarm.Close()
	t.LateP50, t.LateP99, t.LateMax = spread(late)
	for i := range late {
		due := time.Now().Add(nap)
		time.Sleep(nap)
		late[i] = time.Since(due)
	}
	t.SleepP50, t.SleepP99, t.SleepMax = spread(late)
	return t
}

// spread sorts d and returns its median, 99th percentile (nearest rank) and
// largest.
func spread(d []time.Duration) (p50, p99, most time.Duration) {
	slices.Sort(d)
	rank := func(p int) time.Duration { return d[(len(d)*p+99)/100-1] }
	return rank(50), rank(99), d[len(d)-1]
}
