// Package uploadtest keeps files in memory, for tests.
package uploadtest

import (
	"context"
	"sync"

	"github.com/atrium-portal/atrium/domain"
)

// Memory is an upload.Files and a commands.Files.
type Memory struct {
	mu    sync.Mutex
	files map[domain.ID]*entry
}

type entry struct {
	firm    domain.ID
	purpose domain.FilePurpose
	file    domain.File
	content []byte
	kept    bool
}

// Add takes an upload.
func (m *Memory) Add(_ context.Context, firm domain.ID, f domain.File, purpose domain.FilePurpose, content []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files == nil {
		m.files = map[domain.ID]*entry{}
	}
	m.files[f.ID] = &entry{firm: firm, purpose: purpose, file: f, content: content}
	return nil
}

// Waiting is how many uploads of a firm are not kept.
func (m *Memory) Waiting(_ context.Context, firm domain.ID, most int) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.files {
		if e.firm == firm && !e.kept {
			n++
		}
	}
	return min(n, most), nil
}

// Keep keeps an upload.
func (m *Memory) Keep(_ context.Context, firm, file domain.ID, purpose domain.FilePurpose) (domain.File, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.files[file]
	if e == nil || e.firm != firm || e.purpose != purpose {
		return domain.File{}, false, nil
	}
	e.kept = true
	return e.file, true, nil
}

// Read gives a file that is kept.
func (m *Memory) Read(_ context.Context, purpose domain.FilePurpose, file domain.ID) (domain.File, []byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.files[file]
	if e == nil || !e.kept || e.purpose != purpose {
		return domain.File{}, nil, false, nil
	}
	return e.file, e.content, true, nil
}
