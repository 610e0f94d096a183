package eventlog

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// unixScheme is our own addition to the client's connection strings.
const unixScheme = "esdb+unix"

// settings are what the client understands in a connection string, in lower case. It would pass over anything else with a line
// on the console.
var settings = []string{
	"tls", "tlsverifycert", "tlscafile", "usercertfile", "userkeyfile", "nodepreference", "maxdiscoverattempts", "discoveryinterval",
	"gossiptimeout", "keepaliveinterval", "keepalivetimeout", "defaultdeadline",
}

// NewClient makes an official client for a connection string: esdb://host:port?tls=false, esdb://a:2113,b:2113,c:2113,
// esdb+discover://name, or esdb+unix:///path/to.sock for an event node on a unix socket. It connects with its first call, looks
// for a lost node for ever, and logs nothing.
//
// The client may wait for ever although a call has a deadline: guard calls that must end, as Log does. Stop calls and
// subscriptions before closing it.
func NewClient(connection string) (*esdb.Client, error) {
	return newClient(connection, 0)
}

// newClient also sets the client's own deadline of appends, unless it is zero.
func newClient(connection string, deadline time.Duration) (*esdb.Client, error) {
	conf, err := parse(connection)
	if err != nil {
		return nil, err
	}
	conf.Logger = esdb.NoopLogging()
	conf.MaxDiscoverAttempts = math.MaxInt
	if deadline > 0 {
		conf.DefaultDeadline = &deadline
	}
	return esdb.NewClient(conf)
}

func parse(connection string) (*esdb.Configuration, error) {
	if err := checkSettings(connection); err != nil {
		return nil, err
	}
	socket := ""
	if strings.HasPrefix(connection, unixScheme+":") {
		u, err := url.Parse(connection)
		if err != nil || u.Path == "" || u.Host != "" {
			return nil, errors.New("a socket's URL is written esdb+unix:///path/to.sock?tls=false")
		}
		socket = u.Path
		connection = "esdb://unix?" + u.RawQuery
	}
	conf, err := esdb.ParseConnectionString(connection)
	if err != nil {
		return nil, fmt.Errorf("the event store's URL cannot be used: %w; write it as esdb://host:2113?tls=false", err)
	}
	if socket != "" {
		conf.Address, conf.DisableTLS = "unix://"+socket, true
	}
	if conf.DisableTLS && conf.Username != "" {
		return nil, errors.New("the event store's URL has a user but tls=false, and passwords are only sent over TLS; remove one of the two")
	}
	return conf, nil
}

func checkSettings(connection string) error {
	_, query, _ := strings.Cut(connection, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("the event store's URL cannot be used: %w; write its settings as ?tls=false&nodePreference=leader", err)
	}
	for key := range values {
		if !slices.Contains(settings, strings.ToLower(key)) {
			return fmt.Errorf("the event store's URL has the unknown setting %q; the known ones are %s", key, strings.Join(settings, ", "))
		}
	}
	return nil
}
