package doctor

import (
	"net"
	"testing"
	"testing/fstest"
	"time"
)

// fit returns a machine without a problem.
func fit() Machine {
	return Machine{OS: "linux", Arch: "amd64", Go: "go1.26", CPUs: 8, Procs: 8, Governor: "performance", ClockSource: "tsc",
		Load: 0.1, Steal: -1, Files: 65536, BrokerPort: ":5672",
		Timing: Timing{Tick: 30, LateP99: 60e3, SleepP99: 1e6, Pause: 2e6}}
}

func TestDiagnose(t *testing.T) {
	for _, s := range fit().Diagnose() {
		if s.Health != Well {
			t.Errorf("a fit machine: %v", s)
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(*Machine)
		line  string
		want  Health
	}{
		{"one processor", func(m *Machine) { m.CPUs, m.Procs = 1, 1 }, "processors", Bad},
		{"some processors unused", func(m *Machine) { m.Procs = 2 }, "processors", Note},
		{"half a processor granted", func(m *Machine) { m.Quota = 0.5 }, "quota", Bad},
		{"two processors granted", func(m *Machine) { m.Quota = 2 }, "quota", Note},
		{"a governor that saves power", func(m *Machine) { m.Governor = "powersave" }, "governor", Note},
		{"no governor to see", func(m *Machine) { m.Governor = "" }, "governor", Note},
		{"a slow clock", func(m *Machine) { m.ClockSource = "hpet" }, "clock", Note},
		{"a coarse clock", func(m *Machine) { m.Timing.Tick = 15 * time.Millisecond }, "clock", Bad},
		{"late alarms", func(m *Machine) { m.Timing.LateP99 = 6 * time.Millisecond }, "alarm", Note},
		{"sleeps far too long", func(m *Machine) { m.Timing.SleepP99 = 51 * time.Millisecond }, "time.Sleep", Bad},
		{"threads that stand still", func(m *Machine) { m.Timing.Pause = 20 * time.Millisecond }, "pauses", Note},
		{"a busy machine", func(m *Machine) { m.Load = 7 }, "load", Bad},
		{"a hypervisor that takes a share", func(m *Machine) { m.Steal = 0.02 }, "stolen", Note},
		{"few open files", func(m *Machine) { m.Files = 256 }, "open files", Bad},
		{"the usual open files", func(m *Machine) { m.Files = 1024 }, "open files", Note},
		{"a broker already there", func(m *Machine) { m.PortTaken = true }, "port", Note},
	} {
		m := fit()
		c.spoil(&m)
		got := Well
		for _, s := range m.Diagnose() {
			if s.Name == c.line {
				got = s.Health
			} else if s.Health != Well {
				t.Errorf("%s: also %v", c.name, s)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.name, c.line, got, c.want)
		}
	}
}

func TestMachineReadsWhatLinuxTells(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	root := fstest.MapFS{
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor":            file("powersave\n"),
		"sys/devices/system/clocksource/clocksource0/current_clocksource": file("tsc\n"),
		"sys/fs/cgroup/cpu.max": file("150000 100000\n"),
		"proc/loadavg":          file("1.25 0.80 0.50 2/300 999\n"),
		"proc/cpuinfo":          file("processor\t: 0\nmodel name\t: Example 3000\n"),
		"proc/stat":             file("cpu  10 20 30 40 0 0 0 25 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n"),
	}
	var m Machine
	m.read(root)
	if m.Governor != "powersave" || m.ClockSource != "tsc" || m.Quota != 1.5 || m.Load != 1.25 || m.Model != "Example 3000" {
		t.Errorf("read %+v", m)
	}
	if got, ok := stolen(root); !ok || got != (ticks{all: 125, steal: 25}) {
		t.Errorf("stolen %+v %v, want 25 of 125", got, ok)
	}
	m = Machine{Load: -1}
	m.read(fstest.MapFS{"proc/loadavg": file("much"), "sys/fs/cgroup/cpu.max": file("max 100000\n"), "proc/stat": file("cpu x")})
	if m != (Machine{Load: -1}) {
		t.Errorf("read %+v where there is nothing to read", m)
	}
}

func TestTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if !taken(addr) {
		t.Errorf("%s is not taken while it is listened on", addr)
	}
	l.Close()
	if taken(addr) {
		t.Errorf("%s is taken after it was closed", addr)
	}
}

func TestSpread(t *testing.T) {
	d := make([]time.Duration, 200)
	for i := range d {
		d[i] = time.Duration(200 - i)
	}
	if p50, p99, most := spread(d); p50 != 100 || p99 != 198 || most != 200 {
		t.Errorf("spread of 1 to 200: %d, %d, %d; want 100, 198, 200", p50, p99, most)
	}
}
