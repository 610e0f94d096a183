package doortest_test

import (
	"testing"

	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/auth/door/doortest"
)

func TestMemory(t *testing.T) {
	doortest.Conformance(t, func(*testing.T) door.Store { return doortest.NewMemory() })
}
