package queue

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"harelab/engine/dispatch"
)

var configFields = []field[Config]{
	{"seed", 0, func(c *Config) int64 { return int64(c.Dispatch.Seed) }, func(c *Config, v int64) { c.Dispatch.Seed = uint64(v) }},
	{"maxpriority", 0, func(c *Config) int64 { return int64(c.Dispatch.MaxPriority) }, func(c *Config, v int64) { c.Dispatch.MaxPriority = uint8(v) }},
	{"aging", 0, func(c *Config) int64 { return c.Dispatch.AgingUS }, func(c *Config, v int64) { c.Dispatch.AgingUS = v }},
	{"quantum", 0, func(c *Config) int64 { return c.Dispatch.Quantum }, func(c *Config, v int64) { c.Dispatch.Quantum = v }},
}

// configMarks begins with the marks of strategies.
var configMarks = []mark[Config]{
	{"costbyservice", func(c *Config) *bool { return &c.Dispatch.CostByService }},
	{"singleactive", func(c *Config) *bool { return &c.SingleActive }},
}

var strategyMarks = configMarks[:1]

// AppendConfig appends a configuration, without a line end: the first line of a
// recording.
//
//	queue selector=rr order=drr quantum=2 weights=blue:2 limits maxlength=1000
func AppendConfig(b []byte, cfg Config) []byte {
	b = appendStrategies(append(b, "queue"...), &cfg, configMarks)
	return appendFields(append(b, " limits"...), &cfg.Limits, limitFields, limitMarks)
}

func appendStrategies(b []byte, cfg *Config, marks []mark[Config]) []byte {
	b = append(append(b, " selector="...), cfg.Selector.Name...)
	b = append(append(b, " order="...), cfg.Order.Name...)
	b = appendFields(b, cfg, configFields, marks)
	for i, tenant := range slices.Sorted(maps.Keys(cfg.Dispatch.Weights)) {
		b = append(b, [2]string{" weights=", ","}[min(i, 1)]...)
		b = append(append(b, url.QueryEscape(tenant)...), ':')
		b = strconv.AppendInt(b, cfg.Dispatch.Weights[tenant], 10)
	}
	return b
}

// ParseConfig reads a line of AppendConfig and looks up the strategies.
func ParseConfig(line []byte) (Config, error) {
	words := strings.Fields(string(line))
	if len(words) == 0 || words[0] != "queue" {
		return Config{}, fmt.Errorf("queue: configuration %q does not begin with \"queue\"", line)
	}
	cfg := Config{Limits: Unlimited}
	limits := false
	for _, word := range words[1:] {
		var err error
		switch {
		case limits:
			err = parseField(&cfg.Limits, word, limitFields, limitMarks)
		case word == "limits":
			limits = true
		default:
			err = cfg.parseWord(word, configMarks)
		}
		if err != nil {
			return Config{}, err
		}
	}
	if cfg.Selector.New == nil || cfg.Order.New == nil {
		return Config{}, fmt.Errorf("queue: configuration %q: want a selector and an order", line)
	}
	return cfg, nil
}

func (c *Config) parseWord(word string, marks []mark[Config]) (err error) {
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "selector":
		c.Selector, err = dispatch.LookupSelector(value)
	case "order":
		c.Order, err = dispatch.LookupOrder(value)
	case "weights":
		c.Dispatch.Weights, err = parseWeights(value)
	default:
		err = parseField(c, word, configFields, marks)
	}
	return err
}

func parseWeights(list string) (map[string]int64, error) {
	weights := make(map[string]int64)
	for s := range strings.SplitSeq(list, ",") {
		name, number, _ := strings.Cut(s, ":")
		tenant, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("queue: weight %s: %w", s, err)
		}
		weight, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("queue: weight %s: want tenant:number", s)
		}
		weights[tenant] = weight
	}
	return weights, nil
}
