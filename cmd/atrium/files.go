package main

import (
	"context"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/cmd/internal/blob"
	"github.com/atrium-portal/atrium/readapi/upload"
)

// openFiles opens the place where uploaded files are.
func (k *stack) openFiles(ctx context.Context, s stores) error {
	url, err := given(s.Files)
	if err != nil {
		return err
	}
	if url == "" {
		k.files, err = blob.Folder(filepath.Join(s.Data, "files"))
	} else {
		k.files, err = blob.Open(ctx, url)
	}
	if err == nil {
		k.onClose(k.files.Close)
	}
	return err
}

// uploads takes files from people.
func (k *stack) uploads() *upload.Desk { return &upload.Desk{Files: k.files} }

const (
	uploadsLast = 24 * time.Hour
	sweepEvery  = time.Hour
)

// tendFiles removes uploads that no command used within a day, until ctx ends. By the clock of the machine: that is
// what files are dated by.
func (k *stack) tendFiles(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error {
		for {
			removed, err := k.files.Sweep(ctx, time.Now().Add(-uploadsLast))
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				k.log.Warn("old uploads cannot be removed", "error", err)
			case removed > 0:
				k.log.Info("removed uploads that nobody used", "files", removed)
			}
			if err := pause(ctx, sweepEvery); err != nil {
				return err
			}
		}
	})
}
