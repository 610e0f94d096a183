// Package evidencetest is the test kit of package evidence: an event store that lies when it is told to, a store of logs in
// memory, and the suite that every evidence.Store has to pass.
package evidencetest
