// Package doctor checks the machine that harelab runs on for what would spoil
// measurements: clock, timers, processors, other load, limits.
package doctor

import (
	"fmt"
	"time"
)

// A Health rates a fact about the machine by its effect on measurements.
type Health string

// The healths. Note is a fact to keep in mind when reading figures; Bad spoils them.
const (
	Well Health = "ok"
	Note Health = "note"
	Bad  Health = "bad"
)

// A Symptom is one line of the diagnosis.
type Symptom struct {
	Health Health
	Name   string
	Text   string
}

// A Machine has the facts that the doctor judges. A fact that the system does not show is
// empty, or negative for Load and Steal.
type Machine struct {
	OS, Arch, Go, Model string
	CPUs, Procs         int
	Quota               float64 // processors that the control group grants; 0: no limit
	Governor            string
	ClockSource         string
	Load                float64 // mean number of runnable threads over a minute
	Steal               float64 // share of the time that the hypervisor gave to other machines
	Files               uint64  // limit of open files; 0: not visible
	BrokerPort          string  // address that a broker would listen on
	PortTaken           bool
	Timing              Timing
}

// A Timing has the measured behaviour of clock and scheduler.
type Timing struct {
	Tick                         time.Duration // smallest step of the clock
	LateP50, LateP99, LateMax    time.Duration // lateness of the load generator's alarm
	SleepP50, SleepP99, SleepMax time.Duration // lateness of time.Sleep
	Pause                        time.Duration // longest time for which a busy thread did not run
}

// worse returns Well up to note, Note up to bad, and Bad beyond.
func worse[T int | uint64 | float64 | time.Duration](v, note, bad T) Health {
	switch {
	case v > bad:
		return Bad
	case v > note:
		return Note
	}
	return Well
}

// Diagnose judges each fact about m.
func (m Machine) Diagnose() []Symptom {
	var out []Symptom
	add := func(h Health, name, format string, args ...any) {
		out = append(out, Symptom{h, name, fmt.Sprintf(format, args...)})
	}
	model := ""
	if m.Model != "" {
		model = ", " + m.Model
	}
	add(Well, "system", "%s/%s, %s%s", m.OS, m.Arch, m.Go, model)
	switch {
	case m.CPUs == 1:
		add(Bad, "processors", "1: load generator, broker and workers compete for it")
	case m.Procs < m.CPUs:
		add(Note, "processors", "%d, of which GOMAXPROCS allows %d", m.CPUs, m.Procs)
	default:
		add(Well, "processors", "%d, GOMAXPROCS %d", m.CPUs, m.Procs)
	}
	if m.Quota > 0 && m.Quota < float64(m.CPUs) {
		h := Note
		if m.Quota < 1 {
			h = Bad
		}
		add(h, "quota", "the control group grants %.2g of %d processors: beyond that, harelab is paused", m.Quota, m.CPUs)
	}
	switch m.Governor {
	case "performance":
		add(Well, "governor", "performance")
	case "":
		add(Note, "governor", "not visible (a virtual machine, or no Linux): the processor's speed may change")
	default:
		add(Note, "governor", "%s: speed depends on load; choose performance to measure", m.Governor)
	}
	out = append(out, m.diagnoseTime()...)
	out = append(out, m.diagnoseNeighbours()...)
	switch {
	case m.Files == 0:
		add(Note, "open files", "limit not visible")
	case m.Files < 1024:
		add(Bad, "open files", "at most %d: enough for a few hundred connections (raise it with ulimit -n)", m.Files)
	case m.Files < 8192:
		add(Note, "open files", "at most %d: raise it with ulimit -n for thousands of connections", m.Files)
	default:
		add(Well, "open files", "at most %d", m.Files)
	}
	if m.PortTaken {
		add(Note, "port", "%s is taken, perhaps by a broker: give harelab serve another address with --amqp", m.BrokerPort)
	} else {
		add(Well, "port", "%s is free for harelab serve", m.BrokerPort)
	}
	return out
}

// diagnoseTime judges clock and timers. A load generator that is late by over 1 ms may
// make a run invalid, so an alarm that late gets a note. Waits are compared at 50 ms, so
// a pause that long spoils them.
func (m Machine) diagnoseTime() []Symptom {
	t := m.Timing
	source := Symptom{Well, "clock", "steps of " + t.Tick.String()}
	switch m.ClockSource {
	case "":
	case "hpet", "acpi_pm", "jiffies", "pit":
		source.Health, source.Text = Note, fmt.Sprintf("%s, source %s: slow to read", source.Text, m.ClockSource)
	default:
		source.Text += ", source " + m.ClockSource
	}
	if h := worse(t.Tick, 10*time.Microsecond, time.Millisecond); h != Well {
		source.Health = h
	}
	late := func(name string, bad, p50, p99, most time.Duration) Symptom {
		return Symptom{worse(p99, bad/10, bad), name,
			fmt.Sprintf("late by %s (p50), %s (p99), %s (max)", short(p50), short(p99), short(most))}
	}
	return []Symptom{source,
		late("alarm", 10*time.Millisecond, t.LateP50, t.LateP99, t.LateMax),
		late("time.Sleep", 50*time.Millisecond, t.SleepP50, t.SleepP99, t.SleepMax),
		{worse(t.Pause, 10*time.Millisecond, 50*time.Millisecond), "pauses",
			fmt.Sprintf("a busy thread did not run for up to %s", short(t.Pause))}}
}

// diagnoseNeighbours judges the load of other programs and virtual machines.
func (m Machine) diagnoseNeighbours() []Symptom {
	var out []Symptom
	if m.Load < 0 {
		out = append(out, Symptom{Note, "load", "not visible"})
	} else {
		share := m.Load / float64(max(1, m.CPUs))
		text := fmt.Sprintf("%.2f threads on %d processors over the last minute", m.Load, m.CPUs)
		h := worse(share, 0.25, 0.75)
		if h != Well {
			text += ": other programs use them"
		}
		out = append(out, Symptom{h, "load", text})
	}
	if m.Steal >= 0 {
		out = append(out, Symptom{worse(m.Steal, 0.01, 0.05), "stolen",
			fmt.Sprintf("%.1f %% of the time went to other virtual machines", 100*m.Steal)})
	}
	return out
}

// short writes a duration rounded to microseconds.
func short(d time.Duration) string { return d.Round(time.Microsecond).String() }
