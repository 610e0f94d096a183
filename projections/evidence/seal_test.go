package evidence_test

import (
	"testing"

	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/evidencetest"
)

func TestStoreInMemory(t *testing.T) {
	evidencetest.Suite(t, func(*testing.T) evidence.Store { return evidencetest.NewMemory() })
}
