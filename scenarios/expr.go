package scenarios

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"harelab/engine/nearest"
)

// maxExpr bounds the length of an expression in bytes, and so the depth of its
// nesting.
const maxExpr = 1000

// An env holds the values of names. A word that is not a name is a text, so that
// conditions need no quotes: ack == on-done.
type env struct {
	params  map[string]value
	metrics func(string) bool // in expectations: reports whether a name is a metric
}

// eval computes an expression:
//
//	cond ? a : b   ||  &&  == != < <= > >=  + -  * / %  ! -
//	10s 2KiB 300/s 15% 1.5  word  "text"  ( )  min max round floor ceil abs
//
// Words may hold hyphens and dots before a letter (on-done, celery.tasks); put
// spaces around a minus between two names.
func (e env) eval(src string) (value, error) {
	if len(src) > maxExpr {
		return value{}, fmt.Errorf("expression of %d bytes: longer than %d", len(src), maxExpr)
	}
	p := &parser{env: e, src: src}
	p.next()
	v := p.ternary()
	if p.err == nil && p.tok != "" {
		p.fail("unexpected %q in %q", p.tok, src)
	}
	return v, p.err
}

// A parser evaluates while it parses, by recursive descent.
type parser struct {
	env env
	src string
	pos int
	tok string // the current token; empty at the end
	lit value  // the value of a literal
	typ byte   // 'n' literal, 'w' word, 'o' operator
	err error
}

func (p *parser) fail(format string, args ...any) value {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.tok, p.pos = "", len(p.src)
	return value{}
}

// next reads the next token.
func (p *parser) next() {
	for p.pos < len(p.src) && (p.src[p.pos] == ' ' || p.src[p.pos] == '\t' || p.src[p.pos] == '\n') {
		p.pos++
	}
	rest := p.src[p.pos:]
	if rest == "" {
		p.tok, p.typ = "", 0
		return
	}
	switch c := rest[0]; {
	case c >= '0' && c <= '9':
		v, n, err := scanNumber(rest)
		if err != nil {
			p.fail("%v", err)
			return
		}
		p.take(n, 'n')
		p.lit = v
	case c == '"' || c == '\'':
		end := strings.IndexByte(rest[1:], c)
		if end < 0 {
			p.fail("text without its closing %c in %q", c, p.src)
			return
		}
		p.take(end+2, 'n')
		p.lit = textValue(rest[1 : end+1])
	case isWord(c):
		p.take(wordLen(rest), 'w')
	default:
		for _, op := range []string{"==", "!=", "<=", ">=", "&&", "||"} {
			if strings.HasPrefix(rest, op) {
				p.take(2, 'o')
				return
			}
		}
		if !strings.ContainsRune("+-*/%()<>!?:,", rune(c)) {
			p.fail("unexpected %q in %q", rest[:1], p.src)
			return
		}
		p.take(1, 'o')
	}
}

func (p *parser) take(n int, typ byte) {
	p.tok, p.typ = p.src[p.pos:p.pos+n], typ
	p.pos += n
}

// wordLen returns the length of the word at the start of s: letters, digits
// and underscores, and hyphens and dots that a letter follows.
func wordLen(s string) int {
	n := 0
	for n < len(s) {
		if isWord(s[n]) {
			n++
			continue
		}
		joins := (s[n] == '-' || s[n] == '.') && n+1 < len(s) && isWord(s[n+1]) && (s[n+1] < '0' || s[n+1] > '9')
		if !joins {
			break
		}
		n++
	}
	return n
}

func (p *parser) is(ops ...string) bool {
	if p.typ != 'o' {
		return false
	}
	for _, op := range ops {
		if p.tok == op {
			return true
		}
	}
	return false
}

func (p *parser) expect(op string) {
	if !p.is(op) {
		p.fail("give %q in %q", op, p.src)
		return
	}
	p.next()
}

func (p *parser) ternary() value {
	cond := p.or()
	if !p.is("?") {
		return cond
	}
	if p.err == nil && cond.kind != truth {
		return p.fail("%s before ? in %q: give a condition", cond.dimension(), p.src)
	}
	p.next()
	a := p.ternary()
	p.expect(":")
	b := p.ternary()
	if cond.truth {
		return a
	}
	return b
}

func (p *parser) or() value {
	v := p.and()
	for p.is("||") {
		p.next()
		v = p.logic(v, p.and(), "||")
	}
	return v
}

func (p *parser) and() value {
	v := p.compare()
	for p.is("&&") {
		p.next()
		v = p.logic(v, p.compare(), "&&")
	}
	return v
}

func (p *parser) logic(a, b value, op string) value {
	if p.err == nil && (a.kind != truth || b.kind != truth) {
		return p.fail("%s between %s and %s: give conditions", op, a.dimension(), b.dimension())
	}
	if op == "||" {
		return value{kind: truth, truth: a.truth || b.truth}
	}
	return value{kind: truth, truth: a.truth && b.truth}
}

func (p *parser) compare() value {
	a := p.sum()
	if !p.is("==", "!=", "<", "<=", ">", ">=") {
		return a
	}
	op := p.tok
	p.next()
	b := p.sum()
	if p.err != nil {
		return value{}
	}
	if a.metric != "" || b.metric != "" {
		return p.fail("a measured value cannot be part of a condition")
	}
	for _, v := range []value{a, b} {
		// In a comparison of two bare words, or a bare word and a number, a param is
		// misspelt.
		if v.bare && (a.bare == b.bare || a.kind != b.kind) {
			return p.fail("unknown param %q in %q%s", v.text, p.src, p.env.have(v.text))
		}
	}
	switch {
	case a.kind == text && b.kind == text, a.kind == truth && b.kind == truth:
		same := a.text == b.text && a.truth == b.truth
		if op != "==" && op != "!=" {
			return p.fail("%s between %s and %s: give == or !=", op, a.dimension(), b.dimension())
		}
		return value{kind: truth, truth: same == (op == "==")}
	case a.kind != number || b.kind != number || a.time != b.time || a.bytes != b.bytes:
		return p.fail("%s compared with %s in %q", a.dimension(), b.dimension(), p.src)
	}
	return value{kind: truth, truth: holds(a.num, op, b.num)}
}

// holds reports whether a op b.
func holds(a float64, op string, b float64) bool {
	switch op {
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

func (p *parser) sum() value {
	v := p.product()
	for p.is("+", "-") {
		op := p.tok
		p.next()
		b := p.product()
		if !p.numbers(v, b, op) {
			return value{}
		}
		if v.time != b.time || v.bytes != b.bytes || v.metric != "" || b.metric != "" {
			return p.fail("%s %s %s in %q", v.dimension(), op, b.dimension(), p.src)
		}
		if op == "-" {
			b.num = -b.num
		}
		v = value{num: v.num + b.num, time: v.time, bytes: v.bytes}
	}
	return v
}

func (p *parser) product() value {
	v := p.unary()
	for p.is("*", "/", "%") {
		op := p.tok
		p.next()
		b := p.unary()
		if !p.numbers(v, b, op) {
			return value{}
		}
		v = p.scale(v, b, op)
	}
	return v
}

func (p *parser) scale(a, b value, op string) value {
	if a.metric != "" && b.metric != "" || op != "*" && b.metric != "" {
		return p.fail("%q: a measured value can only be multiplied with a number", p.src)
	}
	if op != "*" && b.num == 0 {
		return p.fail("division by zero in %q", p.src)
	}
	r := value{metric: a.metric + b.metric}
	switch op {
	case "*":
		r.num, r.time, r.bytes = a.num*b.num, a.time+b.time, a.bytes+b.bytes
	case "/":
		r.num, r.time, r.bytes = a.num/b.num, a.time-b.time, a.bytes-b.bytes
	case "%":
		r.num, r.time, r.bytes = math.Mod(a.num, b.num), a.time, a.bytes
	}
	if max(r.time, -r.time, r.bytes, -r.bytes) > 3 {
		return p.fail("%q is not a time, size or rate", p.src)
	}
	return r
}

func (p *parser) numbers(a, b value, op string) bool {
	if p.err != nil {
		return false
	}
	for _, v := range []value{a, b} {
		if v.kind == text {
			p.fail("%s on %q, which is neither a number nor a param%s", op, v.text, p.env.have(v.text))
			return false
		}
		if v.kind != number {
			p.fail("%s on %s in %q", op, v.dimension(), p.src)
			return false
		}
	}
	return true
}

func (p *parser) unary() value {
	switch {
	case p.is("-"):
		p.next()
		v := p.unary()
		if !p.numbers(v, v, "-") {
			return value{}
		}
		v.num = -v.num
		return v
	case p.is("!"):
		p.next()
		v := p.unary()
		return p.logic(value{kind: truth, truth: !v.truth}, value{kind: v.kind, truth: true}, "&&")
	}
	return p.primary()
}

func (p *parser) primary() value {
	switch {
	case p.typ == 'n':
		v := p.lit
		p.next()
		return v
	case p.is("("):
		p.next()
		v := p.ternary()
		p.expect(")")
		return v
	case p.typ == 'w':
		word := p.tok
		p.next()
		if p.is("(") {
			return p.call(word)
		}
		return p.env.word(word)
	}
	if p.tok == "" {
		return p.fail("%q ends too early", p.src)
	}
	return p.fail("unexpected %q in %q", p.tok, p.src)
}

// word returns the value of a bare word.
func (e env) word(w string) value {
	if v, ok := e.params[w]; ok {
		return v
	}
	switch {
	case w == "true" || w == "false":
		return value{kind: truth, truth: w == "true"}
	case e.metrics != nil && e.metrics(w):
		return value{num: 1, metric: w}
	}
	return value{kind: text, text: w, bare: true}
}

// functions take and return numbers of one dimension.
var functions = map[string]func(a, b float64) float64{
	"min":   math.Min,
	"max":   math.Max,
	"round": func(a, _ float64) float64 { return math.Round(a) },
	"floor": func(a, _ float64) float64 { return math.Floor(a) },
	"ceil":  func(a, _ float64) float64 { return math.Ceil(a) },
	"abs":   func(a, _ float64) float64 { return math.Abs(a) },
}

func (p *parser) call(name string) value {
	f, ok := functions[name]
	if !ok {
		return p.fail("unknown function %q (have abs, ceil, floor, max, min, round; a text with parentheses needs quotes)", name)
	}
	p.next()
	v := p.ternary()
	if !p.numbers(v, v, name) {
		return value{}
	}
	v.num = f(v.num, v.num)
	v.grain = 0
	for p.is(",") && p.err == nil {
		p.next()
		b := p.ternary()
		if !p.numbers(v, b, name) {
			return value{}
		}
		if v.time != b.time || v.bytes != b.bytes {
			return p.fail("%s of %s and %s in %q", name, v.dimension(), b.dimension(), p.src)
		}
		v.num = f(v.num, b.num)
	}
	p.expect(")")
	return v
}

// have returns the part of a message that suggests params for a word.
func (e env) have(word string) string {
	names := make([]string, 0, len(e.params))
	for n := range e.params {
		names = append(names, n)
	}
	sort.Strings(names)
	return nearest.Choices(word, names)
}
