package main

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"
)

// clock is the time by which the program decides. With --dev people may move it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// ServeHTTP is /dev/clock: GET the clock, POST {"advance":"24h"} or {"set":"2026-03-01T00:00:00Z"}.
func (c *clock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		var move struct {
			Advance string    `json:"advance"`
			Set     time.Time `json:"set"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&move); err != nil {
			http.Error(w, `send {"advance":"24h"} or {"set":"2026-03-01T00:00:00Z"}`, http.StatusBadRequest)
			return
		}
		if !move.Set.IsZero() {
			c.ahead.Store(int64(time.Until(move.Set)))
		}
		if move.Advance != "" {
			by, err := time.ParseDuration(move.Advance)
			if err != nil {
				http.Error(w, `"advance" is a duration such as "24h" or "90m"`, http.StatusBadRequest)
				return
			}
			c.ahead.Add(int64(by))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]time.Time{"now": c.now().UTC()}) //nolint:errcheck // the client has gone
}
