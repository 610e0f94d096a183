package eventnode

import (
	"context"
	"encoding/binary"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
)

const (
	// maxAppendSize is the protocol's limit for all events of one append together.
	maxAppendSize = 1 << 20
	// maxStreamName keeps keys small.
	maxStreamName = 4 << 10
	// eventOverhead is about what an event costs beyond its data.
	eventOverhead = 256

	// serverVersion is the server whose behaviour is served. Clients want numbers and dots.
	serverVersion = "24.10.0"
	streamsName   = "event_store.client.streams.streams"
)

// features answers what the node can do. Methods that are not listed are not called: clients append one request at a time
// instead of in batches.
type features struct {
	serverfeatures.UnimplementedServerFeaturesServer
}

func (features) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{
		EventStoreServerVersion: serverVersion,
		Methods: []*serverfeatures.SupportedMethod{
			{ServiceName: streamsName, MethodName: "append"},
			{ServiceName: streamsName, MethodName: "delete"},
			{ServiceName: streamsName, MethodName: "read", Features: []string{"position", "events"}},
			{ServiceName: streamsName, MethodName: "tombstone"},
		},
	}, nil
}

// cluster answers that the node is the leader of a cluster of one.
type cluster struct {
	gossip.UnimplementedGossipServer
	node *Node
}

func (c cluster) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	host, port := c.node.endpoint()
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		InstanceId:   structuredID(c.node.instance),
		TimeStamp:    ticks(c.node.now()),
		State:        gossip.MemberInfo_Leader,
		IsAlive:      true,
		HttpEndPoint: &gossip.EndPoint{Address: host, Port: port},
	}}}, nil
}

func structuredID(id uuid.UUID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:8])),
		LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])),
	}}}
}

func uuidOf(most, least uint64) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], most)
	binary.BigEndian.PutUint64(id[8:], least)
	return id
}

// service is the Streams service.
type service struct {
	streams.UnimplementedStreamsServer
	node *Node
}

func (s service) Read(req *streams.ReadReq, stream streams.Streams_ReadServer) error {
	q, err := parseQuery(req.GetOptions())
	if err != nil {
		return err
	}
	var message encoded
	send := func(p *page) error {
		for _, m := range p.messages {
			message.bytes = m
			if err := stream.SendMsg(&message); err != nil {
				return err
			}
		}
		p.clear()
		return nil
	}
	if q.subscribe {
		return s.node.sendSubscription(stream.Context(), q, send)
	}
	return s.node.sendRead(stream.Context(), q, send)
}

func (s service) Delete(ctx context.Context, req *streams.DeleteReq) (*streams.DeleteResp, error) {
	o := req.GetOptions()
	position, err := s.remove(ctx, actDelete, o.GetStreamIdentifier(), expectationOf(o.GetExpectedStreamRevision()))
	if err != nil {
		return nil, err
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{
		Position: &streams.DeleteResp_Position{CommitPosition: position, PreparePosition: position},
	}}, nil
}

func (s service) Tombstone(ctx context.Context, req *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	o := req.GetOptions()
	position, err := s.remove(ctx, actTombstone, o.GetStreamIdentifier(), expectationOf(o.GetExpectedStreamRevision()))
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{
		Position: &streams.TombstoneResp_Position{CommitPosition: position, PreparePosition: position},
	}}, nil
}

// remove deletes or tombstones a stream. The request is checked like an append of one event with a fresh id, so a repeat is
// never taken for the same request.
func (s service) remove(ctx context.Context, act action, id *shared.StreamIdentifier, expected expectation) (uint64, error) {
	name := string(id.GetStreamName())
	if err := checkWritable(name); err != nil {
		return 0, err
	}
	if expected == expectNothing {
		return 0, errNoExpectation()
	}
	fresh, err := uuid.NewRandom()
	if err != nil {
		return 0, errRead(err)
	}
	out := s.node.writer.submit(ctx, &request{
		action:   act,
		stream:   name,
		expected: expected,
		events:   []proposal{{id: fresh, kind: tombstoneType}},
		size:     eventOverhead,
	})
	switch {
	case out.err != nil:
		return 0, out.err
	case out.wrong:
		return 0, errWrongVersion(name, expected, out.current)
	}
	return out.position, nil
}
