package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"harelab/engine/wire"
)

// TestMixedContents: publishes on several channels, with their frames mixed and cut
// anywhere, arrive whole and in the order of their channel.
func TestMixedContents(t *testing.T) {
	const channels, each = 3, 40
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		p := newRawPeer(t, newTestServer(t, Options{}))
		p.hello(wire.ConnectionTuneOk{ChannelMax: 2047, FrameMax: wire.MinFrameMax})
		var streams [channels][][]byte // frames
		for ch := uint16(1); ch <= channels; ch++ {
			p.method(ch, &wire.ChannelOpen{})
			p.want("channel.open-ok")
			for i := range each {
				streams[ch-1] = append(streams[ch-1], publishFrames(rnd, ch, i)...)
			}
		}
		p.method(1, &wire.QueueDeclare{Queue: "mixed", Exclusive: true})
		p.want("queue.declare-ok")
		p.method(1, &wire.BasicConsume{Queue: "mixed", NoAck: true})
		p.want("basic.consume-ok")

		octets := mix(rnd, streams[:])
		go func() {
			for len(octets) > 0 {
				n := min(len(octets), 1+rnd.IntN(20_000))
				p.nc.Write(octets[:n])
				octets = octets[n:]
			}
		}()
		p.nc.SetReadDeadline(time.Now().Add(30 * time.Second))
		var next [channels + 1]int
		for range channels * each {
			key, id, body := p.delivery()
			var ch, i, size int
			fmt.Sscanf(id, "%d/%d/%d", &ch, &i, &size)
			if key != "mixed" || i != next[ch] || !bytes.Equal(body, bytes.Repeat([]byte{byte(i)}, size)) {
				t.Fatalf("seed %d: message %s of %d octets, key %q, want number %d", seed, id, len(body), key, next[ch])
			}
			next[ch]++
		}
	}
}

// publishFrames returns the frames of a publish with an identifying message id.
func publishFrames(rnd *rand.Rand, ch uint16, i int) [][]byte {
	size := rnd.IntN(1 << rnd.IntN(16))
	properties := wire.AppendProperties(nil, &wire.Properties{MessageID: fmt.Sprintf("%d/%d/%d", ch, i, size)})
	frames := [][]byte{
		wire.AppendMethodFrame(nil, ch, &wire.BasicPublish{RoutingKey: "mixed"}),
		wire.AppendHeaderFrame(nil, ch, uint64(size), properties),
	}
	for size > 0 {
		n := 1 + rnd.IntN(min(size, 4000))
		frames = append(frames, wire.AppendFrame(nil, wire.FrameBody, ch, bytes.Repeat([]byte{byte(i)}, n)))
		size -= n
	}
	return frames
}

// mix merges the streams' frames in random order, and keeps the order of each stream.
func mix(rnd *rand.Rand, streams [][][]byte) (octets []byte) {
	for len(streams) > 0 {
		i := rnd.IntN(len(streams))
		if len(streams[i]) == 0 {
			streams = append(streams[:i], streams[i+1:]...)
			continue
		}
		octets = append(octets, streams[i][0]...)
		streams[i] = streams[i][1:]
	}
	return octets
}

// delivery reads a basic.deliver with its content.
func (p *rawPeer) delivery() (key, id string, body []byte) {
	p.t.Helper()
	next := func() wire.Frame {
		f, err := p.frame()
		if err != nil {
			p.t.Fatal(err)
		}
		return f
	}
	m, err := wire.ParseMethod(next().Payload)
	if err != nil {
		p.t.Fatal(err)
	}
	var h wire.HeaderView
	if err := h.Parse(next().Payload); err != nil {
		p.t.Fatal(err)
	}
	message, err := wire.ParseProperties(h.Properties.Raw())
	if err != nil {
		p.t.Fatal(err)
	}
	for uint64(len(body)) < h.BodySize {
		body = append(body, next().Payload...)
	}
	return m.(*wire.BasicDeliver).RoutingKey, message.MessageID, body
}
