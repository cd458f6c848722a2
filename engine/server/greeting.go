package server

import (
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"harelab/engine/wire"
)

// productRabbitMQ is the product on which clients branch: kombu, for example, sets the
// prefetch of a channel in another way if the product is not RabbitMQ.
const productRabbitMQ = "RabbitMQ"

// compatible is the release of RabbitMQ that this server behaves like.
const compatible = "3.10.8"

// capabilities names the extensions of AMQP 0-9-1 that the server supports.
var capabilities = []string{
	"publisher_confirms",
	"exchange_exchange_bindings",
	"basic.nack",
	"consumer_cancel_notify",
	"connection.blocked",
	"consumer_priorities",
	"authentication_failure_close",
	"per_consumer_qos",
	"direct_reply_to",
}

// properties returns the server-properties of connection.start. Capabilities are an
// extension of 0-9-1: clients of 0-8 are not told them.
func (s *Server) properties(v version) wire.Table {
	var able, t wire.Table
	if v.major == 0 {
		for _, name := range capabilities {
			able.Set(name, true)
		}
		t.Set("capabilities", able)
	}
	t.Set("cluster_name", s.opts.Broker.NodeName())
	t.Set("copyright", "Copyright (c) the authors of harelab")
	t.Set("information", "harelab, a lab for message routing and dispatch; it answers as RabbitMQ "+compatible+" does")
	t.Set("platform", "Go "+runtime.Version()[2:])
	t.Set("product", s.opts.Product)
	t.Set("version", compatible)
	t.Set("harelab", Version())
	t.Set("harelab_durability", string(s.opts.Broker.Durability()))
	return t
}

// module is the name of the project's module.
const module = "harelab"

// Version returns the version of harelab in this program: a release, or "devel" with the
// commit, as far as the build has it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	own, commit := info.Main, ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && own.Path == module {
			commit = s.Value
		}
	}
	for _, d := range info.Deps {
		if d.Path == module {
			own = *d
		}
	}
	return versionOf(own.Version, commit)
}

// pseudo matches the version that Go gives to a commit without a release.
var pseudo = regexp.MustCompile(`[-.]\d{14}-([0-9a-f]{12})(\+.*)?$`)

// versionOf returns the version that a build with this module version and commit has.
func versionOf(version, commit string) string {
	if m := pseudo.FindStringSubmatch(version); m != nil {
		commit = m[1]
	} else if version != "" && version != "(devel)" {
		return strings.TrimPrefix(version, "v")
	}
	if commit == "" {
		return "devel"
	}
	return "devel-" + commit[:min(12, len(commit))]
}
