package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
)

// Evidence keeps the sealed logs in schema evidence. It is safe for concurrent use, also by several processes.
type Evidence struct{ pool *pgxpool.Pool }

// NewEvidence keeps logs; pool is Pools.Sealer.
func NewEvidence(pool *pgxpool.Pool) *Evidence { return &Evidence{pool} }

var _ evidence.Store = (*Evidence)(nil)

// Standing implements evidence.Store.
func (e *Evidence) Standing(ctx context.Context) (s evidence.Standing, err error) {
	err = e.pool.QueryRow(ctx, `
		SELECT version, commit_pos, prepare_pos, updated_at, (SELECT coalesce(max(id), 0) FROM evidence.log) FROM evidence.standing`).
		Scan(&s.Version, &s.Position.Commit, &s.Position.Prepare, &s.At, &s.Logs)
	return s, err
}

// heads gives the ends of logs, all as one statement sees them.
const heads = `
	SELECT l.id, l.firm, l.epoch, l.key, l.opening,
	       coalesce((SELECT max(index) + 1 FROM evidence.leaf WHERE log = l.id), 0), c.size, c.signed, c.signed_at, w.size, w.signed, w.signed_at
	FROM evidence.log l
	LEFT JOIN LATERAL (SELECT * FROM evidence.checkpoint WHERE log = l.id ORDER BY size DESC LIMIT 1) c ON true
	LEFT JOIN LATERAL (SELECT * FROM evidence.cosignature WHERE log = l.id ORDER BY size DESC LIMIT 1) w ON true`

func scanHead(row pgx.CollectableRow) (h evidence.Head, err error) {
	var size, cosigned *int64
	var at, cosignedAt *time.Time
	if err := row.Scan(&h.ID, &h.Firm, &h.Epoch, &h.Key, &h.Opening, &h.Leaves, &size, &h.Newest.Signed, &at, &cosigned, &h.Cosigned.Signed, &cosignedAt); err != nil {
		return h, err
	}
	if size != nil {
		h.Newest.Size, h.Newest.At = *size, *at
	}
	if cosigned != nil {
		h.Cosigned.Size, h.Cosigned.At = *cosigned, *cosignedAt
	}
	return h, nil
}

// Heads implements evidence.Store.
func (e *Evidence) Heads(ctx context.Context) ([]evidence.Head, error) {
	rows, err := e.pool.Query(ctx, heads+` ORDER BY l.id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanHead)
}

// Newest implements evidence.Store.
func (e *Evidence) Newest(ctx context.Context, firm domain.ID) (evidence.Head, bool, error) {
	rows, err := e.pool.Query(ctx, heads+` WHERE l.firm = $1 ORDER BY l.epoch DESC LIMIT 1`, firm)
	if err != nil {
		return evidence.Head{}, false, err
	}
	h, err := pgx.CollectExactlyOneRow(rows, scanHead)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, false, nil
	}
	return h, err == nil, err
}

// Find implements evidence.Store.
func (e *Evidence) Find(ctx context.Context, refs []evidence.Ref) (map[evidence.Ref]evidence.FoundLeaf, error) {
	streams, revisions := make([]string, len(refs)), make([]int64, len(refs))
	for i, r := range refs {
		streams[i], revisions[i] = r.Stream, r.Revision
	}
	rows, err := e.pool.Query(ctx, `
		SELECT stream, revision, log, epoch, index, hash FROM evidence.leaf
		JOIN unnest($1::text[], $2::bigint[]) AS wanted (stream, revision) USING (stream, revision) ORDER BY epoch`, streams, revisions)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make(map[evidence.Ref]evidence.FoundLeaf, len(refs))
	for rows.Next() {
		var ref evidence.Ref
		var leaf evidence.FoundLeaf
		if err := rows.Scan(&ref.Stream, &ref.Revision, &leaf.Log, &leaf.Epoch, &leaf.Index, (*hash)(&leaf.Hash)); err != nil {
			return nil, err
		}
		found[ref] = leaf // of a later epoch replaces that of an earlier one
	}
	return found, rows.Err()
}

// hash reads 32 bytes.
type hash tlog.Hash

// ScanBytes implements pgtype.BytesScanner.
func (h *hash) ScanBytes(b []byte) error {
	if len(b) != len(h) {
		return fmt.Errorf("a hash of %d bytes", len(b))
	}
	copy(h[:], b)
	return nil
}

// Seal implements evidence.Store. It is one transaction of three round trips.
func (e *Evidence) Seal(ctx context.Context, s evidence.Sealing) error {
	return pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		batch := new(pgx.Batch)
		// First, because it also locks out other sealers.
		batch.Queue(`
			UPDATE evidence.standing SET version = version + 1, commit_pos = $2, prepare_pos = $3, updated_at = $4 WHERE version = $1`,
			s.Follows, s.Position.Commit, s.Position.Prepare, s.At)
		rows := rowsOf(s)
		for _, l := range rows.opened {
			batch.Queue(`INSERT INTO evidence.log (id, firm, epoch, key, opening) VALUES ($1, $2, $3, $4, $5)`, l.ID, l.Firm, l.Epoch, l.Key, l.Opening)
		}
		batch.Queue(`
			INSERT INTO evidence.leaf (log, index, epoch, stream, revision, hash)
			SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::bytea[])`,
			rows.logs, rows.indexes, rows.epochs, rows.streams, rows.revisions, rows.hashes)
		if len(rows.nodeHashes) > 0 {
			batch.Queue(`
				INSERT INTO evidence.node (log, upto, level, hash) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::bytea[])`,
				rows.nodeLogs, rows.uptos, rows.levels, rows.nodeHashes)
		}
		batch.Queue(`
			INSERT INTO evidence.checkpoint (log, size, signed, signed_at) SELECT log, size, signed, $4 FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS c (log, size, signed)`,
			rows.grown, rows.sizes, rows.signed, s.At)
		results := tx.SendBatch(ctx, batch)
		moved, err := results.Exec()
		if err == nil && moved.RowsAffected() == 0 {
			_ = results.Close() // what it added is rolled back in any case
			return evidence.ErrFenced
		}
		return errors.Join(err, results.Close())
	})
}

// sealedRows are the columns of what is inserted.
type sealedRows struct {
	opened                   []evidence.Log
	logs, indexes, revisions []int64
	epochs                   []int
	streams                  []string
	hashes                   [][]byte
	nodeLogs, uptos          []int64
	levels                   []int
	nodeHashes               [][]byte
	grown, sizes             []int64
	signed                   [][]byte
}

func rowsOf(s evidence.Sealing) (r sealedRows) {
	for _, add := range s.Logs {
		if add.Opens {
			r.opened = append(r.opened, add.Log)
		}
		for i := range add.Leaves {
			l := &add.Leaves[i]
			r.logs, r.indexes, r.epochs = append(r.logs, add.Log.ID), append(r.indexes, l.Index), append(r.epochs, add.Log.Epoch)
			r.streams, r.revisions, r.hashes = append(r.streams, l.Stream), append(r.revisions, l.Revision), append(r.hashes, l.Hash[:])
		}
		for i := range add.Nodes {
			n := &add.Nodes[i]
			r.nodeLogs, r.uptos, r.levels, r.nodeHashes = append(r.nodeLogs, add.Log.ID), append(r.uptos, n.Upto()), append(r.levels, n.Level), append(r.nodeHashes, n.Hash[:])
		}
		r.grown, r.sizes, r.signed = append(r.grown, add.Log.ID), append(r.sizes, add.Checkpoint.Size), append(r.signed, add.Checkpoint.Signed)
	}
	return r
}

// Leaves implements evidence.Store.
func (e *Evidence) Leaves(ctx context.Context, log, from int64, limit int) ([]evidence.SealedLeaf, error) {
	rows, err := e.pool.Query(ctx, `
		SELECT index, stream, revision, hash FROM evidence.leaf WHERE log = $1 AND index >= $2 ORDER BY index LIMIT $3`, log, from, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l evidence.SealedLeaf, err error) {
		err = row.Scan(&l.Index, &l.Stream, &l.Revision, (*hash)(&l.Hash))
		return l, err
	})
}

// NodeHashes implements evidence.Store.
func (e *Evidence) NodeHashes(ctx context.Context, log int64, nodes []evidence.Node) ([]tlog.Hash, error) {
	uptos, levels := make([]int64, len(nodes)), make([]int, len(nodes))
	for i, n := range nodes {
		uptos[i], levels[i] = n.Upto(), n.Level
	}
	rows, err := e.pool.Query(ctx, `
		SELECT n.hash FROM unnest($2::bigint[], $3::int[]) WITH ORDINALITY AS wanted (upto, level, place)
		JOIN evidence.node n ON n.log = $1 AND n.upto = wanted.upto AND n.level = wanted.level ORDER BY wanted.place`, log, uptos, levels)
	if err != nil {
		return nil, err
	}
	hashes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h tlog.Hash, err error) {
		err = row.Scan((*hash)(&h))
		return h, err
	})
	if err == nil && len(hashes) != len(nodes) {
		err = fmt.Errorf("the tree of log %d lacks %d of %d hashes: run `atrium audit monitor`", log, len(nodes)-len(hashes), len(nodes))
	}
	return hashes, err
}

// Nodes implements evidence.Store.
func (e *Evidence) Nodes(ctx context.Context, log int64, after evidence.Node, limit int) ([]evidence.Node, error) {
	rows, err := e.pool.Query(ctx, `
		SELECT level, (upto >> level) - 1, hash FROM evidence.node WHERE log = $1 AND (upto, level) > ($2, $3) ORDER BY upto, level LIMIT $4`,
		log, after.Upto(), after.Level, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (n evidence.Node, err error) {
		err = row.Scan(&n.Level, &n.Index, (*hash)(&n.Hash))
		return n, err
	})
}

// Checkpoints implements evidence.Store.
func (e *Evidence) Checkpoints(ctx context.Context, log, after int64, limit int) ([]evidence.SealedCheckpoint, error) {
	rows, err := e.pool.Query(ctx, `
		SELECT size, signed, signed_at FROM evidence.checkpoint WHERE log = $1 AND size > $2 ORDER BY size LIMIT $3`, log, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c evidence.SealedCheckpoint, err error) {
		err = row.Scan(&c.Size, &c.Signed, &c.At)
		return c, err
	})
}

// Cosign implements evidence.Store.
func (e *Evidence) Cosign(ctx context.Context, log int64, c evidence.SealedCheckpoint) error {
	_, err := e.pool.Exec(ctx, `INSERT INTO evidence.cosignature (log, size, signed, signed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, log, c.Size, c.Signed, c.At)
	return err
}
