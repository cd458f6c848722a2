package scenarios

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// An instant is the time of a row of a trace: from the start of the phase, or since
// 1970.
type instant struct {
	seconds float64
	unit    string // the unit of a time since 1970; empty: it counts from the start
}

// sinceEpoch are the units of times since 1970, with the least number that has the
// unit. A lesser number than the first is in seconds from the start of the phase: less
// than ten years. Since 1980 the number of seconds since 1970 is greater, and no two
// units share a number between then and the year 5138.
var sinceEpoch = []struct {
	least, perSecond float64
	unit             string
}{
	{10 * 365.25 * 86400, 1, "seconds"},
	{1e11, 1e3, "milliseconds"},
	{1e14, 1e6, "microseconds"},
	{1e17, 1e9, "nanoseconds"},
}

// calendar are the forms of a date with its time.
var calendar = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"}

// parseInstant reads a time with a unit, a number (of seconds, or since 1970 of what its
// magnitude says), or a date and time, in UTC unless it says otherwise.
func parseInstant(s string) (instant, error) {
	for _, form := range calendar {
		if t, err := time.Parse(form, s); err == nil {
			return instant{float64(t.Unix()) + float64(t.Nanosecond())/1e9, "seconds"}, nil
		}
	}
	v := parseLiteral(s)
	if v.kind != number || v.time != 1 && v.time != 0 || v.bytes != 0 || v.num < 0 {
		return instant{}, fmt.Errorf("%s: give a time such as 1.5s", strconv.Quote(s))
	}
	at := instant{seconds: v.num}
	for _, u := range sinceEpoch {
		if v.num >= u.least && (v.time == 0 || u.perSecond == 1) {
			at = instant{v.num / u.perSecond, u.unit}
		}
	}
	if at.seconds >= 1e11 {
		return instant{}, fmt.Errorf("%s is out of range", strconv.Quote(s))
	}
	return at, nil
}

// place returns the rows with their times from the start of the phase. If those are
// times since 1970, the first row is the start, and the note says so. The error begins
// with the line of the row that is unlike the others.
func place(rows []traceRow) (placed []Row, note string, err error) {
	if len(rows) == 0 {
		return nil, "", nil
	}
	first := rows[0].at
	for _, r := range rows {
		if r.at.unit != first.unit {
			return nil, "", fmt.Errorf("%d: the time is %s, and that of row 1 %s: give one kind", r.line, r.at.kind(), first.kind())
		}
		first.seconds = math.Min(first.seconds, r.at.seconds)
	}
	shift := 0.0
	if first.unit != "" {
		shift = first.seconds
		note = fmt.Sprintf("gives times in %s since 1970: the run begins with its first row, at %s.", first.unit, first.date())
	}
	for _, r := range rows {
		at := r.at.seconds
		if shift != 0 {
			at = math.Round((at-shift)*1e6) / 1e6
		}
		t, ok := duration(at)
		if !ok {
			return nil, "", fmt.Errorf("%d: the time is out of range", r.line)
		}
		r.Row.At = t
		placed = append(placed, r.Row)
	}
	return placed, note, nil
}

func (t instant) kind() string {
	if t.unit == "" {
		return "from the start"
	}
	return "in " + t.unit + " since 1970"
}

// date returns the instant, since 1970, as a date and time in UTC.
func (t instant) date() string {
	whole, part := math.Modf(t.seconds)
	return time.Unix(int64(whole), int64(math.Round(part*1e6))*1000).UTC().Format("2006-01-02 15:04:05.999999 UTC")
}
