package bundle

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/projections/evidence"
)

// Verify checks a bundle of that many bytes. Keys are the public keys of logs and witnesses that the caller trusts;
// without any (nil), the verdict is on the bundle alone. An error means that it could not be read; a file that is no
// bundle has a verdict like any other.
func Verify(r io.ReaderAt, size int64, keys note.Verifiers) (*Verdict, error) {
	in := &input{r: r, size: size}
	v := &verification{
		Verdict: &Verdict{Consistent: true, named: make(map[string][]int)},
		keys:    keys, logs: make(map[int]*LogVerdict), streams: make(map[string]*StreamVerdict), destroyed: make(map[string]Place),
	}
	if err := v.archive(in, size); err != nil {
		v.wrong("", "This is not an evidence bundle, or its directory is damaged: %v.", err)
	}
	v.conclude()
	return v.Verdict, in.err
}

// input remembers why it could not be read.
type input struct {
	r    io.ReaderAt
	size int64
	err  error
}

func (in *input) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at > in.size { // a damaged archive leads there
		return 0, io.EOF
	}
	n, err := in.r.ReadAt(p, at)
	if err != nil && err != io.EOF {
		in.err = err
	}
	return n, err
}

type verification struct {
	*Verdict
	keys note.Verifiers

	listed map[string]string // by the manifest and not seen yet: name to SHA-256; nil without a manifest
	copy   archiveWriter     // into a comparer
	order  int               // of the last entry
	event  *eventFiles       // that is being read

	logs      map[int]*LogVerdict // by epoch
	streams   map[string]*StreamVerdict
	destroyed map[string]Place // data subject to the event that erased them
	removals  []removal
	issues    []issue
}

func (v *verification) archive(in *input, size int64) error {
	z, err := zip.NewReader(in, size)
	if err != nil {
		return err
	}
	var whole uint64
	for _, f := range z.File {
		if whole += f.CompressedSize64; f.CompressedSize64 > uint64(size) || whole > uint64(size) {
			return zip.ErrFormat // entries that overlap
		}
	}
	v.readManifest(z.File)
	comparer := newComparer(in, size)
	v.copy = newArchiveWriter(comparer)
	for _, f := range z.File {
		v.entry(f)
	}
	v.endEvent()
	if err := v.copy.zip.Close(); err != nil {
		return err
	}
	if comparer.differs || comparer.at != size {
		v.wrong("", "The archive is not in its one form: byte %d is not what its contents give.", comparer.at)
	}
	for _, name := range slices.Sorted(maps.Keys(v.listed)) {
		v.wrong(name, "The manifest names %s, which is not in the bundle.", name)
	}
	return nil
}

func (v *verification) readManifest(files []*zip.File) {
	if len(files) == 0 || files[len(files)-1].Name != manifestName || files[len(files)-1].UncompressedSize64 > largeEntry {
		v.wrong(manifestName, "The manifest is missing, so nothing says whether the bundle is whole.")
		return
	}
	signed, err := readEntry(files[len(files)-1])
	if err != nil {
		v.wrong(manifestName, "The manifest cannot be read: %v.", err)
		return
	}
	var m manifest
	n, known, err := openNote(signed, v.keys, func(text string) string {
		m, _ = parseManifest(text)
		return m.origin
	})
	if err != nil {
		v.wrong(manifestName, "The manifest is not signed as it claims: %v.", err)
	}
	if n == nil {
		return
	}
	if m, err = parseManifest(n.Text); err != nil {
		v.wrong(manifestName, "%v.", err)
		return
	}
	v.needKnown(known, manifestName, "The manifest is not signed by a key that you gave for "+m.origin+".")
	v.Trusted = known
	v.About, v.Issued = m.about, m.issued
	v.listed = make(map[string]string, len(m.lines))
	for _, line := range m.lines {
		if len(line) > 66 && line[64:66] == "  " && v.listed[line[66:]] == "" {
			v.listed[line[66:]] = line[:64]
			continue
		}
		v.wrong(manifestName, "The manifest has the line %q, which is malformed or there twice.", line)
	}
}

// needKnown notes that a signature is not by a key that was given.
func (v *verification) needKnown(known bool, entry, what string) {
	if !known && v.keys != nil {
		v.wrong(entry, "%s", what)
	}
}

// readEntry reads an entry as it stands in the archive, whatever its checksum says.
func readEntry(f *zip.File) ([]byte, error) {
	raw, err := f.OpenRaw()
	if err != nil {
		return nil, err
	}
	content := make([]byte, f.CompressedSize64)
	_, err = io.ReadFull(raw, content)
	return content, err
}

func (v *verification) entry(f *zip.File) {
	name := parseName(f.Name)
	if name.order == orderNone {
		v.wrong(f.Name, "The entry %q does not belong in a bundle.", f.Name)
		return
	}
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 || f.CompressedSize64 > uint64(name.limit) {
		v.wrong(f.Name, "%s is compressed or too large.", f.Name)
		return
	}
	if name.order < v.order {
		v.wrong(f.Name, "%s is out of order.", f.Name)
	}
	v.order = name.order

	sum, crc := sha256.New(), crc32.NewIEEE()
	again, err := v.copy.create(f.Name, f.UncompressedSize64, f.CRC32)
	if err != nil {
		v.wrong(f.Name, "%s: %v.", f.Name, err)
		return
	}
	sinks := io.MultiWriter(sum, crc, again)
	var content []byte
	if name.order == orderDocument {
		var raw io.Reader
		if raw, err = f.OpenRaw(); err == nil {
			_, err = io.Copy(sinks, raw)
		}
	} else if content, err = readEntry(f); err == nil {
		_, err = sinks.Write(content)
	}
	if err != nil {
		v.wrong(f.Name, "%s cannot be read: %v.", f.Name, err)
		return
	}
	if crc.Sum32() != f.CRC32 {
		v.wrong(f.Name, "%s is damaged: its checksum is another one.", f.Name)
	}
	hexSum := hex.EncodeToString(sum.Sum(nil))
	if want, ok := v.listed[f.Name]; v.listed != nil && name.order != orderManifest && (!ok || want != hexSum) {
		v.wrong(f.Name, "%s is not what the manifest says.", f.Name)
	}
	delete(v.listed, f.Name)

	switch name.order {
	case orderLog:
		if f.Name == checkpointName(name.Epoch) {
			v.readCheckpoint(f.Name, name.Epoch, content)
		} else {
			v.readEarlier(f.Name, name.Place, string(content))
		}
	case orderEvent:
		v.readEventFile(name, content)
	case orderDocument:
		v.Documents = append(v.Documents, DocumentVerdict{Entry: f.Name, SHA256: hexSum, Size: int64(f.UncompressedSize64)})
		if hexSum != name.sum {
			v.wrong(f.Name, "%s is not the file of this SHA-256.", f.Name)
		}
	}
}

func (v *verification) readCheckpoint(entry string, epoch int, signed []byte) {
	if v.logs[epoch] != nil {
		v.wrong(entry, "There are two seals of epoch %d.", epoch)
		return
	}
	n, known, err := openNote(signed, v.keys, func(text string) string {
		c, _ := evidence.ParseCheckpoint(text)
		return c.Origin
	})
	if err != nil {
		v.wrong(entry, "The seal is not signed as it claims: %v.", err)
	}
	if n == nil {
		return
	}
	c, err := evidence.ParseCheckpoint(n.Text)
	if err != nil {
		v.wrong(entry, "%v.", err)
		return
	}
	v.needKnown(known, entry, "The seal of "+c.Origin+" is not signed by a key that you gave.")
	v.Trusted = v.Trusted && known
	log := &LogVerdict{
		Origin: c.Origin, Epoch: epoch, Size: c.Size, Root: c.Root, Unchecked: len(n.UnverifiedSigs),
		signed: signed, earlier: make(map[int64]tlog.Hash),
	}
	for _, sig := range n.Sigs {
		if sig.Name == c.Origin {
			log.SignedBy = append(log.SignedBy, sig.Name)
		} else {
			log.Cosigned = append(log.Cosigned, Cosignature{By: sig.Name, Time: signedAt(sig)})
		}
	}
	v.Logs = append(v.Logs, log)
	v.logs[epoch] = log
}

// signedAt is when a witness signed: between the key's hash and the signature. Zero when it did not say.
func signedAt(sig note.Signature) time.Time {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) != 4+8+64 {
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC()
}

func (v *verification) readEarlier(entry string, at Place, text string) {
	log := v.logs[at.Epoch]
	if log == nil {
		v.wrong(entry, "%s has no seal to lead to.", entry)
		return
	}
	c, err := parseConsistency(log.Origin, text)
	if err == nil && (c.older.Size != at.Index || c.size != log.Size) {
		err = errProof
	}
	if err == nil {
		err = tlog.CheckTree(c.proof, log.Size, log.Root, c.older.Size, c.older.Root)
	}
	if err != nil {
		v.wrong(entry, "%s does not show that the log of %d entries begins with that of %d.", entry, log.Size, at.Index)
		return
	}
	log.earlier[c.older.Size] = c.older.Root
}

// epochText is how a leaf writes an epoch.
func epochText(epoch int) string { return strconv.Itoa(epoch) }
