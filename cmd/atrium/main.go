// Atrium is the portal a firm gives its clients, with a complete history behind every figure. This is its one program:
// server, demo, replay tools, event node, imports, benchmarks. `atrium --help` lists the commands.
//
// Here is only wiring: flags become a stack (stack.go), and each command uses it. Rules live in the rooms.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes: done, failed, wrong usage, a check found a difference.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitDifference = 3
)

// errDifference ends a check that found one; what it found has been printed.
var errDifference = errors.New("differences were found")

type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Demo    demoCmd    `cmd:"" help:"Run the server with a demo firm."`
	Node    nodeCmd    `cmd:"" help:"Run the embedded event node alone, for any EventStoreDB client."`
	Firm    firmCmd    `cmd:"" help:"Create and list firms."`
	Staff   staffCmd   `cmd:"" help:"Invite staff."`
	Token   tokenCmd   `cmd:"" help:"API tokens."`
	Link    linkCmd    `cmd:"" help:"Print a sign-in link for a member of staff or a contact."`
	Replay  replayCmd  `cmd:"" help:"Read models: status, rebuild, verify, retry."`
	Audit   auditCmd   `cmd:"" help:"The sealed history: compare it with the events, accept a loss."`
	Witness witnessCmd `cmd:"" help:"Run a witness: it signs the seals of others, and remembers."`
	Events  eventsCmd  `cmd:"" help:"Look at streams."`
	Import  importCmd  `cmd:"" help:"Bring a firm's data in from another billing product."`
	Export  exportCmd  `cmd:"" help:"Take a firm's data out as CSV or JSON."`
	Backup  backupCmd  `cmd:"" help:"Copy events, files, keys and seals, also while the server runs."`
	Restore restoreCmd `cmd:"" help:"Make a data folder of a backup."`
	Doctor  doctorCmd  `cmd:"" help:"Check an installation and say what is wrong."`
	Bench   benchCmd   `cmd:"" help:"Measure speed against the limits of this machine."`

	Config  kong.ConfigFlag  `help:"Read flags from a JSON file." placeholder:"FILE"`
	Verbose bool             `short:"v" help:"Log more."`
	Version kong.VersionFlag `help:"Print the version."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program as a value, for tests: arguments and streams in, exit code out.
func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c, kong.Name("atrium"), kong.Writers(stdout, stderr),
		kong.Description("The portal a firm gives its clients, with a complete history behind every figure."),
		kong.DefaultEnvars("ATRIUM"), kong.Configuration(kong.JSON, "/etc/atrium/atrium.json"),
		kong.Vars{"version": version()}, kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		fmt.Fprintln(stderr, "atrium:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	selected, err := parser.Parse(args)
	if exit >= 0 { // --help and --version have printed all there is to say
		return exit
	}
	if err != nil {
		fmt.Fprintf(stderr, "atrium: %v. See `atrium %s--help`.\n", err, commandOf(args))
		return exitUsage
	}
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	t := &terminal{out: stdout, err: stderr, log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})), now: time.Now}
	selected.BindTo(ctx, (*context.Context)(nil))
	switch err := selected.Run(t); {
	case err == nil:
		return exitDone
	case errors.Is(err, errDifference):
		return exitDifference
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(stderr, "atrium: stopped; what was done so far is kept.")
		return exitFailed
	default:
		fmt.Fprintln(stderr, "atrium:", oneLine(err))
		return exitFailed
	}
}

// terminal is where a command talks to people: output, errors, log.
type terminal struct {
	out, err io.Writer
	log      *slog.Logger
	now      func() time.Time
}

// commandOf is the command words of a command line, for the hint where to find help.
func commandOf(args []string) string {
	words := ""
	for _, a := range args[:min(2, len(args))] {
		if strings.HasPrefix(a, "-") {
			break
		}
		words += a + " "
	}
	return words
}

// oneLine folds an error into one sentence.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
