package main

import (
	"fmt"
	"strconv"
	"strings"
)

type class struct {
	name    string
	id      int
	methods []*method
}

type method struct {
	name   string
	id     int
	doc    string
	fields []field
}

type field struct{ name, typ string }

// goTypes maps the field types of methods.txt to those of Go.
var goTypes = map[string]string{
	"bit": "bool", "octet": "uint8", "short": "uint16", "long": "uint32", "longlong": "uint64",
	"shortstr": "string", "longstr": "[]byte", "table": "Table", "reply-code": "ReplyCode",
}

// zero holds the Go expression that is written for a reserved field.
var zero = map[string]string{"short": "0", "shortstr": `""`, "longstr": "nil"}

func (f field) reserved() bool { return f.name == "-" }

func (m *method) isEmpty() bool {
	for _, f := range m.fields {
		if !f.reserved() {
			return false
		}
	}
	return true
}

// goName joins the names of class and method: basic, get-ok is BasicGetOk.
func (c *class) goName(m *method) string {
	var s strings.Builder
	for _, word := range strings.Split(c.name+"-"+m.name, "-") {
		s.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return s.String()
}

// parse reads methods.txt.
func parse(table string) ([]*class, error) {
	var classes []*class
	for i, line := range strings.Split(table, "\n") {
		text, doc, _ := strings.Cut(line, " // ")
		words := strings.Fields(text)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		isClass := words[0] == "class"
		if isClass {
			words = words[1:]
		}
		if len(words) < 2 || !isClass && classes == nil {
			return nil, fmt.Errorf("methods.txt:%d: want NAME ID after a class", i+1)
		}
		id, err := strconv.Atoi(words[1])
		if err != nil {
			return nil, fmt.Errorf("methods.txt:%d: %v", i+1, err)
		}
		if isClass {
			classes = append(classes, &class{name: words[0], id: id})
			continue
		}
		fields, err := parseFields(words[2:])
		if err != nil {
			return nil, fmt.Errorf("methods.txt:%d: %v", i+1, err)
		}
		c := classes[len(classes)-1]
		c.methods = append(c.methods, &method{name: words[0], id: id, doc: doc, fields: fields})
	}
	return classes, nil
}

func parseFields(words []string) ([]field, error) {
	var fields []field
	for _, w := range words {
		name, typ, _ := strings.Cut(w, ":")
		if goTypes[typ] == "" {
			return nil, fmt.Errorf("field %q: unknown type %q", name, typ)
		}
		fields = append(fields, field{name, typ})
	}
	return fields, nil
}
