// Real nodes, and js-libp2p with the second implementation: each is found, read, asked and withdrawn by the other.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import {decode as base58} from 'base58-universal';

import {Peer, until} from './libraries/libp2p.mjs';
import {Home} from './knack.mjs';
import {
  MESSAGE_BYTES_MAX, didKey, isCurrent, item, messageId, newSecret, nodeId, nodeKey, open, publicKey, readItem, readResponse,
  recordKey, sign, topicOf
} from './second/statements.mjs';
import {Refused, decode, encode, equal, framed, unframed} from './second/wire.mjs';

const RPC = '/knack/rpc/1';
const RUST = 'urn:knackmesh:onet:43232402:rust';
const ASKED = {skill: {any_of: [RUST], min: 1, max: 5}};
const HOUR_MS = 3_600_000;

const hex = bytes => Buffer.from(bytes).toString('hex');
const peerId = id => base58(id);
const viewKey = did => base58(did.slice('did:key:z'.length)).subarray(2);

/** Refuses a record that is no current item of the view that its key names. */
function validate(key, value) {
  const {statement, recordKey} = readItem(value);
  if(!equal(recordKey, key) || !isCurrent(statement)) {
    throw new Refused('record', 'it does not belong here');
  }
}

const start = options => Peer.start({messageId, validate, ...options});
const request = async(peer, address, content) => {
  const answer = await peer.exchange(address, RPC, framed(encode(content)));
  return readResponse(unframed(answer, MESSAGE_BYTES_MAX));
};

/** A summary by the second implementation: its holder's `view`, and the item. */
function announcement(secret, node, {level = 3, issued = Date.now()} = {}) {
  const view = publicKey(secret);
  const envelope = sign('summary', {
    view, sequence: issued, issued, expires: issued + HOUR_MS,
    content: {claims: [{skill: RUST, level, tier: 'claimed'}], headline: 'Rust', terms: {languages: ['de']}},
    reach: {direct: node}, present: 'ask', consent: new Uint8Array(32)
  }, secret);
  return {view, envelope, data: item('summary', envelope), topic: topicOf('summary', view)};
}

const [issuer, holder, other] = [new Home(), new Home(), new Home()];
holder.import(issuer.issue(holder.did, '--skill', 'rust', '--level', '4'));
const view = viewKey(holder.succeed('status').view);

// The holder's node, and another through which the network is seen.
const holders = await holder.up();
const others = await other.up(holders.address);
const listener = await start();
const met = await listener.dial(others.address);
await listener.dial(holders.address);
const announced = (async() => {
  await listener.join(topicOf('summary', view), others.id);
  await until('two nodes that know each other', async() => (await holder.ask('status')).peers === 1);
  await holder.ask('publish', '--for', '1h');
  return until('the announcement', () => listener.received[0]);
})();
after(async() => {
  await Peer.stopAll();
  await Promise.all([holders.stop(), others.stop()]);
});

test('js-libp2p dials, identifies and pings a node', async() => {
  const {protocols, ...said} = met;
  assert.deepEqual(said, {
    id: others.id, encryption: '/noise', multiplexer: '/yamux/1.0.0', agent: `knackmesh/${other.version()}`, version: '/knack/id/1',
    listen: [others.address.split('/p2p/')[0]]
  });
  for(const protocol of [RPC, '/knack/kad/1', '/meshsub/1.1.0', '/ipfs/id/1.0.0', '/ipfs/ping/1.0.0']) {
    assert.ok(protocols.includes(protocol), protocol);
  }
  assert.ok(!protocols.includes('/ipfs/kad/1.0.0'), 'the public hash table is another network');
  assert.ok(await listener.ping(others.address) >= 0);
});

test('an announcement comes by gossip, and verifies from the specification', async() => {
  const {topic, data} = await announced;
  assert.equal(topic, topicOf('summary', view));
  const {kind, statement} = readItem(data);
  assert.equal(kind, 'summary');
  assert.ok(isCurrent(statement));
  assert.equal(didKey(statement.view), didKey(view));
  assert.deepEqual(statement.content.claims.map(({skill, level}) => [skill, level]), [[RUST, 4]]);
  assert.equal(hex(statement.reach.direct), hex(peerId(holders.id)), 'it names the holder’s node');
  assert.equal(didKey(nodeKey(statement.reach.direct)), didKey(nodeKey(peerId(holders.id))));
});

test('the hash table has the same as the holder’s record, under the view', async() => {
  const {data} = await announced;
  const reader = await start();
  await reader.dial(others.address);
  const values = await until('a record', async() => {
    const found = await reader.records(recordKey(view));
    return found.length > 0 && found;
  });
  values.forEach(value => assert.equal(hex(value), hex(data)));
  assert.deepEqual(await reader.records(recordKey(publicKey(newSecret()))), [], 'nothing under another view');
  await reader.stop();
});

test('a node answers a query with it', async() => {
  const {id} = readItem((await announced).data);
  const {leads} = await request(listener, others.address, {find: {query: ASKED, limit: 10}});
  assert.equal(leads.matched, 1);
  assert.equal(leads.held, 1);
  assert.deepEqual(leads.summaries.map(lead => hex(open('summary', lead).id)), [hex(id)]);
  const narrower = {and: [ASKED, {language: 'fr'}]};
  const none = await request(listener, others.address, {find: {query: narrower, limit: 10}});
  assert.deepEqual(none.leads.summaries, []);
});

test('a request is answered once its last byte is there, and what follows it is not read', async() => {
  const asked = framed(encode({find: {query: ASKED, limit: 10}}));
  for(const [bytes, options] of [[asked, {open: true}], [Buffer.concat([asked, asked.subarray(1)])]]) {
    const answer = await listener.exchange(others.address, RPC, bytes, options);
    assert.ok(readResponse(unframed(answer, MESSAGE_BYTES_MAX)).leads);
  }
});

test('who holds nothing reconciles, and fetches what there is', async() => {
  const {data} = await announced;
  // Negentropy 1: one range without end, as a list of no ids.
  const nothing = Buffer.from('6100000200', 'hex');
  const {reconciled} = await request(listener, others.address, {reconcile: {as_of: Date.now(), frame: nothing}});
  // The answer: the same range, as a list of one id.
  assert.equal(hex(reconciled.frame.subarray(0, 5)), '6100000201');
  const ids = [reconciled.frame.subarray(5)];
  assert.equal(hex(ids[0]), hex(readItem(data).id));
  const {items} = await request(listener, others.address, {fetch: {ids}});
  assert.deepEqual(items.map(({id}) => hex(id)), ids.map(hex));
});

test('what the second implementation announces is found, kept as a record, and withdrawn', async() => {
  const secret = newSecret();
  const peer = await start();
  await peer.dial(holders.address);
  const {view, envelope, data, topic} = announcement(secret, peerId(peer.id));
  await listener.join(topic, others.id);
  await peer.publish(topic, data);
  const found = async() => (await other.ask('query', 'rust', '--deadline', '2s')).results.map(({view}) => view);
  await until('it is found', async() => (await found()).includes(didKey(view)));
  await until('it is passed on', () => listener.received.some(message => equal(message.data, data)));
  assert.ok(await peer.put(recordKey(view), data) > 0);
  await until('it is kept', async() => (await listener.records(recordKey(view))).some(value => equal(value, data)));

  const issued = Date.now();
  const {sequence: ceiling, expires: until_} = open('summary', envelope).statement;
  const tombstone = sign('tombstone', {view, ceiling, issued, until: until_}, secret);
  const {deleted} = await request(peer, others.address, {withdraw: decode(tombstone, Infinity)});
  assert.equal(hex(deleted.statement.tombstone), hex(open('tombstone', tombstone).id));
  assert.equal(hex(deleted.statement.node), hex(nodeKey(peerId(others.id))), 'signed by the node that was asked');
  await peer.publish(topicOf('tombstone', view), item('tombstone', tombstone));
  await until('it is withdrawn', async() => !(await found()).includes(didKey(view)));
  await peer.stop();
});

test('a node asks the second implementation, which answers', async() => {
  const seed = newSecret();
  const asked = [];
  const peer = await start({seed, listen: true});
  const {view, envelope} = announcement(newSecret(), nodeId(publicKey(seed)), {level: 5});
  const whole = bytes => {
    try {
      return unframed(bytes, MESSAGE_BYTES_MAX);
    } catch{
      return false;
    }
  };
  await peer.serve(RPC, whole, bytes => {
    const [[kind]] = decode(whole(bytes), MESSAGE_BYTES_MAX);
    asked.push(kind);
    return framed(encode(kind === 'find' ? {leads: {summaries: [envelope], matched: 1, held: 1}} : {refused: 'busy'}));
  });
  const home = new Home();
  const node = await home.up(peer.address);
  await until('identify', async() => (await home.ask('status')).peers === 1);
  const {results} = await home.ask('query', 'rust>=5', '--deadline', '5s');
  assert.deepEqual(results.map(({view}) => view), [didKey(view)]);
  assert.ok(asked.includes('find'));
  assert.ok(asked.includes('reconcile'), 'a node compares with whoever connects');
  await node.stop();
  await peer.stop();
});

test('a withdrawal comes by gossip, and takes the summary’s place in the hash table', async() => {
  await announced;
  await listener.join(topicOf('tombstone', view), others.id);
  await holder.ask('withdraw');
  const {data} = await until('a tombstone', () => listener.received.find(({topic}) => topic === topicOf('tombstone', view)));
  const {kind, statement} = readItem(data);
  assert.equal(kind, 'tombstone');
  assert.equal(didKey(statement.view), didKey(view));
  await until('its record', async() => {
    const values = await listener.records(recordKey(view));
    return values.length > 0 && values.every(value => readItem(value).kind === 'tombstone');
  });
});
