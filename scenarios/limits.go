package scenarios

import (
	"fmt"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// The limits of one scenario, over all its entries. A scenario beyond one of them is
// refused before anything of its size is allocated, so that a slip in a number is
// answered with a sentence. [MaxMessages] also holds during a run: see loadgen.
const (
	MaxMessages = 5_000_000 // of a run, which keeps a row for each: with its figures, some 700 bytes
	maxSlots    = 1_000_000 // of all workers
	maxUsers    = 100_000   // of all closed phases
	maxInFlight = 1 << 24   // unconfirmed messages of all sequences
	maxLines    = 10_000    // connections of all sequences
	MaxSize     = 128 << 20 // bytes of a message, the largest that RabbitMQ takes by default; a draw beyond is cut
)

// checkLimits refuses a scenario that multiplies beyond a limit.
func (d *decoder) checkLimits(s *Scenario, root *yaml.Node) {
	slots := 0.0
	for i := range s.Workers {
		slots += float64(s.Workers[i].Slots)
	}
	d.limit(field(root, "workers"), slots, maxSlots, "slots of all workers", "count or threads")
	var users, flight, lines, messages float64
	for i := range s.Load {
		q := &s.Load[i]
		lines += float64(q.Connections)
		flight += float64(q.MaxInFlight)
		for j := range q.Phases {
			users += float64(q.Phases[j].Users)
			messages += q.Phases[j].expected(s)
		}
	}
	load := field(root, "load")
	d.limit(load, lines, maxLines, "connections of all sequences", "connections, or the number of sequences")
	d.limit(load, flight, maxInFlight, "unconfirmed messages of all sequences", "max_in_flight")
	d.limit(load, users, maxUsers, "users of all phases", "users")
	d.limit(load, messages, MaxMessages, "messages of the whole load", "rate, duration or count")
	for i := range s.Classes {
		c := &s.Classes[i]
		size := c.Size.Mean()
		if c.Size.Max > 0 {
			size = math.Min(size, c.Size.Max)
		}
		d.limit(field(root, "classes"), size, MaxSize, fmt.Sprintf("bytes of a message of class %q on average", c.Name), "size")
	}
}

// limit records a mistake if there are more of something than a scenario may have.
func (d *decoder) limit(at *yaml.Node, have, most float64, what, lower string) {
	if have > most || math.IsNaN(have) {
		d.fail(at, "%s: %s, and the limit is %s: lower %s", what, grouped(have), grouped(most), lower)
	}
}

// grouped writes a number of things with commas, or a huge one with an exponent.
func grouped(v float64) string {
	if !(v < 1e15) {
		return fmt.Sprintf("about %.3g", v)
	}
	s := strconv.FormatFloat(math.Ceil(v), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// expected is the number of messages of a phase, as far as the scenario says it. That of a
// closed phase which a duration ends is what its users send if nothing delays them, or
// what all slots can serve; 0 if both are unlimited, as the run itself keeps the limit.
func (p *Phase) expected(s *Scenario) float64 {
	n := math.Inf(1)
	if p.Count > 0 || p.Model == Burst {
		n = float64(p.Count)
	}
	switch p.Model {
	case Trace:
		return float64(len(p.Rows))
	case Open:
		sum := 0.0
		for _, seg := range p.Shape {
			sum += (seg.From + seg.To) / 2 * seg.For.Seconds()
		}
		return math.Min(n, sum)
	case Closed:
		if !math.IsInf(n, 1) {
			return n
		}
		service, slots := math.Inf(1), 0
		for _, c := range p.classes(s) {
			service = math.Min(service, s.Classes[c].Service.Mean())
		}
		for i := range s.Workers {
			slots += s.Workers[i].Slots
		}
		each, length := p.Think.Mean(), float64(p.Duration.Microseconds())
		if p.Await == AwaitDone {
			each += service
			n = float64(slots) * length / service
		}
		if n = math.Min(n, float64(p.Users)*length/each); math.IsInf(n, 1) || math.IsNaN(n) {
			return 0
		}
	}
	return n
}
