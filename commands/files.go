package commands

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
)

// Files is where uploads are.
type Files interface {
	// Keep keeps an upload of a firm for good, for a purpose that it was uploaded for. found is false when the firm
	// has no such upload, or it was not used for so long that it is gone. Keeping it again changes nothing.
	Keep(ctx context.Context, firm, file domain.ID, purpose domain.FilePurpose) (kept domain.File, found bool, err error)
}

// keepLogo has an uploaded picture kept, for all to see.
func keepLogo(ctx context.Context, l *Loop, c firm.SetLogo, m domain.Meta) (firm.SetLogo, error) {
	found := false
	var err error
	if l.Files != nil {
		c.Logo, found, err = l.Files.Keep(ctx, m.Firm, c.File, domain.LogoFile)
	}
	if err == nil && !found {
		err = &domain.Fault{Kind: domain.Invalid, Code: "unknown-file", Field: "file", Message: "This upload is not there any more. Choose the picture again."}
	}
	return c, err
}
