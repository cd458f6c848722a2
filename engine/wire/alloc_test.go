package wire

import (
	"testing"

	"harelab/engine/internal/race"
)

// TestHotPathsDoNotAllocate runs the functions that each message needs.
func TestHotPathsDoNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	p := Properties{
		ContentType: "application/json", DeliveryMode: 2, Priority: 3, CorrelationID: "c-1", ReplyTo: "r",
		Expiration: "60000", UserID: "guest",
		Headers: Table{{"task", "neural_net"}, {"x-cost", int64(250)}, {"nested", Table{{"a", []any{"b"}}}}},
	}
	properties := AppendProperties(nil, &p)
	list := ViewProperties(properties)
	where := AppendExchangeAndKey(nil, "amq.topic", "webapp.query")
	body := make([]byte, 10000)
	publish := (&BasicPublish{Exchange: "amq.topic", RoutingKey: "webapp.query", Mandatory: true}).Append(nil)
	header := AppendHeaderFrame(nil, 1, 100, properties)
	ack := AppendAck(nil, 1, 7, true)
	nack := (&BasicNack{DeliveryTag: 7}).Append(nil)
	reject := (&BasicReject{DeliveryTag: 7}).Append(nil)
	dst := make([]byte, 0, 1<<16)
	qos := &BasicQosOk{}
	badTag := []byte("\x00\x00\x00\x09\x01at\x01\x01bq\x00\x01")
	badValue := []byte("\x00\x00\x00\x09\x01at\x01\x01bS\x00\x00")
	badKey := []byte("\x00\x00\x00\x05\x01at\x01\x09")

	for _, c := range []struct {
		name string
		run  func() bool // reports whether it did its work
	}{
		{"NextFrame", func() bool { _, n, err := NextFrame(header, 131072); return n == len(header) && err == nil }},
		{"PeekMethod", func() bool { id, _ := PeekMethod(publish); return id == MethodBasicPublish }},
		{"PublishView", func() bool { var v PublishView; return v.Parse(publish) == nil && v.Mandatory }},
		{"AckView", func() bool { var v AckView; return v.Parse(ack[7:len(ack)-1]) == nil && v.DeliveryTag == 7 }},
		{"NackView", func() bool { var v NackView; return v.Parse(nack) == nil && v.DeliveryTag == 7 }},
		{"RejectView", func() bool { var v RejectView; return v.Parse(reject) == nil && v.DeliveryTag == 7 }},
		{"HeaderView", func() bool { var v HeaderView; return v.Parse(header[7:len(header)-1]) == nil && v.BodySize == 100 }},
		{"PropertyView", func() bool {
			var v PropertyView
			err := v.Parse(properties)
			user, _ := v.UserID()
			return err == nil && v.Priority() == 3 && string(user) == "guest"
		}},
		{"TableLookup", func() bool {
			headers := list.Headers()
			cost, _ := TableLookup(headers, "x-cost")
			task, _ := TableLookup(headers, "task")
			n, _ := cost.Int64()
			s, _ := task.Bytes()
			return n == 250 && string(s) == "neural_net"
		}},
		{"TableLookup of what is not there", func() bool {
			headers := list.Headers()
			_, missing := TableLookup(headers, "x-none")
			_, noTable := TableLookup(nil, "x-cost")
			_, cut := TableLookup(headers[:len(headers)-1], "x-none")
			_, number := Value{}.Int64()
			return !missing && !noTable && !cut && !number
		}},
		{"TableLookup behind what is not well formed", func() bool {
			_, tag := TableLookup(badTag, "b")
			_, value := TableLookup(badValue, "b")
			_, key := TableLookup(badKey, "b")
			_, first := TableLookup(badTag, "a")
			return !tag && !value && !key && first
		}},
		{"Fields", func() bool {
			headers := list.Headers()
			n := 0
			for range Fields(headers) {
				n++
			}
			return n == 3
		}},
		{"AppendDeliver", func() bool { return len(AppendDeliver(dst, 1, "tag", 9, false, where, properties, body, 4096)) > 10000 }},
		{"AppendGetOk", func() bool { return len(AppendGetOk(dst, 1, 9, false, where, 3, properties, body, 4096)) > 10000 }},
		{"AppendReturn", func() bool {
			return len(AppendReturn(dst, 1, NoRoute, "NO_ROUTE", where, properties, body, 4096)) > 10000
		}},
		{"AppendAck", func() bool { return len(AppendAck(dst, 1, 9, true)) == 21 }},
		{"AppendNack", func() bool { return len(AppendNack(dst, 1, 9, true)) == 21 }},
		{"AppendMethodFrame", func() bool { return len(AppendMethodFrame(dst, 1, qos)) == 12 }},
		{"AppendHeartbeat", func() bool { return len(AppendHeartbeat(dst)) == 8 }},
	} {
		worked := true
		if n := testing.AllocsPerRun(100, func() { worked = c.run() && worked }); n != 0 {
			t.Errorf("%s: %v allocations, want none", c.name, n)
		}
		if !worked {
			t.Errorf("%s did not do its work", c.name)
		}
	}
}

// TestDeliveryGrowsOnce writes to a buffer without room. All frames together must cost
// one allocation, so that a long body is not copied several times.
func TestDeliveryGrowsOnce(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	where := AppendExchangeAndKey(nil, "amq.topic", "webapp.query")
	for _, size := range []int{0, 1, 4088, 4089, 100_000} {
		body := make([]byte, size)
		for name, run := range map[string]func(){
			"AppendDeliver": func() { AppendDeliver(nil, 1, "tag", 9, false, where, nil, body, 4096) },
			"AppendGetOk":   func() { AppendGetOk(nil, 1, 9, false, where, 3, nil, body, 4096) },
			"AppendReturn":  func() { AppendReturn(nil, 1, NoRoute, "NO_ROUTE", where, nil, body, 4096) },
		} {
			if n := testing.AllocsPerRun(20, run); n != 1 {
				t.Errorf("%s of %d octets: %v allocations, want 1", name, size, n)
			}
		}
	}
}
