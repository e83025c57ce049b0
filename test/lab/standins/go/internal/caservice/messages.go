// Package caservice is the wire contract of Citadel's certificate signing service, istio.v1.auth.IstioCAService/HandleCSR:
// the field numbers are those of the published message definitions, so that a node agent of the era could call it.
package caservice

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// CsrRequest asks for a certificate; the caller is known by its client certificate.
type CsrRequest struct {
	CsrPEM              []byte // 1
	CredentialType      string // 3: "onprem"
	RequestedTTLMinutes int32  // 4
}

// CsrResponse carries the leaf and the chain above it (empty for a self-signed CA).
type CsrResponse struct {
	IsApproved bool   // 1
	SignedCert []byte // 3
	CertChain  []byte // 4
}

func (m *CsrRequest) marshal() []byte {
	var b []byte
	b = appendBytes(b, 1, m.CsrPEM)
	b = appendBytes(b, 3, []byte(m.CredentialType))
	return appendVarint(b, 4, uint64(m.RequestedTTLMinutes))
}

func (m *CsrRequest) unmarshal(b []byte) error {
	return eachField(b, func(number protowire.Number, bytes []byte, varint uint64) {
		switch number {
		case 1:
			m.CsrPEM = bytes
		case 3:
			m.CredentialType = string(bytes)
		case 4:
			m.RequestedTTLMinutes = int32(varint)
		}
	})
}

func (m *CsrResponse) marshal() []byte {
	var b []byte
	if m.IsApproved {
		b = appendVarint(b, 1, 1)
	}
	b = appendBytes(b, 3, m.SignedCert)
	return appendBytes(b, 4, m.CertChain)
}

func (m *CsrResponse) unmarshal(b []byte) error {
	return eachField(b, func(number protowire.Number, bytes []byte, varint uint64) {
		switch number {
		case 1:
			m.IsApproved = varint != 0
		case 3:
			m.SignedCert = bytes
		case 4:
			m.CertChain = bytes
		}
	})
}

func appendBytes(b []byte, number protowire.Number, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
}

func appendVarint(b []byte, number protowire.Number, value uint64) []byte {
	if value == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), value)
}

// eachField calls visit for every length-delimited or varint field; others are skipped, as an old reader does.
func eachField(b []byte, visit func(number protowire.Number, bytes []byte, varint uint64)) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("bad tag: %w", protowire.ParseError(n))
		}
		b = b[n:]
		switch kind {
		case protowire.BytesType:
			value, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return protowire.ParseError(n)
			}
			visit(number, append([]byte(nil), value...), 0)
			b = b[n:]
		case protowire.VarintType:
			value, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return protowire.ParseError(n)
			}
			visit(number, nil, value)
			b = b[n:]
		default:
			n := protowire.ConsumeFieldValue(number, kind, b)
			if n < 0 {
				return protowire.ParseError(n)
			}
			b = b[n:]
		}
	}
	return nil
}
