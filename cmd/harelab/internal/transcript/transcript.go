// Package transcript writes the transcripts of a broker's queues into one folder, one file
// for each queue.
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
	// bufferMax is the number of octets of a transcript that are buffered at most.
	bufferMax = 4 << 10

	// flushEvery is the longest time for which they are buffered.
	flushEvery = time.Second

	// nameMax bounds the part of a file's name that comes from the queue's, in octets.
	nameMax = 80
)

// A Folder holds transcripts. Its methods may be called concurrently.
type Folder struct {
	dir  string
	log  *slog.Logger
	done chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex
	files map[*file]struct{} // transcripts that have not ended
	made  int                // number of transcripts
	err   error              // the first error
}

// New returns a folder of transcripts in dir, which exists. The first error of writing a
// transcript is logged at once. The caller closes the folder after the broker.
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

// Open begins the transcript of a queue. It is the Transcript of engine.Options. A
// transcript is written when its buffer is full and at least every second. Its file is
// open only while it is written, so that the number of queues is not limited.
func (f *Folder) Open(vhost, name string) io.Writer {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made++
	t := &file{folder: f, path: filepath.Join(f.dir, fileName(f.made, vhost, name))}
	fmt.Fprintf(&t.buf, "# harelab transcript of queue %q in virtual host %q\n", name, vhost)
	f.files[t] = struct{}{}
	return t
}

// fileName returns a name that is safe in every file system and unique: the number
// distinguishes names that differ only in replaced characters or in case, and queues that
// have the same name one after the other. The first line of the file has the full names.
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

// flush writes the buffers of all transcripts.
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

// failed keeps and logs the first error.
func (f *Folder) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
		f.log.Error("a transcript cannot be written any further", "error", err)
	}
}

// Close ends all transcripts and returns the first error of writing any of them. The
// caller has stopped the queues.
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
	buf bytes.Buffer // octets that are not written yet
	err error
}

// Write buffers whole lines.
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

// Flush writes the buffer to the file.
func (t *file) Flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	return t.err
}

// flush appends the buffer to the file. After an error it writes no more: a transcript
// with a hole is worth nothing.
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

// Close ends the transcript of a deleted queue and writes its buffer.
func (t *file) Close() error {
	t.folder.mu.Lock()
	delete(t.folder.files, t)
	t.folder.mu.Unlock()
	return t.Flush()
}
