package wire_test

import (
	"fmt"

	"harelab/engine/wire"
)

// NextFrame reads frames from the octets received so far. The octets left over are the
// beginning of a frame whose rest has not arrived.
func ExampleNextFrame() {
	in := wire.AppendMethodFrame(nil, 1, &wire.BasicPublish{Exchange: "smart", RoutingKey: "webapp.query"})
	in = wire.AppendHeaderFrame(in, 1, 5, wire.AppendProperties(nil, &wire.Properties{DeliveryMode: 2}))
	in = wire.AppendBody(in, 1, []byte("hello"), 4096)
	in = in[:len(in)-1] // the last octet has not arrived

	for {
		f, n, err := wire.NextFrame(in, 4096)
		if err != nil || n == 0 {
			break
		}
		in = in[n:]
		switch f.Type {
		case wire.FrameMethod:
			var p wire.PublishView
			if err := p.Parse(f.Payload); err != nil {
				break
			}
			fmt.Printf("publish to %q with key %q\n", p.Exchange, p.RoutingKey)
		case wire.FrameHeader:
			var h wire.HeaderView
			if err := h.Parse(f.Payload); err != nil {
				break
			}
			mode, _ := h.Properties.DeliveryMode()
			fmt.Printf("body of %d octets, delivery mode %d\n", h.BodySize, mode)
		case wire.FrameBody:
			fmt.Printf("%q\n", f.Payload)
		}
	}
	fmt.Println(len(in), "octets left")

	// Output:
	// publish to "smart" with key "webapp.query"
	// body of 5 octets, delivery mode 2
	// 12 octets left
}

// An error holds the fields of the connection.close that reports it to the peer.
func ExampleError() {
	_, err := wire.ParseMethod([]byte{0, 50, 0, 10, 0})
	e := err.(*wire.Error)
	reply := &wire.ConnectionClose{
		ReplyCode: e.Code, ReplyText: e.ReplyText(),
		ClassID: e.Method.Class(), MethodID: e.Method.Method(),
	}
	fmt.Printf("%+v\n", *reply)

	// Output:
	// {ReplyCode:501 ReplyText:FRAME_ERROR - cannot decode <<0>> ClassID:50 MethodID:10}
}

// TableLookup finds one header of a message without decoding the others.
func ExampleTableLookup() {
	properties := wire.AppendProperties(nil, &wire.Properties{
		Headers: wire.Table{{Key: "task", Value: "webapp.query"}, {Key: "x-cost", Value: int64(250)}},
	})
	view := wire.ViewProperties(properties)
	cost, _ := wire.TableLookup(view.Headers(), "x-cost")
	n, _ := cost.Int64()
	fmt.Println(n, cost.TypeName())

	// Output:
	// 250 long
}
