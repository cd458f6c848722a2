// Package transcript writes the transcripts of a broker's queues, each to a file of
// its own in one folder.
package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"harelab/engine/queue"
)

const (
	// bufferMax is how much of a transcript, in octets, waits to be written at most.
	bufferMax = 4 << 10

	// flushEvery is how long it waits at most.
	flushEvery = time.Second

	// nameMax bounds what a file's name has of the queue's, in octets.
	nameMax = 80
)

// A Folder holds the transcripts. Its methods may be called at the same time.
type Folder struct {
	dir  string
	log  *slog.Logger
	done chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex
	files map[*file]struct{} // those that have not ended
	made  int
	err   error // the first
}

// New returns a folder of transcripts in dir, which is there. The first transcript
// that cannot be written is logged at once. The caller closes the folder, after the
// broker.
func New(dir string, log *slog.Logger) *Folder {
	f := &Folder{dir: dir, log: log, done: make(chan struct{}), files: make(map[*file]struct{})}
	f.wg.Go(func() {
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f.flush()
			case <-f.done:
				return
			}
		}
	})
	return f
}

// Open begins the transcript of a queue: the Transcript of engine.Options. The
// transcript is written at once when there is much of it, else every second.
// No file is open in between, so that there may be any number of queues.
func (f *Folder) Open(vhost, name string) io.Writer {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made++
	t := &file{folder: f, path: filepath.Join(f.dir, fileName(f.made, vhost, name))}
	fmt.Fprintf(&t.buf, "# harelab transcript of queue %q in virtual host %q\n", name, vhost)
	f.files[t] = struct{}{}
	return t
}

// fileName is safe in every file system, and no other queue's: the number tells
// names apart that only differ in what is left out, or in case, and the lives of
// queues of one name. The names themselves stand in the file.
func fileName(n int, vhost, name string) string {
	if vhost != "/" {
		name = vhost + "." + name
	}
	safe := strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
			return c
		}
		return '-'
	}, name)
	return fmt.Sprintf("%06d-%s.transcript", n, safe[:min(len(safe), nameMax)])
}

// flush writes what waits of all transcripts.
func (f *Folder) flush() {
	f.mu.Lock()
	files := make([]*file, 0, len(f.files))
	for t := range f.files {
		files = append(files, t)
	}
	f.mu.Unlock()
	for _, t := range files {
		t.Flush()
	}
}

// failed keeps the first error.
func (f *Folder) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
		f.log.Error("a transcript is given up", "error", err)
	}
}

// Close ends all transcripts, the queues being stepped no more, and returns the
// first error of writing any of them.
func (f *Folder) Close() error {
	close(f.done)
	f.wg.Wait()
	f.mu.Lock()
	files := f.files
	f.files = nil
	f.mu.Unlock()
	for t := range files {
		t.Write([]byte(queue.EndLine))
		t.Flush()
	}
	return f.err
}

// A file is one transcript.
type file struct {
	folder *Folder
	path   string

	mu  sync.Mutex
	buf bytes.Buffer // not written yet
	err error
}

// Write takes in whole lines.
func (t *file) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.buf.Write(p)
		if t.buf.Len() >= bufferMax {
			t.flush()
		}
	}
	return len(p), t.err
}

// Flush writes what waits.
func (t *file) Flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	return t.err
}

// flush appends what waits to the file. A file that cannot be written to is given up:
// a transcript with a hole is worth nothing.
func (t *file) flush() {
	if t.err != nil || t.buf.Len() == 0 {
		return
	}
	out, err := os.OpenFile(t.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err == nil {
		_, err = t.buf.WriteTo(out)
		err = errors.Join(err, out.Close())
	}
	t.buf.Reset()
	if t.buf.Cap() > 4*bufferMax {
		t.buf = bytes.Buffer{}
	}
	if err != nil {
		t.err = err
		t.folder.failed(err)
	}
}

// Close writes what waits when the queue is deleted.
func (t *file) Close() error {
	t.folder.mu.Lock()
	delete(t.folder.files, t)
	t.folder.mu.Unlock()
	return t.Flush()
}
