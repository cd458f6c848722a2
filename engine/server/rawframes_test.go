package server

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"harelab/engine/wire"
)

// declareNested returns the payload of a queue.declare whose arguments are a table in a
// table, and so on. Package wire does not encode what it would not read.
func declareNested(depth int) []byte {
	size := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	table := size(0)
	for range depth - 1 {
		table = slices.Concat(size(len(table)+3), []byte("\x01kF"), table)
	}
	return slices.Concat([]byte("\x00\x32\x00\x0a\x00\x00\x04deep\x00"), table)
}

// TestDeepArguments: RabbitMQ 3.10.8 takes tables of any depth, which its own frames bound
// at some ten thousand. This server takes 64 levels and says so beyond.
func TestDeepArguments(t *testing.T) {
	const refused = `connection.close 502 "SYNTAX_ERROR - *64*" 50.10`
	for _, tt := range []struct {
		depth int
		want  string
	}{{10, "queue.declare-ok"}, {64, "queue.declare-ok"}, {65, refused}, {100, refused}, {1000, refused}, {10_000, refused}} {
		t.Run(fmt.Sprint(tt.depth), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newRawPeer(t, newTestServer(t, Options{}))
				p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
				p.method(1, &wire.ChannelOpen{})
				p.want("channel.open-ok")
				p.send(wire.AppendFrame(nil, wire.FrameMethod, 1, declareNested(tt.depth)))
				p.want(tt.want)
			})
		})
	}
}

// TestLongestName declares and deletes a queue with the longest name there can be.
func TestLongestName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRawPeer(t, newTestServer(t, Options{}))
		p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: 131072})
		p.method(1, &wire.ChannelOpen{})
		p.want("channel.open-ok")
		name := strings.Repeat("q", 255)
		p.method(1, &wire.QueueDeclare{Queue: name})
		p.want("queue.declare-ok")
		p.method(1, &wire.QueueDelete{Queue: name})
		p.want("queue.delete-ok")
	})
}
