package eventnode

import (
	"bytes"
	"regexp"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// defaultWindow is the number of events looked at when a caller leaves the window to the server.
const defaultWindow = 32

// filter picks events of $all by the name of their stream or by their type. It looks at a link, never at its target.
type filter struct {
	byType   bool
	regex    *regexp.Regexp
	prefixes [][]byte
	interval uint64 // events looked at from one checkpoint to the next
}

// parseFilter understands the filter of a request. Expressions are matched anywhere in the text. One that Go's engine cannot
// run (look-around, back references) is refused rather than matched wrongly.
func parseFilter(o *streams.ReadReq_Options_FilterOptions) (*filter, error) {
	f := &filter{}
	var expression *streams.ReadReq_Options_FilterOptions_Expression
	switch by := o.GetFilter().(type) {
	case *streams.ReadReq_Options_FilterOptions_StreamIdentifier:
		expression = by.StreamIdentifier
	case *streams.ReadReq_Options_FilterOptions_EventType:
		f.byType, expression = true, by.EventType
	default:
		return nil, errInvalid("A filter needs a stream name or an event type to look at.")
	}
	switch {
	case expression.GetRegex() != "":
		var err error
		if f.regex, err = regexp.Compile(expression.GetRegex()); err != nil {
			return nil, errInvalid("The filter's expression cannot be used: %v; use prefixes, or an expression without look-around and back references.", err)
		}
	case len(expression.GetPrefix()) > 0:
		for _, prefix := range expression.GetPrefix() {
			f.prefixes = append(f.prefixes, []byte(prefix))
		}
	default:
		return nil, errInvalid("A filter needs an expression or at least one prefix.")
	}
	window := uint64(defaultWindow)
	if w, ok := o.GetWindow().(*streams.ReadReq_Options_FilterOptions_Max); ok {
		window = uint64(w.Max)
	}
	f.interval = window * uint64(o.GetCheckpointIntervalMultiplier())
	return f, nil
}

func (f *filter) matches(record []byte) (bool, error) {
	var text []byte
	if f.byType {
		e, err := parseRecord(record)
		if err != nil {
			return false, err
		}
		text = e.kind
	} else {
		var err error
		if text, err = recordStream(record); err != nil {
			return false, err
		}
	}
	if f.regex != nil {
		return f.regex.Match(text), nil
	}
	for _, prefix := range f.prefixes {
		if bytes.HasPrefix(text, prefix) {
			return true, nil
		}
	}
	return false, nil
}
