package stat

import (
	"math"
	"strconv"
)

// Seconds writes a time at four significant digits: "10.45 s", "0.1 s",
// "3.2 ms", "0 s".
func Seconds(s float64) string { return timeText(s, 4) }

// Brief writes a time at three significant digits, for prose and charts.
func Brief(s float64) string { return timeText(s, 3) }

// InOneUnit returns a function like [Brief] that writes all times from lo to hi,
// both above 0, in the same unit: 18.3 ms beside 232 ms in one column or on one
// axis.
func InOneUnit(lo, hi float64) func(float64) string {
	for _, u := range []struct {
		per  float64
		name string
	}{{1e6, " µs"}, {1e3, " ms"}} {
		if lo*u.per < 99.5 && hi*u.per < 999.5 {
			return func(s float64) string {
				if math.IsNaN(s) || math.Abs(s*u.per) < 0.005 {
					return Brief(s)
				}
				return number(s*u.per, 3) + u.name
			}
		}
	}
	return Brief
}

func timeText(s float64, digits int) string {
	a := math.Abs(s)
	switch {
	case math.IsNaN(s):
		return "not visible"
	case a < 0.5e-6:
		return "0 s"
	case a < 0.9995e-3:
		return number(s*1e6, min(digits, 3)) + " µs"
	case a < 0.0995:
		return number(s*1e3, min(digits, 3)) + " ms"
	}
	return number(s, digits) + " s"
}

// number writes v at a number of significant digits, without an exponent and
// without zeros at the end of the fraction. It writes all digits of the whole part.
func number(v float64, digits int) string {
	if v == 0 {
		return "0"
	}
	decimals := digits - 1 - int(math.Floor(math.Log10(math.Abs(v))+1e-9))
	s := strconv.FormatFloat(v, 'f', max(decimals, 0), 64)
	if decimals > 0 {
		for s[len(s)-1] == '0' {
			s = s[:len(s)-1]
		}
		if s[len(s)-1] == '.' {
			s = s[:len(s)-1]
		}
	}
	return group(s)
}

// group puts commas between the thousands of a number of five digits or more.
func group(s string) string {
	whole := 0
	for whole < len(s) && s[whole] != '.' {
		whole++
	}
	start := 0
	if s[0] == '-' {
		start = 1
	}
	if whole-start < 5 {
		return s
	}
	for i := whole - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes a whole number with commas between thousands.
func Count(n int) string { return group(strconv.Itoa(n)) }

// Percent writes a share as "55 %".
func Percent(share float64) string {
	if p := math.Abs(share); p > 0 && p < 0.0995 {
		return number(100*share, 2) + " %"
	}
	return strconv.FormatFloat(math.Round(100*share), 'f', 0, 64) + " %"
}

// Times writes a factor as "110x".
func Times(x float64) string { return number(x, 3) + "x" }

// Plain writes a number at three significant digits.
func Plain(v float64) string { return number(v, 3) }

// Entry writes a value for a table, in the metric's unit, at three or four
// significant digits.
func Entry(v float64, unit string) string {
	switch unit {
	case "s", "%":
		return Quantity(v, unit)
	case "x":
		return Times(v)
	}
	return number(v, 4) + unit
}

// Quantity writes a value in an expectation's unit, at the number of digits that
// expectations use.
func Quantity(v float64, unit string) string {
	switch unit {
	case "s":
		return Seconds(v)
	case "%":
		return number(100*v, 4) + " %"
	}
	return number(v, 6)
}
