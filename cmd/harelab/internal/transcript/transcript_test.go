package transcript

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestFileNames(t *testing.T) {
	for _, tt := range []struct{ rule, vhost, name, want string }{
		{"a name as it is", "/", "celery", "000007-celery.transcript"},
		{"of another virtual host", "lab", "celery", "000007-lab.celery.transcript"},
		{"no way out of the folder", "/", "../../etc/passwd", "000007-..-..-etc-passwd.transcript"},
		{"no octet that a file system might not take", "a/b", "x:y\x00z\\Ü\xff", "000007-a-b.x-y-z---.transcript"},
		{"not too long", "/", strings.Repeat("é", 127), "000007-" + strings.Repeat("-", 80) + ".transcript"},
		{"no name", "/", "", "000007-.transcript"},
	} {
		if got := fileName(7, tt.vhost, tt.name); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.rule, got, tt.want)
		}
	}
}

func open(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	return New(dir, slog.New(slog.NewTextHandler(io.Discard, nil))), dir
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestQueuesThatLookAlikeHaveFilesOfTheirOwn(t *testing.T) {
	f, dir := open(t)
	names := []string{"q", "Q", "q", "a/b", "a:b", strings.Repeat("x", 100) + "1", strings.Repeat("x", 100) + "2"}
	for i, name := range names {
		fmt.Fprintf(f.Open("/", name), "get %d\n", i)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Fatalf("%d files, %v, want %d", len(entries), err, len(names))
	}
	for i, e := range entries {
		want := fmt.Sprintf("# harelab transcript of queue %q in virtual host \"/\"\nget %d\nend\n", names[i], i)
		if got := read(t, dir, e.Name()); got != want {
			t.Errorf("%s holds\n%swant\n%s", e.Name(), got, want)
		}
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	f, dir := open(t)
	defer f.Close()
	w := f.Open("/", "q").(*file)
	line := []byte(strings.Repeat("x", 99) + "\n")
	for n := 0; n < 10*bufferMax; n += len(line) {
		w.Write(line)
		if w.buf.Len() >= bufferMax {
			t.Fatalf("%d octets wait, want under %d", w.buf.Len(), bufferMax)
		}
	}
	w.Flush()
	if got := len(read(t, dir, "000001-q.transcript")); got < 10*bufferMax || w.buf.Len() > 0 {
		t.Errorf("%d octets are written, %d wait, want all written", got, w.buf.Len())
	}
}

func TestFlushWritesWhatWaitsOfAll(t *testing.T) {
	f, dir := open(t)
	defer f.Close()
	fmt.Fprintln(f.Open("/", "a"), "get 0")
	fmt.Fprintln(f.Open("/", "b"), "get 0")
	f.flush()
	for _, name := range []string{"000001-a.transcript", "000002-b.transcript"} {
		if got := read(t, dir, name); !strings.HasSuffix(got, "get 0\n") {
			t.Errorf("%s holds %q", name, got)
		}
	}
}

func TestTranscriptOfADeletedQueueEndsOnce(t *testing.T) {
	f, dir := open(t)
	w := f.Open("/", "q").(*file)
	fmt.Fprintln(w, "end") // as the recorder does
	w.Close()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, "000001-q.transcript"); strings.Count(got, "end\n") != 1 {
		t.Errorf("the transcript is\n%s", got)
	}
}

func TestTranscriptThatCannotBeWrittenIsReported(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	f := New(filepath.Join(dir, "gone"), slog.New(slog.NewTextHandler(&log, nil)))
	w := f.Open("/", "q").(*file)
	if err := w.Flush(); err == nil {
		t.Error("written to a folder that is not there")
	}
	if _, err := w.Write([]byte("get 0\n")); err == nil || w.buf.Len() > 0 {
		t.Errorf("%v, %d octets wait: want the transcript given up", err, w.buf.Len())
	}
	if err := f.Close(); err == nil || strings.Count(log.String(), "a transcript cannot be written any further") != 1 {
		t.Errorf("%v, logged %q", err, log.String())
	}
}

func TestTranscriptsAtTheSameTime(t *testing.T) {
	f, dir := open(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			w := f.Open("/", fmt.Sprint(i)).(*file)
			for n := range 500 {
				fmt.Fprintf(w, "get %d\n", n)
				if n%100 == 0 {
					f.flush()
				}
			}
			if i%2 == 0 {
				fmt.Fprintln(w, "end")
				w.Close()
			}
		})
	}
	wg.Wait()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 8 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		got := read(t, dir, e.Name())
		if strings.Count(got, "get ") != 500 || !strings.HasSuffix(got, "get 499\nend\n") {
			t.Errorf("%s has %d events and ends in %q", e.Name(), strings.Count(got, "get "), got[len(got)-20:])
		}
	}
}
