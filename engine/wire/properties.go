package wire

import "encoding/binary"

// Properties are the properties of a message (AMQP 0-9-1 class basic). Flags is the set
// of those that are present, since an empty property differs from a missing one.
type Properties struct {
	Flags PropertyFlags

	ContentType     string
	ContentEncoding string
	Headers         Table
	DeliveryMode    uint8 // 2 is persistent
	Priority        uint8
	CorrelationID   string
	ReplyTo         string
	Expiration      string // by convention milliseconds in decimal
	MessageID       string
	Timestamp       uint64 // seconds since 1970, UTC
	Type            string
	UserID          string
	AppID           string
	ClusterID       string
}

// text returns a pointer to the text property f, or nil if f is not a text property.
func (p *Properties) text(f PropertyFlags) *string {
	switch f {
	case FlagContentType:
		return &p.ContentType
	case FlagContentEncoding:
		return &p.ContentEncoding
	case FlagCorrelationID:
		return &p.CorrelationID
	case FlagReplyTo:
		return &p.ReplyTo
	case FlagExpiration:
		return &p.Expiration
	case FlagMessageID:
		return &p.MessageID
	case FlagType:
		return &p.Type
	case FlagUserID:
		return &p.UserID
	case FlagAppID:
		return &p.AppID
	case FlagClusterID:
		return &p.ClusterID
	}
	return nil
}

// Present returns the flags of the properties that are present: those in p.Flags, and
// those whose value is not zero. So a literal needs no Flags.
func (p *Properties) Present() PropertyFlags {
	flags := p.Flags &^ noProperty
	for f := FlagContentType; f > noProperty; f >>= 1 {
		if !p.isZero(f) {
			flags |= f
		}
	}
	return flags
}

func (p *Properties) isZero(f PropertyFlags) bool {
	switch f {
	case FlagHeaders:
		return len(p.Headers) == 0
	case FlagDeliveryMode:
		return p.DeliveryMode == 0
	case FlagPriority:
		return p.Priority == 0
	case FlagTimestamp:
		return p.Timestamp == 0
	}
	return *p.text(f) == ""
}

// Remove removes the properties whose flags are in f.
func (p *Properties) Remove(f PropertyFlags) {
	p.Flags &^= f
	for g := FlagContentType; g > noProperty; g >>= 1 {
		switch {
		case f&g == 0:
		case g == FlagHeaders:
			p.Headers = nil
		case g == FlagDeliveryMode:
			p.DeliveryMode = 0
		case g == FlagPriority:
			p.Priority = 0
		case g == FlagTimestamp:
			p.Timestamp = 0
		default:
			*p.text(g) = ""
		}
	}
}

// ParseProperties reads the flags and the property list. The result shares no memory
// with raw. Errors are those of [HeaderView.Parse].
func ParseProperties(raw []byte) (Properties, error) {
	var v PropertyView
	if err := v.Parse(raw); err != nil {
		return Properties{}, err
	}
	p := Properties{Flags: PropertyFlags(binary.BigEndian.Uint16(raw))}
	d := decoder{b: raw[2:]}
	for flags := p.Flags; flags != 0; flags &^= first(flags) {
		switch f := first(flags); f {
		case FlagHeaders:
			p.Headers = d.table()
		case FlagDeliveryMode:
			p.DeliveryMode = d.octet()
		case FlagPriority:
			p.Priority = d.octet()
		case FlagTimestamp:
			p.Timestamp = d.longlong()
		default:
			*p.text(f) = d.shortstr()
		}
	}
	return p, nil
}

// AppendProperties appends the flags and the property list to dst: each property whose
// flag is set or whose value is not zero. It panics if a text is longer than 255 octets
// or the headers cannot be encoded; [EncodeProperties] returns an error in these cases.
func AppendProperties(dst []byte, p *Properties) []byte {
	e := encoder{b: dst}
	e.properties(p)
	return e.must()
}

// EncodeProperties is [AppendProperties], but returns an error instead of panicking.
// With an error it returns dst unchanged.
func EncodeProperties(dst []byte, p *Properties) ([]byte, error) {
	e := encoder{b: dst}
	e.properties(p)
	return e.result(len(dst))
}

func (e *encoder) properties(p *Properties) {
	flags := p.Present()
	e.short(uint16(flags))
	for ; flags != 0; flags &^= first(flags) {
		switch f := first(flags); f {
		case FlagHeaders:
			e.table(p.Headers)
		case FlagDeliveryMode:
			e.octet(p.DeliveryMode)
		case FlagPriority:
			e.octet(p.Priority)
		case FlagTimestamp:
			e.longlong(p.Timestamp)
		default:
			e.shortstr(*p.text(f))
		}
	}
}
