package server

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"harelab/engine/auth"
	"harelab/engine/broker"
	"harelab/engine/wire"
)

const (
	// greetingFrameMax is the size of the largest frame before connection.tune-ok, in
	// octets. It bounds the memory that a stranger can make the server hold.
	greetingFrameMax = 8 << 10

	// silence is the delay before the server closes the connection of a peer whose login
	// failed, so that guessing passwords is slow (rabbit_reader, SILENT_CLOSE_DELAY).
	silence = 3 * time.Second
)

// A version is that of the protocol that connection.start names.
type version struct{ major, minor byte }

// versions are the protocol headers that the server accepts, each with the version that
// it answers (rabbit_reader, version_negotiation/2). All are served as 0-9-1: 0-9 is the
// same protocol for a server, and 0-8 has the same layouts but for connection.close
// (10.60) and channel.open-ok (no argument). Clients send either header for 0-8.
var versions = map[[8]byte]version{
	wire.ProtocolHeader:              {0, 9},
	{'A', 'M', 'Q', 'P', 1, 1, 0, 9}: {0, 9},
	{'A', 'M', 'Q', 'P', 1, 1, 8, 0}: {8, 0},
	{'A', 'M', 'Q', 'P', 1, 1, 9, 1}: {8, 0},
}

// errClientClosed says that the client sent connection.close during the handshake.
var errClientClosed = errors.New("client closed the connection during the handshake")

// A refusal ends a handshake: the server sends answer and closes the connection after
// wait.
type refusal struct {
	reason error // for the log; the peer sees only answer
	answer []byte
	final  bool // answer is no connection.close, which the client answers itself
	wait   time.Duration
}

func (r *refusal) Error() string { return r.reason.Error() }

// refuseSilently returns a refusal without an answer.
func refuseSilently(reason error) error { return &refusal{reason: reason, wait: silence} }

// refuseWithClose returns a refusal that answers with connection.close.
func refuseWithClose(e *wire.Error) error {
	return &refusal{reason: e, answer: closeFrame(e), wait: lingerTimeout}
}

func closeFrame(e *wire.Error) []byte {
	return wire.AppendMethodFrame(nil, 0, &wire.ConnectionClose{
		ReplyCode: e.Code,
		ReplyText: e.ReplyText(),
		ClassID:   e.Method.Class(),
		MethodID:  e.Method.Method(),
	})
}

// handshake takes a new connection from the protocol header to connection.open-ok
// (AMQP 0-9-1 section 2.2.4). Its steps follow one after the other, so it runs in the
// reader, writes to the socket itself, and has one deadline for all steps.
func (c *conn) handshake() (err error) {
	defer func() {
		if !c.guarded {
			return // the handshake is over, or the panic is the broker's
		}
		c.guarded = false
		if r := recover(); r != nil {
			err = refuseWithClose(c.fault(r))
		}
	}()
	c.guarded = true
	if err := c.nc.SetDeadline(time.Now().Add(c.srv.opts.HandshakeTimeout)); err != nil {
		return err
	}
	for _, step := range []func() error{c.begin, c.greet, c.login, c.tune, c.open} {
		if err := step(); err != nil {
			return err
		}
	}
	c.guarded = false
	return c.nc.SetDeadline(time.Time{})
}

// refuse ends a connection whose handshake ended with err. The connection is closed later,
// without this goroutine: it may be one of thousands.
func (c *conn) refuse(err error) {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		c.log.Debug("handshake failed", "error", err)
		c.socket.Close()
		return
	}
	c.log.Warn("connection refused", "user", c.user, "reason", r.reason)
	if r.answer != nil {
		c.nc.SetDeadline(time.Now().Add(lingerTimeout))
		if _, err := c.nc.Write(r.answer); err != nil {
			c.socket.Close()
			return
		}
		if r.final {
			c.closeWrite()
		}
	}
	c.srv.parking.park(c.socket, r.wait)
}

// greet reads the protocol header and answers with connection.start.
func (c *conn) greet() error {
	var header [8]byte
	for c.in.end < len(header) {
		if err := c.in.fill(c.nc); err != nil {
			return err
		}
	}
	copy(header[:], c.in.buf)
	c.in.start = len(header)
	v, ok := versions[header]
	if !ok {
		reason := fmt.Errorf("protocol header %q is not %q", header[:], wire.ProtocolHeader[:])
		if looksLikeTLS(header) {
			reason = errors.New("a client with TLS on a port without TLS")
		}
		return &refusal{reason: reason, answer: wire.ProtocolHeader[:], final: true, wait: lingerTimeout}
	}
	return c.send(&wire.ConnectionStart{
		VersionMajor:     v.major,
		VersionMinor:     v.minor,
		ServerProperties: c.srv.properties(v),
		Mechanisms:       []byte(c.mechanisms()),
		Locales:          []byte("en_US"),
	})
}

// mechanisms are those that the client may use.
func (c *conn) mechanisms() string {
	if c.verified {
		return auth.Mechanisms + " " + auth.External
	}
	return auth.Mechanisms
}

// login reads connection.start-ok and authenticates the client.
func (c *conn) login() error {
	m, err := await[*wire.ConnectionStartOk](c)
	if err != nil {
		return err
	}
	can := func(capability string) bool {
		v, _ := m.ClientProperties.Get("capabilities")
		capabilities, _ := v.(wire.Table)
		v, _ = capabilities.Get(capability)
		return v == true
	}
	c.cancelNotify = can("consumer_cancel_notify")
	c.knowsBlocked = can("connection.blocked")
	if !slices.Contains(strings.Fields(c.mechanisms()), m.Mechanism) {
		return refuseSilently(fmt.Errorf("mechanism %.32q is not one of %s", m.Mechanism, c.mechanisms()))
	}
	l, err := auth.ParseLogin(m.Mechanism, m.Response)
	if err != nil {
		return refuseSilently(err)
	}
	c.user, err = c.srv.opts.Broker.Auth().Authenticate(l, auth.Peer{Loopback: isLocal(c.remote), Address: host(c.remote), Certificate: c.certificate})
	if err == nil {
		return nil
	}
	r := &refusal{reason: fmt.Errorf("%v: %w", l, err), wait: silence}
	if can("authentication_failure_close") {
		r.answer = closeFrame(wire.Errorf(wire.AccessRefused, auth.Refused, m.Mechanism))
	}
	return r
}

// isLocal reports whether a peer is on this machine.
func isLocal(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr, pipeAddr:
		return true
	}
	return false
}

// tune negotiates the limits: the client chooses them within what the server offers.
func (c *conn) tune() error {
	o := &c.srv.opts
	beat := uint16(max(0, min(o.Heartbeat/time.Second, 1<<16-1)))
	err := c.send(&wire.ConnectionTune{ChannelMax: o.ChannelMax, FrameMax: o.FrameMax, Heartbeat: beat})
	if err != nil {
		return err
	}
	m, err := await[*wire.ConnectionTuneOk](c)
	if err != nil {
		return err
	}
	if err := negotiated("frame_max", m.FrameMax, wire.MinFrameMax, o.FrameMax); err != nil {
		return refuseSilently(err)
	}
	if err := negotiated("channel_max", uint32(m.ChannelMax), 1, uint32(o.ChannelMax)); err != nil {
		return refuseSilently(err)
	}
	c.frameMax, c.channelMax = m.FrameMax, m.ChannelMax
	c.beat.interval = time.Duration(m.Heartbeat) * time.Second
	return nil
}

// negotiated checks a value of connection.tune-ok. It refuses zero, which means no limit,
// since the server has one (rabbit_reader, validate_negotiated_integer_value/3).
func negotiated(field string, value, least, most uint32) error {
	if value < least || value > most {
		return fmt.Errorf("negotiated %s = %d is not within %d and %d", field, value, least, most)
	}
	return nil
}

// open reads connection.open and connects the client to its virtual host.
func (c *conn) open() error {
	m, err := await[*wire.ConnectionOpen](c)
	if err != nil {
		return err
	}
	c.guarded = false // the broker takes locks
	b, err := c.srv.opts.Broker.Open(m.VirtualHost, broker.ConnOptions{
		Name: fmt.Sprintf("%s -> %s", c.remote, c.local),
		User: c.user,

		Ended:        c.brokerEnds,
		ChannelEnded: func(ch *broker.Channel, reason error) { go c.endChannel(ch, reason) },
		Durable: func(r broker.Round, b *broker.Batch) {
			c.out.open(r)
			b.Touch(c)
		},
	})
	c.guarded = true
	if err != nil {
		return refuseWithClose(asException(causedBy(err, m.ID())))
	}
	c.work.Lock()
	c.broker = b
	c.work.Unlock()
	return c.send(&wire.ConnectionOpenOk{})
}

// send writes a method of the handshake.
func (c *conn) send(m wire.Method) error {
	_, err := c.nc.Write(wire.AppendMethodFrame(nil, 0, m))
	return err
}

// await reads the next method, which must be an M. It skips heartbeats.
func await[M wire.Method](c *conn) (m M, err error) {
	for {
		f, ok, err := c.in.next(c.frameMax)
		switch {
		case err != nil:
			return m, refuseSilently(err)
		case ok && f.Type == wire.FrameHeartbeat:
		case ok:
			return expect[M](c, f)
		default:
			if err := c.in.fill(c.nc); err != nil {
				return m, err
			}
		}
	}
}

// expect parses the method of f, which must be an M.
func expect[M wire.Method](c *conn, f wire.Frame) (m M, err error) {
	if f.Type != wire.FrameMethod || f.Channel != 0 {
		return m, refuseSilently(fmt.Errorf("frame of type %d on channel %d during the handshake", f.Type, f.Channel))
	}
	got, err := wire.ParseMethod(f.Payload)
	if err != nil {
		return m, refuseSilently(err)
	}
	switch got := got.(type) {
	case M:
		return got, nil
	case *wire.ConnectionClose:
		c.send(&wire.ConnectionCloseOk{})
		return m, errClientClosed
	}
	return m, refuseSilently(fmt.Errorf("%s during the handshake, want %s", got.ID(), m.ID()))
}
