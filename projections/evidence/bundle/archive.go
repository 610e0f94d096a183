package bundle

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/projections/evidence"
)

// A bundle is a zip archive whose entries are stored as they are, so that any program can unpack and hash them, in this
// order and under these names. Its bytes follow from its contents: the verifier makes the archive again and compares.
const (
	readmeName   = "README.txt"
	logsDir      = "logs/"      // logs/<epoch>/checkpoint, logs/<epoch>/earlier/<size>
	eventsDir    = "events/"    // events/<epoch>/<index>/…
	documentsDir = "documents/" // documents/<SHA-256>/<name>
	htmlName     = "report.html"
	paperName    = "report.pdf"
	manifestName = "manifest"
)

// Files of an event, in their order.
const (
	leafName      = "0-leaf.bin"
	proofName     = "1-proof.tlog-proof"
	dataName      = "2-data.json"
	metadataName  = "3-metadata.json"
	disclosedName = "4-disclosed.json"
)

// The most an entry may hold. Documents are read in passing and may be of any size.
const (
	smallEntry = 1 << 16
	largeEntry = 1 << 28
)

// Place is where a leaf is.
type Place struct {
	Epoch int   `json:"epoch"` // of the log, from 1
	Index int64 `json:"index"` // in it, from 0
}

func (p Place) String() string {
	if p.Epoch == 1 {
		return "leaf " + strconv.FormatInt(p.Index, 10)
	}
	return fmt.Sprintf("leaf %d of epoch %d", p.Index, p.Epoch)
}

func (p Place) before(other Place) bool {
	return p.Epoch < other.Epoch || p.Epoch == other.Epoch && p.Index < other.Index
}

func (p Place) dir() string { return fmt.Sprintf("%s%04d/%012d/", eventsDir, p.Epoch, p.Index) }

func checkpointName(epoch int) string { return fmt.Sprintf("%s%04d/checkpoint", logsDir, epoch) }

func earlierName(epoch int, size int64) string {
	return fmt.Sprintf("%s%04d/earlier/%012d", logsDir, epoch, size)
}

// entryName is a name taken apart. Names of one order ascend.
type entryName struct {
	order int // of its kind
	limit int64
	Place        // of an event; of a log its epoch and, of an earlier checkpoint, the size
	file  string // of an event
	sum   string // of a document
}

// The kinds of entry, in their order.
const (
	orderReadme = iota
	orderLog
	orderEvent
	orderDocument
	orderHTML
	orderPaper
	orderManifest
	orderNone // does not belong in a bundle
)

var (
	logForm      = regexp.MustCompile(`^logs/(\d{4})/(?:checkpoint|earlier/(\d{12}))$`)
	eventForm    = regexp.MustCompile(`^events/(\d{4})/(\d{12})/(0-leaf\.bin|1-proof\.tlog-proof|2-data\.json|3-metadata\.json|4-disclosed\.json)$`)
	documentForm = regexp.MustCompile(`^documents/([0-9a-f]{64})/[0-9A-Za-z_-][0-9A-Za-z._-]{0,99}$`)
)

func parseName(name string) entryName {
	number := func(digits string) int64 { n, _ := strconv.ParseInt("0"+digits, 10, 64); return n }
	switch name {
	case readmeName:
		return entryName{order: orderReadme, limit: smallEntry}
	case htmlName:
		return entryName{order: orderHTML, limit: largeEntry}
	case paperName:
		return entryName{order: orderPaper, limit: largeEntry}
	case manifestName:
		return entryName{order: orderManifest, limit: largeEntry}
	}
	if m := logForm.FindStringSubmatch(name); m != nil {
		return entryName{order: orderLog, limit: smallEntry, Place: Place{int(number(m[1])), number(m[2])}}
	}
	if m := eventForm.FindStringSubmatch(name); m != nil {
		e := entryName{order: orderEvent, limit: largeEntry, Place: Place{int(number(m[1])), number(m[2])}, file: m[3]}
		if e.file == leafName || e.file == proofName {
			e.limit = smallEntry
		}
		return e
	}
	if m := documentForm.FindStringSubmatch(name); m != nil {
		return entryName{order: orderDocument, limit: 1 << 62, sum: m[1]}
	}
	return entryName{order: orderNone}
}

// archiveWriter writes entries in the one form a bundle has.
type archiveWriter struct{ zip *zip.Writer }

func newArchiveWriter(w io.Writer) archiveWriter { return archiveWriter{zip.NewWriter(w)} }

// create begins an entry of that size and CRC-32. The archive knows no times but the first that its format can tell.
func (a archiveWriter) create(name string, size uint64, crc uint32) (io.Writer, error) {
	return a.zip.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, CRC32: crc, CompressedSize64: size, UncompressedSize64: size,
		CreatorVersion: 20, ReaderVersion: 20,
		ModifiedDate: 1<<5 | 1, //nolint:staticcheck // CreateRaw writes this field and not Modified
	})
}

func (a archiveWriter) add(name string, content []byte) error {
	w, err := a.create(name, uint64(len(content)), crc32.ChecksumIEEE(content))
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}

// comparer is a writer that compares what it is given with what is there. It never fails; differs tells.
type comparer struct {
	there   *bufio.Reader
	at      int64 // how much was the same
	differs bool
	buf     []byte
}

func newComparer(r io.ReaderAt, size int64) *comparer {
	return &comparer{there: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), int(min(size, 1<<16)))}
}

func (c *comparer) Write(p []byte) (int, error) {
	if c.differs {
		return len(p), nil
	}
	if cap(c.buf) < len(p) {
		c.buf = make([]byte, len(p))
	}
	there := c.buf[:len(p)]
	n, err := io.ReadFull(c.there, there)
	if c.differs = err != nil || !bytes.Equal(there, p); c.differs {
		for i := range n {
			if there[i] != p[i] {
				n = i
				break
			}
		}
	}
	c.at += int64(n)
	return len(p), nil
}

// The two kinds of proof, each with its own first line.
const (
	proofHeader       = "c2sp.org/tlog-proof@v1\n"
	consistencyHeader = "portal-consistency/v1\n"
)

var errProof = errors.New("the proof is not in its one form")

// proofText is an inclusion proof in the C2SP form (c2sp.org/tlog-proof), which stands for itself: it ends in the
// signed checkpoint. There is no extra line, since nothing would sign it.
func proofText(index int64, proof tlog.RecordProof, signed []byte) []byte {
	b := append([]byte(proofHeader), "index "+strconv.FormatInt(index, 10)+"\n"...)
	b = append(appendHashes(b, proof), '\n')
	return append(b, signed...)
}

// parseProof reads what proofText wrote with that checkpoint and nothing else.
func parseProof(text, signed []byte) (index int64, proof tlog.RecordProof, err error) {
	head, _, _ := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 2 {
		return 0, nil, errProof
	}
	if index, err = strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64); err != nil {
		return 0, nil, errProof
	}
	if proof, err = parseHashes(lines[2:]); err != nil || string(proofText(index, proof, signed)) != string(text) {
		return 0, nil, errProof
	}
	return index, proof, nil
}

// consistency says that a log of New leaves begins with the older one.
type consistency struct {
	older evidence.Checkpoint // its origin is that of the log
	size  int64
	proof tlog.TreeProof
}

// text is: a header; size and root of the older checkpoint; size of the newer one; the hashes of the proof. One a line.
func (c consistency) text() []byte {
	b := fmt.Appendf([]byte(consistencyHeader), "%d\n%s\n%d\n", c.older.Size, c.older.Root, c.size)
	return appendHashes(b, c.proof)
}

// parseConsistency reads what text wrote and nothing else.
func parseConsistency(origin, text string) (c consistency, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 4 {
		return c, errProof
	}
	var errs [4]error
	c.older.Origin = origin
	c.older.Size, errs[0] = strconv.ParseInt(lines[1], 10, 64)
	c.older.Root, errs[1] = tlog.ParseHash(lines[2])
	c.size, errs[2] = strconv.ParseInt(lines[3], 10, 64)
	c.proof, errs[3] = parseHashes(lines[4:])
	if errors.Join(errs[:]...) != nil || string(c.text()) != text {
		return c, errProof
	}
	return c, nil
}

func appendHashes(b []byte, hashes []tlog.Hash) []byte {
	for _, h := range hashes {
		b = append(append(b, h.String()...), '\n')
	}
	return b
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(lines))
	for i, line := range lines {
		var err error
		if hashes[i], err = tlog.ParseHash(line); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}
