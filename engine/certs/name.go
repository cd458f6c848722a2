package certs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
)

// A NameFrom says which part of a client's certificate is the name of its user: RabbitMQ's
// ssl_cert_login_from.
type NameFrom string

// The parts of a certificate that can name a user.
const (
	FromSubject    NameFrom = "distinguished_name" // RFC 4514's text of the whole subject; the default
	FromCommonName NameFrom = "common_name"        // several are joined by commas
	FromDNS        NameFrom = "subject_alternative_name:dns"
	FromEmail      NameFrom = "subject_alternative_name:email"
	FromIP         NameFrom = "subject_alternative_name:ip"
	FromURI        NameFrom = "subject_alternative_name:uri"
)

// names lists the values of NameFrom.
var names = []NameFrom{FromSubject, FromCommonName, FromDNS, FromEmail, FromIP, FromURI}

// ParseNameFrom reads a NameFrom. The empty text is distinguished_name, and an alternative
// name without a type is one of DNS.
func ParseNameFrom(text string) (NameFrom, error) {
	text = strings.Replace(text, "subject_alt_name", "subject_alternative_name", 1) // RabbitMQ knows both
	switch text {
	case "":
		return FromSubject, nil
	case "subject_alternative_name":
		return FromDNS, nil
	}
	var known []string
	for _, n := range names {
		if text == string(n) {
			return n, nil
		}
		known = append(known, string(n))
	}
	return "", fmt.Errorf("certs: unknown part of a certificate %.64q (have %s)", text, strings.Join(known, ", "))
}

// Of returns the name in a certificate. Of several alternative names of its type it is the
// first one. (rabbit_ssl, peer_cert_auth_name/2.)
func (n NameFrom) Of(c *x509.Certificate) (string, error) {
	name := ""
	switch n {
	case FromSubject, "":
		name = Subject(c)
	case FromCommonName:
		name = strings.Join(commonNames(c), ",")
	case FromDNS:
		name = first(c.DNSNames)
	case FromEmail:
		name = first(c.EmailAddresses)
	case FromIP:
		name = fmt.Sprint(first(c.IPAddresses))
		if len(c.IPAddresses) == 0 {
			name = ""
		}
	case FromURI:
		if len(c.URIs) > 0 {
			name = c.URIs[0].String()
		}
	}
	if name == "" {
		return "", fmt.Errorf("certs: the certificate of %q has no %s", Subject(c), n)
	}
	return name, nil
}

func first[T any](all []T) (v T) {
	if len(all) > 0 {
		v = all[0]
	}
	return v
}

// commonName is the type of the attribute CN.
var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// commonNames returns all CNs of the subject in order.
func commonNames(c *x509.Certificate) []string {
	var all []string
	for _, a := range c.Subject.Names {
		if a.Type.Equal(commonName) {
			all = append(all, fmt.Sprint(a.Value))
		}
	}
	return all
}

// attributeNames are the attributes that have a name in the text of a subject
// (rabbit_cert_info, format_rdn/1).
var attributeNames = map[string]string{
	"2.5.4.4":                    "SN",
	"2.5.4.42":                   "GIVENNAME",
	"2.5.4.43":                   "INITIALS",
	"2.5.4.44":                   "GENERATIONQUALIFIER",
	"2.5.4.3":                    "CN",
	"2.5.4.7":                    "L",
	"2.5.4.8":                    "ST",
	"2.5.4.10":                   "O",
	"2.5.4.11":                   "OU",
	"2.5.4.12":                   "TITLE",
	"2.5.4.6":                    "C",
	"2.5.4.5":                    "SERIALNUMBER",
	"2.5.4.65":                   "PSEUDONYM",
	"0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1":       "EMAILADDRESS",
	"2.5.4.9":                    "STREET",
	"0.9.2342.19200300.100.1.1":  "UID",
}

// Subject returns the text of a certificate's subject, the last attribute first (RFC 4514;
// rabbit_cert_info, subject/1).
func Subject(c *x509.Certificate) string {
	sets, err := parseSubject(c.RawSubject)
	if err != nil {
		return c.Subject.String() // unreachable: the subject was parsed before
	}
	var parts []string
	for i := len(sets) - 1; i >= 0; i-- {
		var set []string
		for _, a := range sets[i] {
			name := a.Type.String()
			if known, ok := attributeNames[name]; ok {
				name = known
			}
			set = append(set, name+"="+escape(fmt.Sprint(a.Value)))
		}
		parts = append(parts, strings.Join(set, "+"))
	}
	return strings.Join(parts, ",")
}

func parseSubject(raw []byte) (pkix.RDNSequence, error) {
	var sets pkix.RDNSequence
	rest, err := asn1.Unmarshal(raw, &sets)
	if err == nil && len(rest) > 0 {
		err = errors.New("octets after the subject")
	}
	return sets, err
}

// escape escapes a value of an attribute, octets that do not print included
// (rabbit_cert_info, escape_rdn_value/1).
func escape(value string) string {
	var b strings.Builder
	for i := range len(value) {
		c := value[i]
		switch {
		case i == 0 && (c == ' ' || c == '#'),
			i == len(value)-1 && c == ' ',
			strings.IndexByte(`"+,;<>\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 32 || c >= 126:
			fmt.Fprintf(&b, `\%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
