package wire

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestTranscript reads the frames of testdata/transcript.txt, compares their contents
// with those in the file, and encodes them again.
func TestTranscript(t *testing.T) {
	const path = "testdata/transcript.txt"
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(golden)), "\n\n")
	seen := map[string]bool{}
	for i, block := range blocks[1:] {
		head, want, _ := strings.Cut(block, "\n----")
		want = strings.TrimPrefix(want, "\n")
		name, octets, _ := strings.Cut(head, "\n")
		raw, err := hex.DecodeString(strings.ReplaceAll(octets, "\n", ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, again, err := readAndWrite(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(again, raw) {
			t.Errorf("%s: written again:\n%x, want\n%x", name, again, raw)
		}
		if got != want && !*update {
			t.Errorf("%s: read\n%s, want\n%s", name, got, want)
		}
		blocks[i+1] = head + "\n----\n" + got
		seen[strings.Fields(got)[2]] = true
	}
	for _, id := range methodIDs {
		if !seen[id.String()] && id.Class() != 30 { // the encoder has no class access
			t.Errorf("no frame of %v", id)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// readAndWrite returns the contents of the frame raw as text, and the octets that they
// encode to.
func readAndWrite(raw []byte) (text string, again []byte, err error) {
	f, n, err := NextFrame(raw, MinFrameMax)
	if err != nil || n != len(raw) {
		return "", nil, fmt.Errorf("NextFrame: %d octets of %d, error %v", n, len(raw), err)
	}
	text = fmt.Sprintf("channel %d ", f.Channel)
	switch f.Type {
	case FrameMethod:
		m, err := ParseMethod(f.Payload)
		if err != nil {
			return "", nil, err
		}
		return text + fmt.Sprintf("%v %#v", m.ID(), m), AppendMethodFrame(nil, f.Channel, m), nil
	case FrameHeader:
		var h HeaderView
		if err := h.Parse(f.Payload); err != nil {
			return "", nil, err
		}
		p, err := ParseProperties(h.Properties.Raw())
		if err != nil {
			return "", nil, err
		}
		text += fmt.Sprintf("class %d, body of %d octets, %#v", h.ClassID, h.BodySize, p)
		return text, AppendHeaderFrame(nil, f.Channel, h.BodySize, AppendProperties(nil, &p)), nil
	}
	return text + fmt.Sprintf("type %d, %q", f.Type, f.Payload), AppendFrame(nil, f.Type, f.Channel, f.Payload), nil
}
