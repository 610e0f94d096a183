package main

import (
	"net/http"

	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// withPages puts the pages for people beside the routes for programs.
func (c serveCmd) withPages(k *stack, reads http.Handler) (http.Handler, error) {
	reader, err := readapi.NewReader(readapi.Pools{Client: k.pools.ClientReader, Staff: k.pools.StaffReader}, k.engine, k.past, k.now)
	if err != nil {
		return nil, err
	}
	options := portal.Options{
		Reader: reader, Dispatch: k.dispatch, People: people{k.loop}, Ops: ops{k.engine, k.source, k.events, k.operator}, Seals: k.seals, Audit: looks{k.journal},
		Now: k.now, Logger: k.log, Around: k.around("pages"), PublicURL: c.PublicURL, Pays: k.loop.Gateway != "", Papers: true, Supposer: supposer{k}, Uploads: k.uploads(),
	}
	if e := k.entrance; e != nil {
		options.Client, options.Staff = e.identify()
		options.Doors = e.doors()
		if options.Routes, err = e.pages(k); err != nil {
			return nil, err
		}
	}
	if c.Dev { // a token opens the pages too, for looking at them without signing in
		way := auth.Bearer(tokens{k.tokens})
		options.Client, options.Staff = append(options.Client, way), append(options.Staff, way)
	}
	pages, err := portal.Router(options)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, path := range []string{"/api/", "/healthz", "/readyz"} {
		mux.Handle(path, reads)
	}
	mux.Handle("/assets/", ui.Static())
	mux.Handle("/logos/", k.uploads().Logos())
	mux.HandleFunc("GET "+keysPath, k.seals.serveKeys)
	mux.Handle("/", pages)
	return mux, nil
}
