package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/atrium-portal/atrium/projections/evidence"
)

// Client asks a witness. It implements evidence.RemoteWitness.
type Client struct {
	base   string
	key    note.Verifier
	client *http.Client
}

var _ evidence.RemoteWitness = (*Client)(nil)

// NewClient asks the witness at an address, https://HOST:PORT or unix:PATH, which signs with key.
func NewClient(address string, key note.Verifier) (*Client, error) {
	c := &Client{base: strings.TrimSuffix(address, "/"), key: key, client: &http.Client{Timeout: 10 * time.Second}}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		c.base = "http://witness"
		c.client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}
		return c, nil
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--witness %q is not an address such as https://witness.example.org", address)
	}
	return c, nil
}

// Add implements evidence.RemoteWitness.
func (c *Client) Add(ctx context.Context, request []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/add-checkpoint", bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	status, answer, err := c.do(r)
	if err != nil || status == http.StatusOK {
		return answer, err
	}
	refusal := &evidence.Refusal{Status: status, Text: strings.TrimSpace(string(answer))}
	if status == evidence.OtherSize {
		if refusal.Size, err = strconv.ParseInt(refusal.Text, 10, 64); err != nil {
			return nil, errors.New("the witness answers with a size that is no number")
		}
	}
	return nil, refusal
}

// Last implements evidence.WitnessMemory.
func (c *Client) Last(ctx context.Context, origin string) (evidence.Witnessed, bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/last-checkpoint?origin="+url.QueryEscape(origin), nil)
	if err != nil {
		return evidence.Witnessed{}, false, err
	}
	status, answer, err := c.do(r)
	switch {
	case err != nil:
		return evidence.Witnessed{}, false, err
	case status == http.StatusNotFound:
		return evidence.Witnessed{}, false, nil
	case status != http.StatusOK:
		return evidence.Witnessed{}, false, fmt.Errorf("the witness answers %d: %s", status, strings.TrimSpace(string(answer)))
	}
	seen, err := evidence.OpenWitnessed(answer, origin, c.key)
	return seen, err == nil, err
}

// do asks, and gives the answer.
func (c *Client) do(r *http.Request) (status int, answer []byte, err error) {
	reply, err := c.client.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	defer reply.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(reply.Body, maxRequest))
	return reply.StatusCode, answer, err
}

// ErrAway says that the witness cannot be reached.
var ErrAway = errors.New("the witness cannot be reached")
