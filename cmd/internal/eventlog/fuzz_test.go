package eventlog

import "testing"

// FuzzConnectionString feeds anything to what reads the event store's URL: an error is fine, a panic is not.
func FuzzConnectionString(f *testing.F) {
	for _, url := range []string{
		"esdb://127.0.0.1:2113?tls=false", "esdb+discover://user:password@a:1,b:2?nodePreference=follower&tlsVerifyCert=false",
		"esdb+unix:///run/atrium/a%20b.sock?tls=false", "esdb://host?keepAliveInterval=-1&keepAliveTimeout=5&defaultDeadline=10", "kurrentdb://host",
	} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		conf, err := parse(url)
		if err == nil && conf.DisableTLS && conf.Username != "" {
			t.Errorf("%q sends a password in the clear", url)
		}
	})
}
