package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"harelab/engine"
	"harelab/engine/broker"
	"harelab/engine/definitions"
)

const definitionsHelp = `With --definitions, the broker has the users, virtual hosts, permissions, policies,
exchanges, queues and bindings of a RabbitMQ definitions file before clients can
connect, as rabbitmqctl export_definitions writes it. It takes all of the file or, after
a mistake, nothing, and does not start.`

// A serveDefinitions has the flag about the definitions that are loaded at start.
type serveDefinitions struct {
	path   string
	loaded *definitions.Definitions // nil: none
}

func (d *serveDefinitions) add(f *pflag.FlagSet) {
	f.StringVar(&d.path, "definitions", "", "RabbitMQ definitions file (JSON) to load at start")
}

// fill reads the file.
func (d *serveDefinitions) fill(*engine.Options) error {
	if d.path == "" {
		return nil
	}
	text, err := readAtMost(d.path, definitions.MaxText)
	if err != nil {
		return err
	}
	read, err := definitions.Parse(text)
	if err != nil {
		return d.placed(err)
	}
	d.loaded = read.In("/") // the export of a single virtual host names none
	return nil
}

// check holds the file against a broker that has nothing yet, since the data of the real
// one may be in use.
func (d *serveDefinitions) check() error {
	if d.loaded == nil {
		return nil
	}
	empty, err := broker.New(broker.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer empty.Close()
	_, err = d.loaded.Check(empty)
	return d.placed(err)
}

// load makes what the file defines and the broker does not have.
func (d *serveDefinitions) load(e *engine.Engine, log *slog.Logger) error {
	if d.loaded == nil {
		return nil
	}
	changes, err := d.loaded.Apply(e.Broker())
	if err != nil {
		return d.placed(err)
	}
	log.Info("definitions loaded", "file", d.path, "changes", changes.String())
	for _, skip := range changes.Skips {
		log.Warn("definitions: skipped", "file", d.path, "what", skip)
	}
	return nil
}

// placed puts the name of the file before each mistake.
func (d *serveDefinitions) placed(err error) error {
	var all []error
	for _, mistake := range parts(err) {
		all = append(all, fmt.Errorf("%s: %w", d.path, mistake))
	}
	return usages(all)
}

// readAtMost reads a file of at most so many octets, or one octet more, so that the reader
// of the text finds it too long.
func readAtMost(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most+1))
}
