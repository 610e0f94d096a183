package evidencetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
)

// Memory is an evidence.Store in memory. Its fields are its tables: change them as an intruder would.
type Memory struct {
	mu      sync.Mutex
	Stands  evidence.Standing
	Logs    []evidence.Log
	Sealed  map[int64][]evidence.SealedLeaf // by log
	Inner   map[int64][]evidence.Node
	Seals   map[int64][]evidence.SealedCheckpoint
	Cosigns map[int64][]evidence.SealedCheckpoint
}

// NewMemory is an empty store.
func NewMemory() *Memory {
	return &Memory{
		Sealed: map[int64][]evidence.SealedLeaf{}, Inner: map[int64][]evidence.Node{},
		Seals: map[int64][]evidence.SealedCheckpoint{}, Cosigns: map[int64][]evidence.SealedCheckpoint{},
	}
}

var _ evidence.Store = (*Memory)(nil)

// Standing implements evidence.Store.
func (m *Memory) Standing(ctx context.Context) (evidence.Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.Stands, ctx.Err()
}

// Heads implements evidence.Store.
func (m *Memory) Heads(ctx context.Context) ([]evidence.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var heads []evidence.Head
	for _, l := range m.Logs {
		heads = append(heads, m.head(l))
	}
	return heads, ctx.Err()
}

func (m *Memory) head(l evidence.Log) evidence.Head {
	h := evidence.Head{Log: l}
	for _, leaf := range m.Sealed[l.ID] {
		h.Leaves = max(h.Leaves, leaf.Index+1)
	}
	largest := func(list []evidence.SealedCheckpoint) (c evidence.SealedCheckpoint) {
		for _, one := range list {
			if one.Size > c.Size {
				c = one
			}
		}
		return c
	}
	h.Newest, h.Cosigned = largest(m.Seals[l.ID]), largest(m.Cosigns[l.ID])
	return h
}

// Newest implements evidence.Store.
func (m *Memory) Newest(ctx context.Context, firm domain.ID) (evidence.Head, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range slices.Backward(m.Logs) {
		if l.Firm == firm {
			return m.head(l), true, ctx.Err()
		}
	}
	return evidence.Head{}, false, ctx.Err()
}

// Find implements evidence.Store.
func (m *Memory) Find(ctx context.Context, refs []evidence.Ref) (map[evidence.Ref]evidence.FoundLeaf, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wanted := map[evidence.Ref]bool{}
	for _, ref := range refs {
		wanted[ref] = true
	}
	found := map[evidence.Ref]evidence.FoundLeaf{}
	for _, l := range m.Logs {
		for _, leaf := range m.Sealed[l.ID] {
			if wanted[leaf.Ref] {
				found[leaf.Ref] = evidence.FoundLeaf{Log: l.ID, Epoch: l.Epoch, Index: leaf.Index, Hash: leaf.Hash}
			}
		}
	}
	return found, ctx.Err()
}

// Seal implements evidence.Store.
func (m *Memory) Seal(ctx context.Context, s evidence.Sealing) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Stands.Version != s.Follows {
		return evidence.ErrFenced
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, add := range s.Logs {
		id := add.Log.ID
		if add.Opens {
			if id != int64(len(m.Logs))+1 {
				return fmt.Errorf("log %d comes after %d", id, len(m.Logs))
			}
			m.Logs = append(m.Logs, add.Log)
		}
		if len(add.Leaves) == 0 || add.Leaves[0].Index != int64(len(m.Sealed[id])) {
			return fmt.Errorf("log %d has %d leaves, and leaf %d comes", id, len(m.Sealed[id]), add.Leaves[0].Index)
		}
		m.Sealed[id] = append(m.Sealed[id], add.Leaves...)
		m.Inner[id] = append(m.Inner[id], add.Nodes...)
		m.Seals[id] = append(m.Seals[id], add.Checkpoint)
	}
	m.Stands = evidence.Standing{Version: s.Follows + 1, Position: s.Position, At: s.At, Logs: int64(len(m.Logs))}
	return nil
}

// Leaves implements evidence.Store.
func (m *Memory) Leaves(ctx context.Context, log, from int64, limit int) ([]evidence.SealedLeaf, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.SortedFunc(slices.Values(m.Sealed[log]), func(a, b evidence.SealedLeaf) int { return cmp.Compare(a.Index, b.Index) })
	return page(list, func(l evidence.SealedLeaf) bool { return l.Index >= from }, limit), ctx.Err()
}

// NodeHashes implements evidence.Store.
func (m *Memory) NodeHashes(ctx context.Context, log int64, nodes []evidence.Node) ([]tlog.Hash, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	hashes := make([]tlog.Hash, len(nodes))
	for i, n := range nodes {
		at := slices.IndexFunc(m.Inner[log], func(have evidence.Node) bool { return have.Level == n.Level && have.Index == n.Index })
		if at < 0 {
			return nil, fmt.Errorf("node %d of level %d is missing", n.Index, n.Level)
		}
		hashes[i] = m.Inner[log][at].Hash
	}
	return hashes, ctx.Err()
}

// Nodes implements evidence.Store.
func (m *Memory) Nodes(ctx context.Context, log int64, after evidence.Node, limit int) ([]evidence.Node, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	order := func(a, b evidence.Node) int {
		return cmp.Or(cmp.Compare(a.Upto(), b.Upto()), cmp.Compare(a.Level, b.Level))
	}
	list := slices.SortedFunc(slices.Values(m.Inner[log]), order)
	return page(list, func(n evidence.Node) bool { return order(n, after) > 0 }, limit), ctx.Err()
}

// Checkpoints implements evidence.Store.
func (m *Memory) Checkpoints(ctx context.Context, log, after int64, limit int) ([]evidence.SealedCheckpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.SortedFunc(slices.Values(m.Seals[log]), func(a, b evidence.SealedCheckpoint) int { return cmp.Compare(a.Size, b.Size) })
	return page(list, func(c evidence.SealedCheckpoint) bool { return c.Size > after }, limit), ctx.Err()
}

// Cosign implements evidence.Store.
func (m *Memory) Cosign(ctx context.Context, log int64, c evidence.SealedCheckpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Cosigns[log] = append(m.Cosigns[log], c)
	return ctx.Err()
}

// page is the first few of a list from where begins says yes.
func page[T any](list []T, begins func(T) bool, limit int) []T {
	at := slices.IndexFunc(list, begins)
	if at < 0 {
		return nil
	}
	return slices.Clone(list[at:min(len(list), at+limit)])
}
