package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
)

// Contents is what goes into a bundle, and the port to wherever that comes from: the caller fills it.
type Contents struct {
	About  string    // name of the stream of what the bundle is about: an account, a project, an invoice, a contract
	Issued time.Time // UTC, whole seconds
	// Logs are those that hold the events, by epoch.
	Logs []LogContents
	// Events come by epoch and index. The one that issues the bundle is among them.
	Events iter.Seq2[Item, error]
	// Documents are files whose SHA-256 an event names.
	Documents []Document
	// Signer is the key of the newest log.
	Signer note.Signer
	// Report is what the bundle says to people; Write fills in what follows from the rest.
	Report Report
	// Paper draws the report as PDF. Nil leaves it out.
	Paper func(*Report) ([]byte, error)
}

// LogContents is what a bundle needs of one log.
type LogContents struct {
	Epoch  int
	Signed []byte // the newest checkpoint, with the cosignatures of witnesses
	Hashes tlog.HashReader
	// Earlier are sizes of the log that somebody may hold a checkpoint of, rising. The bundle proves that the log begins
	// with each of them.
	Earlier []int64
}

// Item is an event of a bundle.
type Item struct {
	Place
	Leaf evidence.Leaf
	// Data and Metadata are the bytes as stored. Nil withholds them, or says that they were removed: the leaf still
	// shows that the event was there.
	Data, Metadata []byte
	// Disclosed are personal values in plain text.
	Disclosed Disclosed
	Line      Line // in the report
}

// Disclosed are personal values of an event in plain text, by their path in the data and in the metadata.
type Disclosed struct {
	Data     map[string]domain.Disclosure `json:"data,omitempty"`
	Metadata map[string]domain.Disclosure `json:"metadata,omitempty"`
}

func (d Disclosed) text() ([]byte, error) {
	if len(d.Data) == 0 && len(d.Metadata) == 0 {
		return nil, nil
	}
	b, err := json.MarshalIndent(d, "", "\t")
	return append(b, '\n'), err
}

// Document is a file in a bundle.
type Document struct {
	Name string
	// Open reads the file from its beginning; it is called twice.
	Open func() (io.ReadCloser, error)
}

// Write writes a bundle. The same contents give the same bytes.
func Write(w io.Writer, c Contents) error {
	if len(c.Logs) == 0 {
		return errors.New("a bundle needs a log: nothing of this was sealed yet")
	}
	b := &bundleWriter{archive: newArchiveWriter(w), logs: make(map[int]writtenLog), report: c.Report}
	b.report.About, b.report.Issued = c.About, c.Issued.UTC().Truncate(time.Second)
	steps := []func() error{
		func() error { return b.add(readmeName, []byte(readme)) },
		func() error { return each(c.Logs, b.log) },
		func() error {
			for item, err := range c.Events {
				if err == nil {
					err = b.event(item)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
		func() error { return each(c.Documents, b.document) },
		func() error { return b.addReport(c.Paper) },
		func() error { return b.finish(c) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("writing the bundle: %w", err)
		}
	}
	return nil
}

func each[T any](list []T, do func(T) error) error {
	for _, one := range list {
		if err := do(one); err != nil {
			return err
		}
	}
	return nil
}

type bundleWriter struct {
	archive archiveWriter
	lines   []string // of the manifest
	logs    map[int]writtenLog
	newest  evidence.Checkpoint
	last    Place // of the event written last
	begun   bool
	report  Report
}

type writtenLog struct {
	evidence.Checkpoint
	signed []byte
	hashes tlog.HashReader
}

func (b *bundleWriter) add(name string, content []byte) error {
	sum := sha256.Sum256(content)
	b.lines = append(b.lines, manifestLine(sum[:], name))
	return b.archive.add(name, content)
}

func (b *bundleWriter) log(l LogContents) error {
	n, _, err := openNote(l.Signed, nil, strings.Clone)
	if err != nil {
		return err
	}
	c, err := evidence.ParseCheckpoint(n.Text)
	if err != nil {
		return err
	}
	b.logs[l.Epoch], b.newest = writtenLog{c, l.Signed, l.Hashes}, c
	b.report.Seals = append(b.report.Seals, Seal{Log: c.Origin, Size: c.Size, Root: c.Root.String()})
	if err := b.add(checkpointName(l.Epoch), l.Signed); err != nil {
		return err
	}
	for _, size := range l.Earlier {
		older := evidence.Checkpoint{Origin: c.Origin, Size: size}
		if older.Root, err = tlog.TreeHash(size, l.Hashes); err != nil {
			return err
		}
		proof, err := tlog.ProveTree(c.Size, size, l.Hashes)
		if err != nil {
			return err
		}
		if err := b.add(earlierName(l.Epoch, size), consistency{older, c.Size, proof}.text()); err != nil {
			return err
		}
	}
	return nil
}

func (b *bundleWriter) event(i Item) error {
	if b.begun && !b.last.before(i.Place) {
		return fmt.Errorf("%s comes after %s", i.Place, b.last)
	}
	b.begun, b.last = true, i.Place
	log, ok := b.logs[i.Epoch]
	if !ok || i.Index >= log.Size {
		return fmt.Errorf("%s is not sealed by the checkpoint", i.Place)
	}
	proof, err := tlog.ProveRecord(log.Size, i.Index, log.hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, log.Size, log.Root, i.Index, i.Leaf.Hash()); err != nil {
		return fmt.Errorf("revision %d of %s is not what was sealed as %s: run `atrium audit monitor`", i.Leaf.Revision, i.Leaf.Stream, i.Place)
	}
	disclosed, err := i.Disclosed.text()
	if err != nil {
		return err
	}
	b.report.Lines = append(b.report.Lines, i.line())
	dir := i.dir()
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{leafName, i.Leaf.Bytes()},
		{proofName, proofText(i.Index, proof, log.signed)},
		{dataName, i.Data},
		{metadataName, i.Metadata},
		{disclosedName, disclosed},
	} {
		if f.content == nil {
			continue
		}
		if err := b.add(dir+f.name, f.content); err != nil {
			return err
		}
	}
	return nil
}

func (b *bundleWriter) document(d Document) error {
	sum, crc := sha256.New(), crc32.NewIEEE()
	size, err := d.copyTo(io.MultiWriter(sum, crc))
	if err != nil {
		return err
	}
	sha := hex.EncodeToString(sum.Sum(nil))
	name := documentsDir + sha + "/" + safeName(d.Name)
	w, err := b.archive.create(name, uint64(size), crc.Sum32())
	if err != nil {
		return err
	}
	again := sha256.New()
	if _, err := d.copyTo(io.MultiWriter(w, again)); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), again.Sum(nil)) {
		return fmt.Errorf("the file %s changed while it was read", d.Name)
	}
	b.lines = append(b.lines, manifestLine(sum.Sum(nil), name))
	b.report.Files = append(b.report.Files, ReportFile{Name: d.Name, SHA256: sha, Size: size})
	return nil
}

func (d Document) copyTo(w io.Writer) (int64, error) {
	r, err := d.Open()
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(w, r)
	return size, errors.Join(err, r.Close())
}

// safeName keeps what every file system takes.
func safeName(name string) string {
	safe := []byte(strings.TrimLeft(name, "."))
	for i, c := range safe {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '-' || c == '.' || c == '_') {
			safe[i] = '_'
		}
	}
	if len(safe) == 0 {
		return "file"
	}
	return string(safe[max(0, len(safe)-100):]) // the end tells the kind of file
}

func (b *bundleWriter) addReport(paper func(*Report) ([]byte, error)) error {
	html, err := b.report.HTML()
	if err != nil {
		return err
	}
	if err := b.add(htmlName, html); err != nil || paper == nil {
		return err
	}
	pdf, err := paper(&b.report)
	if err != nil {
		return err
	}
	return b.add(paperName, pdf)
}

func (b *bundleWriter) finish(c Contents) error {
	m := manifest{origin: b.newest.Origin, about: c.About, issued: b.report.Issued, lines: b.lines}
	signed, err := note.Sign(&note.Note{Text: m.text()}, c.Signer)
	if err != nil {
		return err
	}
	if err := b.archive.add(manifestName, signed); err != nil {
		return err
	}
	return b.archive.zip.Close()
}
