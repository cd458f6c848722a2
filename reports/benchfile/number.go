package benchfile

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/perf/benchunit"
)

// isTime reports whether a unit is a time, such as "sec/op" or "wait-p99-sec".
func isTime(unit string) bool {
	above, _, _ := strings.Cut(unit, "/")
	return above == "sec" || strings.HasSuffix(above, "-sec")
}

// isRate reports whether a unit is something per second.
func isRate(unit string) bool {
	return strings.HasSuffix(unit, "/s") || strings.HasSuffix(unit, "/sec")
}

// Number writes a value of a unit, scaled, with three significant digits: "507 ns" for
// sec/op, "1.9 KiB" for B/op, "14,105" for a count. It has what the prefix scales and
// leaves the rest of the unit out.
func Number(v float64, unit string) string {
	symbol, class := "", benchunit.ClassOf(unit)
	switch {
	case isTime(unit):
		symbol = "s"
	case class == benchunit.Binary:
		symbol = "B"
	}
	a := math.Abs(v)
	switch {
	case v == 0:
		return strings.TrimSpace("0 " + symbol)
	case a >= 1e15 || a < 1e-12:
		return strings.TrimSpace(fmt.Sprintf("%.3g %s", v, symbol))
	case symbol == "s" && a >= 0.9995:
		return digits(v) + " s"
	case symbol == "" && a < 1e9 && v == math.Trunc(v):
		return grouped(v)
	case class == benchunit.Binary && a < 0.9995*1024 || symbol == "" && a >= 0.9995 && a < 999.5:
		return strings.TrimSpace(digits(v) + " " + symbol)
	}
	s := benchunit.CommonScale([]float64{v}, class)
	return digits(v/s.Factor) + " " + s.Prefix + symbol
}

// digits writes v with three significant digits, and all digits before the point.
func digits(v float64) string {
	if math.Abs(v) >= 999.5 {
		return grouped(math.Round(v))
	}
	return strconv.FormatFloat(v, 'f', max(0, 2-exponent(v)), 64)
}

// exponent returns the power of ten of the first digit of v, rounded to three digits.
func exponent(v float64) int {
	s := strconv.FormatFloat(v, 'e', 2, 64)
	n, _ := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
	return n
}

// grouped writes a whole number with commas between groups of three digits.
func grouped(v float64) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if v < 0 {
		s = "-" + s
	}
	return s
}

// text writes an estimate as "507 ns ±29 %".
func (e Estimate) text(unit string) string {
	if e.N == 0 {
		return "-"
	}
	v := Number(e.Center, unit)
	if e.Exact || e.Center == 0 || e.Lo == e.Hi || math.IsInf(e.Lo, 0) || math.IsInf(e.Hi, 0) {
		return v
	}
	return v + " ±" + percent(max(math.Abs(e.Hi/e.Center-1), math.Abs(1-e.Lo/e.Center)))
}

// percent writes a share as "29 %".
func percent(share float64) string {
	if share >= 1e4 {
		return fmt.Sprintf("%.3g %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// delta writes a ratio as a change: "+100.0 %", "+0.02 %", "x250". From 0, and where the
// sign changes, there is none.
func delta(ratio float64) string {
	switch d := 100 * (ratio - 1); {
	case math.IsNaN(ratio) || math.IsInf(ratio, 0):
		return "from 0"
	case ratio < 0:
		return "another sign"
	case ratio >= 1e6:
		return fmt.Sprintf("x%.3g", ratio)
	case ratio >= 100:
		return fmt.Sprintf("x%.0f", ratio)
	case ratio > 0 && ratio < 0.0005:
		return fmt.Sprintf("/%.3g", 1/ratio)
	case d != 0 && math.Abs(d) < 0.05:
		return fmt.Sprintf("%+.1g %%", d)
	default:
		return fmt.Sprintf("%+.1f %%", d)
	}
}

// change writes how a row changed: "~" for no difference, "=" for equal values.
func (e Effect) change() string {
	switch {
	case e.N == 0:
		return ""
	case e.Constant() || !e.Tested && !e.Differs():
		return "="
	case !e.Differs():
		return "~"
	case e.Ratio == 1:
		return "same median"
	}
	return delta(e.Ratio)
}

// why writes the evidence: the p value and the numbers of samples.
func (e Effect) why(base Estimate) string {
	switch {
	case e.N == 0:
		return ""
	case e.Exact && base.Exact:
		return "exact"
	case !e.Tested:
		return ""
	case e.N == base.N:
		return fmt.Sprintf("%s n=%d", pText(e.P), e.N)
	}
	return fmt.Sprintf("%s n=%d+%d", pText(e.P), base.N, e.N)
}

func pText(p float64) string {
	if p < 0.0005 {
		return "p<0.001"
	}
	return fmt.Sprintf("p=%.3f", p)
}
