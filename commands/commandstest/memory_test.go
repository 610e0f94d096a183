package commandstest_test

import (
	"testing"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
)

func TestMemoryConformance(t *testing.T) {
	commandstest.Conformance(t, func(*testing.T) commands.Log { return commandstest.NewMemory() })
}
