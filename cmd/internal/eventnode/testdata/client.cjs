// Uses the official Node.js client as an application would. Run by TestNodeClient: node client.cjs CONNECTION IDLE_MS. Where the node
// is to be started anew it prints "restart" and goes on with the next line of input.
"use strict";
const assert = require("node:assert/strict");
const readline = require("node:readline");
const {
  EventStoreDBClient, jsonEvent, binaryEvent, streamNameFilter, eventTypeFilter, NO_STREAM, STREAM_EXISTS, ANY, START, END, FORWARDS, BACKWARDS,
  WrongExpectedVersionError, StreamNotFoundError, StreamDeletedError,
} = require("@eventstore/db-client");

const [connection, idle] = [process.argv[2], Number(process.argv[3])];
const client = EventStoreDBClient.connectionString(connection);
const named = (name) => jsonEvent({ type: "named", data: { name }, metadata: { by: "node.js" } });

const all = async (read) => {
  const events = [];
  for await (const { event } of read) events.push(event);
  return events;
};
const namesOf = (events) => events.map((e) => e.data.name);

// next gives the next events of a subscription.
const next = (subscription, count) => new Promise((done, failed) => {
  const got = [];
  const take = ({ event }) => {
    got.push(event);
    if (got.length < count) return;
    subscription.off("data", take);
    subscription.pause();
    done(got);
  };
  subscription.on("error", failed).on("data", take);
  subscription.resume();
});

const parts = {
  async "appends and their expectations"() {
    const first = await client.appendToStream("orders", [named("a"), named("b")], { expectedRevision: NO_STREAM });
    assert.equal(first.nextExpectedRevision, 1n);
    const second = await client.appendToStream("orders", named("c"), { expectedRevision: 1n });
    assert.equal(second.nextExpectedRevision, 2n);
    assert.ok(second.position.commit > first.position.commit);
    await assert.rejects(client.appendToStream("orders", named("d"), { expectedRevision: NO_STREAM }), (e) => {
      assert.ok(e instanceof WrongExpectedVersionError, String(e));
      assert.equal(e.actualVersion, 2n);
      return true;
    });
    await assert.rejects(client.appendToStream("nothing", named("d"), { expectedRevision: STREAM_EXISTS }), WrongExpectedVersionError);
    const same = named("e");
    const once = await client.appendToStream("orders", same, { expectedRevision: 2n });
    assert.equal((await client.appendToStream("orders", same, { expectedRevision: 2n })).nextExpectedRevision, once.nextExpectedRevision);
    await client.appendToStream("bytes", binaryEvent({ type: "raw", data: Buffer.from([0, 255, 7]) }), { expectedRevision: ANY });
  },

  async "reads of a stream"() {
    const events = await all(client.readStream("orders"));
    assert.deepEqual(namesOf(events), ["a", "b", "c", "e"]);
    assert.deepEqual([events[2].revision, events[2].type, events[2].metadata.by], [2n, "named", "node.js"]);
    assert.deepEqual(namesOf(await all(client.readStream("orders", { direction: BACKWARDS, fromRevision: END, maxCount: 2 }))), ["e", "c"]);
    assert.deepEqual(namesOf(await all(client.readStream("orders", { direction: FORWARDS, fromRevision: 1n, maxCount: 2 }))), ["b", "c"]);
    const [raw] = await all(client.readStream("bytes"));
    assert.deepEqual([...raw.data], [0, 255, 7]);
    await assert.rejects(all(client.readStream("nothing")), StreamNotFoundError);
  },

  async "reads of the log"() {
    const forwards = await all(client.readAll({ fromPosition: START }));
    const backwards = await all(client.readAll({ direction: BACKWARDS, fromPosition: END }));
    assert.deepEqual(backwards.reverse().map((e) => e.id), forwards.map((e) => e.id));
    const raw = await next(client.subscribeToAll({ fromPosition: START, filter: eventTypeFilter({ prefixes: ["raw"] }) }), 1);
    assert.deepEqual(raw.map((e) => e.streamId), ["bytes"]);
  },

  async "metadata, deletion, tombstones"() {
    await client.appendToStream("short", [named("1"), named("2"), named("3")]);
    await client.setStreamMetadata("short", { maxCount: 2, owner: "me" });
    assert.deepEqual(namesOf(await all(client.readStream("short"))), ["2", "3"]);
    const { metadata } = await client.getStreamMetadata("short");
    assert.deepEqual([metadata.maxCount, metadata.owner], [2, "me"]);
    await client.deleteStream("short");
    await assert.rejects(all(client.readStream("short")), StreamNotFoundError);
    await client.appendToStream("short", named("4"));
    assert.deepEqual(namesOf(await all(client.readStream("short"))), ["4"]);
    await client.tombstoneStream("short");
    await assert.rejects(all(client.readStream("short")), StreamDeletedError);
    await assert.rejects(client.appendToStream("short", named("5")), StreamDeletedError);
  },

  async "a hundred subscriptions, also after a long silence"() {
    const subscriptions = [];
    for (let i = 0; i < 50; i++) {
      subscriptions.push(client.subscribeToStream("orders", { fromRevision: 2n })); // after it comes e
      subscriptions.push(client.subscribeToAll({ fromPosition: START, filter: streamNameFilter({ prefixes: ["orders"], checkpointInterval: 1 }) }));
    }
    const caughtUp = await Promise.all(subscriptions.map((s, i) => next(s, i % 2 === 0 ? 1 : 4)));
    caughtUp.forEach((events, i) => assert.deepEqual(namesOf(events), i % 2 === 0 ? ["e"] : ["a", "b", "c", "e"]));
    await new Promise((done) => setTimeout(done, idle));
    const live = subscriptions.map((s) => next(s, 2));
    await client.appendToStream("orders", [named("f"), named("g")], { expectedRevision: 3n });
    for (const events of await Promise.all(live)) assert.deepEqual(namesOf(events), ["f", "g"]);
    await Promise.all(subscriptions.map((s) => s.unsubscribe()));
  },

  async "another start of the node"() {
    const ended = new Promise((done) => client.subscribeToStream("orders", { fromRevision: END }).on("error", done).on("end", done).resume());
    const lines = readline.createInterface({ input: process.stdin });
    const answered = new Promise((done) => lines.once("line", done));
    console.log("restart");
    await answered;
    lines.close();
    await ended;
    // As with a server, the call that finds the connection broken fails, and the client connects anew.
    let tries = 0;
    for (;;) {
      try {
        const { nextExpectedRevision } = await client.appendToStream("orders", named("h"), { expectedRevision: 5n });
        assert.equal(nextExpectedRevision, 6n);
        break;
      } catch (e) {
        if (e instanceof WrongExpectedVersionError || ++tries > 100) throw e;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
    assert.deepEqual(namesOf(await next(client.subscribeToStream("orders", { fromRevision: 4n }), 2)), ["g", "h"]);
  },
};

(async () => {
  for (const [name, part] of Object.entries(parts)) {
    try {
      await part();
    } catch (e) {
      console.error(`${name}: ${e.name} ${e.type ?? ""} ${e.message}\n${e.stack}\n${e.cause?.stack ?? ""}`);
      process.exit(1);
    }
    console.log(`ok ${name}`);
  }
  await client.dispose();
  process.exit(0);
})();
