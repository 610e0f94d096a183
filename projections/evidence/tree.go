package evidence

import (
	"context"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// tileLevel is the lowest level of the tree that is stored. What lies below is computed from the leaves, at most
// 256 of them, so that a leaf costs one row and not two.
const tileLevel = 8

const tileSize = 1 << tileLevel

// Node is a hash within the tree: the root of the subtree over the leaves from Index<<Level to Upto. It never changes.
type Node struct {
	Level int
	Index int64
	Hash  tlog.Hash
}

// Upto is the size of the tree at which the node is complete.
func (n Node) Upto() int64 { return (n.Index + 1) << n.Level }

// edge is the right edge of a growing tree: the roots of its complete subtrees, the largest first.
type edge struct {
	size  int64
	roots []tlog.Hash
}

// add grows the tree by a leaf and gives the nodes to store that it completes, the lowest first.
func (e *edge) add(leaf tlog.Hash) (nodes []Node) {
	h, level := leaf, 0
	for n := e.size; n&1 == 1; {
		last := len(e.roots) - 1
		h, e.roots = tlog.NodeHash(e.roots[last], h), e.roots[:last]
		n >>= 1
		if level++; level >= tileLevel {
			nodes = append(nodes, Node{level, n, h})
		}
	}
	e.roots = append(e.roots, h)
	e.size++
	return nodes
}

// root is the hash over all leaves.
func (e *edge) root() (tlog.Hash, error) {
	if e.size == 0 {
		return tlog.TreeHash(0, nil)
	}
	h := e.roots[len(e.roots)-1]
	for i := len(e.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(e.roots[i], h)
	}
	return h, nil
}

// Tree reads what is stored of the trees of logs.
type Tree interface {
	// Leaves gives the leaves of a log from index from on, in order, at most limit.
	Leaves(ctx context.Context, log, from int64, limit int) ([]SealedLeaf, error)
	// NodeHashes gives the hashes of nodes (whose own Hash is not looked at), in their order. One that is missing is
	// an error.
	NodeHashes(ctx context.Context, log int64, nodes []Node) ([]tlog.Hash, error)
}

// openEdge reads the right edge of a log of the given size.
func openEdge(ctx context.Context, t Tree, log, size int64) (*edge, error) {
	whole := size &^ (tileSize - 1)
	var nodes []Node
	for rest := whole; rest > 0; {
		level := bits.Len64(uint64(rest)) - 1
		nodes = append(nodes, Node{Level: level, Index: (whole - rest) >> level})
		rest &^= 1 << level
	}
	e := &edge{size: whole}
	if len(nodes) > 0 {
		var err error
		if e.roots, err = t.NodeHashes(ctx, log, nodes); err != nil {
			return nil, err
		}
	}
	leaves, err := leafHashes(ctx, t, log, whole, int(size-whole))
	for _, h := range leaves {
		e.add(h)
	}
	return e, err
}

// leafHashes reads the hashes of n leaves.
func leafHashes(ctx context.Context, t Tree, log, from int64, n int) ([]tlog.Hash, error) {
	if n == 0 {
		return nil, nil
	}
	leaves, err := t.Leaves(ctx, log, from, n)
	if err != nil {
		return nil, err
	}
	if len(leaves) != n || leaves[0].Index != from || leaves[n-1].Index != from+int64(n)-1 {
		return nil, fmt.Errorf("leaves from %d to %d of log %d are not all there: run `atrium audit monitor`", from, from+int64(n)-1, log)
	}
	hashes := make([]tlog.Hash, n)
	for i, l := range leaves {
		hashes[i] = l.Hash
	}
	return hashes, nil
}

// tiles is how many tiles a reader of hashes remembers; 32 MiB.
const tiles = 4096

// Hashes reads the tree of a log of the given size, as proofs of package tlog need it. The reader is for one use at a time, and
// remembers what it read.
func Hashes(ctx context.Context, t Tree, log, size int64) tlog.HashReader {
	known := map[int64][]tlog.Hash{} // tile to leaves
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		var nodes []Node
		var at []int
		for i, index := range indexes {
			level, n := tlog.SplitStoredHashIndex(index)
			if level >= tileLevel {
				nodes, at = append(nodes, Node{Level: level, Index: n}), append(at, i)
				continue
			}
			first := n << level
			tile := first >> tileLevel
			leaves, ok := known[tile]
			if !ok {
				var err error
				if leaves, err = leafHashes(ctx, t, log, tile<<tileLevel, int(min(tileSize, size-tile<<tileLevel))); err != nil {
					return nil, err
				}
				if len(known) == tiles {
					clear(known)
				}
				known[tile] = leaves
			}
			first -= tile << tileLevel
			if first+1<<level > int64(len(leaves)) {
				return nil, fmt.Errorf("hash %d is beyond the size %d of log %d", index, size, log)
			}
			hashes[i] = subtree(leaves[first : first+1<<level])
		}
		if len(nodes) > 0 {
			found, err := t.NodeHashes(ctx, log, nodes)
			if err != nil {
				return nil, err
			}
			for i, h := range found {
				hashes[at[i]] = h
			}
		}
		return hashes, nil
	})
}

// subtree is the root over a power of two of leaves.
func subtree(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	half := len(leaves) / 2
	return tlog.NodeHash(subtree(leaves[:half]), subtree(leaves[half:]))
}
