package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"harelab/engine/dispatch"
	"harelab/engine/exchange"
	"harelab/engine/nearest"
	"harelab/engine/topic"
	"harelab/reports/terminal"
	"harelab/scenarios"
	"harelab/scenarios/metric"
)

func init() { commands = append(commands, newList) }

// A kind is a group of entries in the list.
type kind struct {
	name, title string
	entries     func() ([]entry, error)
}

type entry struct{ name, doc string }

var kinds = []kind{
	{"scenarios", "scenarios (harelab run NAME)", listScenarios},
	{"matchers", "topic matchers (--matcher, x-matcher); wrap them as cached(nfa), locked(trie)", listMatchers},
	{"dispatch", "dispatch: choose the next consumer (--dispatch, x-dispatch)", listSelectors},
	{"orders", "orders: choose the next message (--order, x-order)", listOrders},
	{"exchanges", "exchange types", listExchanges},
	{"metrics", "metrics (expect, report.headline, --metric, --fail, --goal), each with {class=, tenant=, queue=, worker=} or !=", listMetrics},
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

func newList() *cobra.Command {
	return &cobra.Command{
		Use:   "list [KIND...]",
		Short: "list scenarios, strategies and metrics, with a line about each",
		Long:  "List the entries of these kinds: " + strings.Join(kindNames(), ", ") + ".\nWithout a kind, list everything.",
		Example: `  harelab list
  harelab list dispatch orders`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return list(cmd.OutOrStdout(), args)
		},
	}
}

func list(w io.Writer, names []string) error {
	var chosen []kind
	for _, name := range names {
		found := false
		for _, k := range kinds {
			if k.name == name {
				chosen, found = append(chosen, k), true
			}
		}
		if !found {
			return usage("unknown kind %q%s", name, nearest.Choices(name, kindNames()))
		}
	}
	if len(chosen) == 0 {
		chosen = kinds
	}
	for i, k := range chosen {
		entries, err := k.entries()
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := terminal.WriteText(w, terminal.Neutral, "", "  ", k.title); err != nil {
			return err
		}
		var lines [][2]string
		for _, e := range entries {
			lines = append(lines, [2]string{e.name, e.doc})
		}
		if err := terminal.WriteList(w, "  ", lines); err != nil {
			return err
		}
	}
	return nil
}

func listScenarios() ([]entry, error) {
	var out []entry
	for _, name := range scenarios.Names() {
		f, err := scenarios.Load(name)
		if err != nil {
			return nil, err
		}
		out = append(out, entry{name, f.Title})
		for _, v := range f.Variants() {
			s, err := f.Resolve(scenarios.Options{Variant: v})
			if err != nil {
				return nil, err
			}
			title := s.Title
			if title == f.Title { // it has none of its own
				title = ""
			}
			out = append(out, entry{"  --variant " + v, title})
		}
	}
	return out, nil
}

func listMatchers() ([]entry, error) {
	var out []entry
	for _, s := range topic.Strategies() {
		out = append(out, entry{s.Name, s.Doc})
	}
	return out, nil
}

func listSelectors() ([]entry, error) {
	var out []entry
	for _, s := range dispatch.Selectors() {
		out = append(out, entry{s.Name, s.Doc})
	}
	return out, nil
}

func listOrders() ([]entry, error) {
	var out []entry
	for _, s := range dispatch.Orders() {
		out = append(out, entry{s.Name, s.Doc})
	}
	return out, nil
}

func listExchanges() ([]entry, error) {
	var out []entry
	for _, s := range exchange.Types() {
		out = append(out, entry{s.Name, s.Doc})
	}
	return out, nil
}

// listMetrics lists metrics as users write them: a distribution with a statistic, an
// index with the label that it is taken over.
func listMetrics() ([]entry, error) {
	var out []entry
	for _, m := range metric.All() {
		name := m.Name
		if m.Distribution() {
			name += ".p99"
		}
		if m.By != "" {
			name += "{by=" + m.By + "}"
		}
		out = append(out, entry{name, m.Doc})
	}
	return out, nil
}
