package ui

// Tone is what something means, shown as a colour and always said in words or by a sign too.
type Tone string

// The tones.
const (
	Neutral Tone = ""
	Info    Tone = "info"
	Good    Tone = "good"
	Warning Tone = "warning"
	Bad     Tone = "bad"
)

// icon is the sign of a tone.
func (t Tone) icon() string {
	switch t {
	case Good:
		return "check-circle"
	case Warning:
		return "alert"
	case Bad:
		return "ban"
	case Neutral, Info:
		return "info"
	}
	return "info"
}

// status is how a state of a record is shown.
type status struct {
	label string
	tone  Tone
	icon  string
}

// The states of records, by the names they have in the read API.
var (
	invoiceStates = map[string]status{
		"draft":     {"Draft", Neutral, "pen"},
		"sent":      {"Sent", Info, "mail"},
		"part_paid": {"Part paid", Info, "card"},
		"overdue":   {"Overdue", Bad, "alert"},
		"disputed":  {"Questioned", Warning, "question"},
		"paid":      {"Paid", Good, "check"},
		"credited":  {"Credited", Neutral, "refresh"},
		"void":      {"Void", Neutral, "ban"},
	}
	contractStates = map[string]status{
		"draft":    {"Draft", Neutral, "pen"},
		"sent":     {"Waiting for signature", Warning, "clock"},
		"complete": {"Signed", Good, "check"},
		"declined": {"Declined", Bad, "close"},
		"void":     {"Void", Neutral, "ban"},
	}
	healthStates = map[string]status{
		"on_track":          {"On track", Good, "check"},
		"waiting_on_client": {"Waiting on client", Warning, "clock"},
		"waiting_on_you":    {"Waiting for you", Warning, "clock"}, // the same, to the client
		"shifted":           {"Timeline shifted", Bad, "calendar"},
		"completed":         {"Completed", Neutral, "check-circle"},
	}
	accessStates = map[string]status{
		"none":    {"No access", Neutral, "close"},
		"invited": {"Invited", Info, "mail"},
		"granted": {"Has access", Good, "check"},
		"frozen":  {"Frozen", Warning, "freeze"},
		"revoked": {"Revoked", Bad, "ban"},
	}
)

// StateLabel is the word for a state of an invoice, a contract, a project's health or a contact's access, for
// sentences and filters. A state that is not known keeps its name.
func StateLabel(kind, state string) string { return stateOf(kind, state).label }

func stateOf(kind, state string) status {
	known := map[string]map[string]status{
		"invoice": invoiceStates, "contract": contractStates, "project": healthStates, "contact": accessStates,
	}[kind]
	if s, ok := known[state]; ok {
		return s
	}
	return status{state, Neutral, "info"}
}
