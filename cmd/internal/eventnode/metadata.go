package eventnode

import (
	"encoding/json"
	"math"
	"strings"
)

// Types and names the protocol reserves.
const (
	metadataPrefix  = "$$"
	metadataType    = "$metadata"
	tombstoneType   = "$streamDeleted"
	linkType        = "$>"
	allStream       = "$all"
	truncateKey     = "$tb"
	softDeleteDoc   = `{"$tb":9223372036854775807}`
	epochStream     = "$epoch-information"
	groupPrefix     = "$persistentsubscription-$all::"
	groupCheckpoint = "-checkpoint"
	groupParked     = "-parked"
)

// softDeleted is the value of $tb that hides a stream as a whole.
const softDeleted int64 = math.MaxInt64

// streamMeta is what the newest event of the metadata stream says about a stream. The zero value says nothing.
type streamMeta struct {
	maxCount       int64
	maxAge         int64 // ticks
	truncateBefore int64
}

// ofMetadata is the metadata of every metadata stream: only its newest event shows. It cannot be changed.
var ofMetadata = streamMeta{maxCount: 1}

func isMetadata(stream string) bool { return strings.HasPrefix(stream, metadataPrefix) }

// parseMetadata reads a $metadata event. Anything that is not understood counts as no metadata at all, so that a careless
// writer can hide nothing by accident.
func parseMetadata(e event) streamMeta {
	var doc struct {
		MaxCount       *int64 `json:"$maxCount"`
		MaxAge         *int64 `json:"$maxAge"`
		TruncateBefore *int64 `json:"$tb"`
	}
	if string(e.kind) != metadataType || !e.json || json.Unmarshal(e.data, &doc) != nil {
		return streamMeta{}
	}
	var m streamMeta
	if doc.MaxCount != nil && *doc.MaxCount > 0 {
		m.maxCount = *doc.MaxCount
	}
	if doc.MaxAge != nil && *doc.MaxAge > 0 && *doc.MaxAge < math.MaxInt64/ticksPerSecond {
		m.maxAge = *doc.MaxAge * ticksPerSecond
	}
	if doc.TruncateBefore != nil && *doc.TruncateBefore > 0 {
		m.truncateBefore = *doc.TruncateBefore
	}
	return m
}

// revived is the metadata document of a soft-deleted stream that is written to again: as it was, but showing everything from
// revision first on.
func revived(doc []byte, first int64) []byte {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(doc, &fields) != nil {
		fields = map[string]json.RawMessage{}
	}
	fields[truncateKey], _ = json.Marshal(first) // a number always encodes
	out, err := json.Marshal(fields)
	if err != nil {
		return []byte(`{}`)
	}
	return out
}

// hiddenFromAll tells the streams that never show in $all: notes the server keeps for itself.
func hiddenFromAll(stream []byte) bool {
	if len(stream) == 0 || stream[0] != '$' {
		return false
	}
	name := string(stream)
	return name == epochStream ||
		strings.HasPrefix(name, groupPrefix) && (strings.HasSuffix(name, groupCheckpoint) || strings.HasSuffix(name, groupParked))
}
