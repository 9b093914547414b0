// What a real node must refuse of js-libp2p: by gossip, by request, and in the hash table. A watcher on another connection
// sees what the node passes on, a good message beside each bad one shows that it would, and then the node serves as before.
import assert from 'node:assert/strict';
import {setMaxListeners} from 'node:events';
import {after, test} from 'node:test';

import {decode as base58} from 'base58-universal';

import {Peer, until} from './libraries/libp2p.mjs';
import {Home} from './knack.mjs';
import {
  GOSSIP_BYTES_MAX, MESSAGE_BYTES_MAX, item, messageId, newSecret, publicKey, readResponse, recordKey, sign, topicOf
} from './second/statements.mjs';
import {encode, equal, framed, unframed, varint} from './second/wire.mjs';

const RPC = '/knack/rpc/1';
const RUST = 'urn:knackmesh:onet:43232402:rust';
const FIND = {find: {query: {skill: {any_of: [RUST], min: 1, max: 5}}, limit: 10}};
const HOUR_MS = 3_600_000;
const RECORD_BYTES_MAX = 12_288;
const SILENCED_AFTER = 9;
const BURST = 600;
const STREAMS_PER_CONNECTION_MAX = 64;
const STREAMS = 100;
/** Peers that open so many streams at once that their requests are four times what a node takes. */
const GREEDY = 4;
/**
 * What a node may grow by under all of this: the requests that it reads at once, what it lets each stream send ahead (yamux's
 * window, for which it does not ask the sender), and some. Without a bound it would be the requests' 256 MiB.
 */
const REQUESTS_BYTES_MAX = 64 * 2 ** 20;
const WINDOW_BYTES = 256 * 2 ** 10;
const GROWTH_BYTES_MAX = REQUESTS_BYTES_MAX + GREEDY * STREAMS_PER_CONNECTION_MAX * WINDOW_BYTES + 32 * 2 ** 20;

// The library listens for the end of each of its streams; node takes more than ten for a leak.
setMaxListeners(STREAMS * GREEDY);

const home = new Home();
const third = new Home();
const node = await home.up();
const thirds = await third.up(node.address);
const start = options => Peer.start({messageId, ...options});
const watcher = await start();
await watcher.dial(node.address);
const TOPIC = '/knack/1/announce/7';
await watcher.join(TOPIC, node.id);
await until('the third node', async() => (await home.ask('status')).peers === 1);
const memory = node.memory();
let accepted = 0;
after(async() => {
  await Peer.stopAll();
  await Promise.all([node.stop(), thirds.stop()]);
});

/** A new view whose summaries travel on the topic watched. */
function newView() {
  for(;;) {
    const secret = newSecret();
    if(topicOf('summary', publicKey(secret)) === TOPIC) {
      return secret;
    }
  }
}

/** A legal summary of a new view, in which `fields` replace what it states. */
function stated(secret, fields = {}) {
  const issued = Date.now();
  return {
    view: publicKey(secret), sequence: issued, issued, expires: issued + HOUR_MS,
    content: {claims: [{skill: RUST, level: 3, tier: 'claimed'}], headline: 'Rust', terms: {}},
    reach: {direct: base58(watcher.id)}, present: 'ask', consent: new Uint8Array(32), ...fields
  };
}
const signed = (fields, domain = 'summary') => {
  const secret = newView();
  return sign(domain, stated(secret, fields), secret);
};
const good = () => item('summary', signed());
const changed = (bytes, at) => bytes.map((byte, i) => i === (at + bytes.length) % bytes.length ? byte ^ 1 : byte);

const request = async(peer, content) =>
  readResponse(unframed(await peer.exchange(node.address, RPC, framed(encode(content))), MESSAGE_BYTES_MAX));

/** The node answers others as before, holds what it took and no more, and has not grown out of proportion. */
async function unharmed() {
  const peer = await start();
  await peer.dial(node.address);
  assert.ok(await peer.ping(node.address) >= 0);
  const {leads} = await request(peer, FIND);
  assert.equal(leads.held, accepted);
  await peer.stop();
  const grown = node.memory() - memory;
  assert.ok(grown < GROWTH_BYTES_MAX, `it grew by ${grown} bytes`);
}

/** A good message of somebody else comes through: what the node passed on until then is here. */
async function passedOn() {
  const peer = await start();
  await peer.dial(node.address);
  const data = good();
  await peer.publish(TOPIC, data);
  await until('a good message', () => watcher.received.some(message => equal(message.data, data)));
  accepted += 1;
  await peer.stop();
  return watcher.received.splice(0).filter(message => !equal(message.data, data));
}

const now = Date.now();
const UNFIT = {
  'nothing': new Uint8Array(),
  'garbage': Buffer.from('garbage'),
  'bytes without an end': Buffer.from('9bffffffffffffffff', 'hex'),
  'arrays in arrays': Buffer.alloc(10_000, 0x81),
  'no item': encode({summary: 1}),
  'an envelope without an item around it': signed(),
  'a body that is no statement': item('summary', sign('summary', encode({view: 1}), newView())),
  'one byte too many': Buffer.concat([good(), Uint8Array.of(0)]),
  'a map with its length in two bytes': Buffer.concat([Buffer.from('b801', 'hex'), good().subarray(1)]),
  'an item with an unknown field': encode({summary: {body: new Uint8Array(), signature: new Uint8Array(64), more: 1}}),
  'a signed body that is not canonical': (() => {
    const secret = newView();
    return item('summary', sign('summary', Buffer.concat([Buffer.from('b808', 'hex'), encode(stated(secret)).subarray(1)]), secret));
  })(),
  'a signed body with a name': item('summary', signed({name: 'Ada'})),
  'a changed signature': changed(good(), -1),
  'a changed body': changed(good(), -120),
  'the signature of another domain': item('summary', signed({}, 'tombstone')),
  'the signature of another': item('summary', sign('summary', stated(newView()), newView())),
  'a summary that says it is a tombstone': item('tombstone', signed()),
  'a lease of eight days': item('summary', signed({expires: now + 8 * 24 * HOUR_MS})),
  'one that ended': item('summary', signed({issued: now - 2 * HOUR_MS, expires: now - 1})),
  'one from the future': item('summary', signed({issued: now + HOUR_MS, expires: now + 2 * HOUR_MS})),
  'more bytes than gossip allows': Buffer.alloc(GOSSIP_BYTES_MAX + 1),
  'far more bytes than gossip allows': Buffer.alloc(1_000_000),
};

test('gossip: what is not to be passed on goes nowhere', async t => {
  for(const [name, data] of Object.entries(UNFIT)) {
    await t.test(name, async() => {
      const peer = await start();
      await peer.dial(node.address);
      await peer.publish(TOPIC, data);
      // The same peer's next message shows that this one has been judged, unless its stream is gone with it.
      if(data.length < 100_000) {
        const control = good();
        await peer.publish(TOPIC, control);
        await until('the control', () => watcher.received.some(message => equal(message.data, control)));
        accepted += 1;
        watcher.received = watcher.received.filter(message => !equal(message.data, control));
      }
      assert.deepEqual(await passedOn(), []);
      await peer.stop();
      await unharmed();
    });
  }
});

test('gossip: a message that names its author is not passed on', async() => {
  const peer = await start({signed: true});
  await peer.dial(node.address);
  await peer.publish(TOPIC, good());
  assert.deepEqual(await passedOn(), []);
  await peer.stop();
  await unharmed();
});

test('gossip: who goes on sending what is to be rejected is no longer heard', async() => {
  for(const [times, heard] of [[SILENCED_AFTER - 1, true], [SILENCED_AFTER, false]]) {
    const peer = await start();
    await peer.dial(node.address);
    for(let i = 0; i < times; i++) {
      await peer.publish(TOPIC, Buffer.from(`garbage ${i} of ${times}`));
    }
    const data = good();
    await peer.publish(TOPIC, data);
    const through = await passedOn();
    accepted += through.length;
    assert.deepEqual(through.map(message => equal(message.data, data)), heard ? [true] : [], `after ${times}`);
    await peer.stop();
  }
  await unharmed();
});

const tombstone = (secret, fields) => {
  const view = publicKey(secret);
  return sign('tombstone', {view, ceiling: 1, issued: now, until: now, ...fields}, secret);
};
const REFUSED = {
  'nothing': ['malformed', new Uint8Array()],
  'garbage': ['malformed', Buffer.from('garbage')],
  'a megabyte of arrays': ['malformed', Buffer.alloc(MESSAGE_BYTES_MAX, 0x81)],
  'a request that nobody knows': ['malformed', encode({forward: 1})],
  'a request with more in it': ['malformed', encode({find: {...FIND.find, more: 1}})],
  'a map with its length in two bytes': ['malformed', Buffer.concat([Buffer.from('b801', 'hex'), encode(FIND).subarray(1)])],
  'a query for nobody in particular': ['malformed', encode({find: {query: {not: FIND.find.query}, limit: 10}})],
  'more leads than one may ask for': ['malformed', encode({find: {...FIND.find, limit: 201}})],
  'a forged withdrawal': ['malformed', encode({withdraw: {body: encode({view: 1}), signature: new Uint8Array(64)}})],
  'another’s withdrawal': ['malformed', withdrawal(sign('tombstone', {
    view: publicKey(newSecret()), ceiling: 1, issued: now, until: now}, newSecret()))],
  'a withdrawal that is over': ['not_current', withdrawal(tombstone(newSecret(), {until: now - HOUR_MS}))],
  'a comparison in the future': ['not_current', compared('6100000200', now + HOUR_MS)],
  'a frame of no version': ['malformed', compared('0100000200')],
  'a frame that ends within an id': ['malformed', compared('6100000201aa')],
  'an empty frame': ['malformed', compared('')],
};

function withdrawal(envelope) {
  return Buffer.concat([Buffer.from('a1', 'hex'), encode('withdraw'), envelope]);
}

function compared(frame, asOf = now) {
  return encode({reconcile: {as_of: asOf, frame: Buffer.from(frame, 'hex')}});
}

test('requests: what is no request is refused by name', async t => {
  const peer = await start();
  await peer.dial(node.address);
  for(const [name, [reason, bytes]] of Object.entries(REFUSED)) {
    await t.test(name, async() => {
      const answer = await peer.exchange(node.address, RPC, framed(bytes));
      assert.deepEqual(readResponse(unframed(answer, MESSAGE_BYTES_MAX)), {refused: reason});
    });
  }
  await peer.stop();
  await unharmed();
});

const asked = framed(encode(FIND));
const BROKEN = {
  'no length': [new Uint8Array()],
  'a length that does not end': [Buffer.alloc(64, 0xff)],
  'a length beyond the bound': [varint(MESSAGE_BYTES_MAX + 1)],
  'more bytes than the bound': [framed(Buffer.alloc(MESSAGE_BYTES_MAX + 1))],
  'a length of four bytes': [Buffer.concat([Buffer.from('ffffff01', 'hex'), Buffer.alloc(1000)])],
  'fewer bytes than it says': [asked.subarray(0, -1)],
  'a request that never ends': [asked.subarray(0, -1), {open: true}],
  'a length and no more': [varint(MESSAGE_BYTES_MAX), {open: true}],
};

test('requests: a comparison of a later version is answered with the version that is spoken', async() => {
  const {reconciled} = await request(watcher, {reconcile: {as_of: now, frame: Buffer.from('6200000200', 'hex')}});
  assert.deepEqual([...reconciled.frame], [0x61]);
});

test('requests: what is no frame ends its stream, and has no answer', {concurrency: true}, async t => {
  const peer = await start();
  await peer.dial(node.address);
  await Promise.all(Object.entries(BROKEN).map(([name, [bytes, options]]) => t.test(name, async() => {
    const answer = await peer.exchange(node.address, RPC, bytes, options).catch(() => Buffer.alloc(0));
    assert.equal(answer.length, 0);
  })));
  await peer.stop();
  await unharmed();
});

test('requests: many that never end take neither more memory than allowed nor room from others', async() => {
  const sent = {'a length': varint(MESSAGE_BYTES_MAX), 'all but the end': framed(Buffer.alloc(MESSAGE_BYTES_MAX)).subarray(0, -1)};
  for(const bytes of Object.values(sent)) {
    const peers = await Promise.all(Array.from({length: GREEDY}, () => start()));
    let ended = 0;
    const count = () => ended += 1;
    for(const peer of peers) {
      await peer.dial(node.address);
      Array.from({length: STREAMS}, () => peer.exchange(node.address, RPC, bytes, {open: true}).then(count, count));
    }
    await until('the streams beyond its bound end', () => ended >= GREEDY * (STREAMS - STREAMS_PER_CONNECTION_MAX));
    await unharmed();
    assert.ok(peers.every(peer => peer.isConnected(node.id)));
    await Promise.all(peers.map(peer => peer.stop()));
  }
});

test('requests: whoever asks without end is told to come later, and others are not', async() => {
  const peer = await start();
  await peer.dial(node.address);
  const answers = [];
  for(let i = 0; i < BURST + 100 && !answers.at(-1)?.refused; i++) {
    answers.push(await request(peer, {find: {...FIND.find, limit: 0}}));
  }
  assert.ok(answers.length > BURST, `${answers.length} answers`);
  assert.deepEqual(answers.at(-1), {refused: 'busy'});
  await unharmed();
  await peer.stop();
});

test('protocols of another name are refused', async t => {
  const peer = await start();
  await peer.dial(node.address);
  for(const protocol of ['/knack/rpc/2', '/knack/rpc', '/ipfs/kad/1.0.0', `/${'long'.repeat(1000)}`]) {
    await t.test(protocol.slice(0, 32), () =>
      assert.rejects(peer.exchange(node.address, protocol, asked), {name: 'UnsupportedProtocolError'}));
  }
  await peer.stop();
  await unharmed();
});

test('hash table: a record is kept under its own view’s key alone', async t => {
  const peer = await start();
  await peer.dial(node.address);
  const other = recordKey(publicKey(newSecret()));
  const secret = newView();
  const data = item('summary', sign('summary', stated(secret), secret));
  const ended = item('summary', sign('summary', stated(secret, {issued: now - HOUR_MS, expires: now - 1}), secret));
  for(const [name, key, value] of [
    ['under another view', other, data], ['garbage', other, Buffer.from('garbage')],
    ['what has ended', recordKey(publicKey(secret)), ended], ['too long', other, Buffer.alloc(20_000)],
  ]) {
    await t.test(name, async() => {
      const taken = await peer.put(key, value);
      assert.ok(value.length > RECORD_BYTES_MAX || taken > 0, 'the answer does not say that it was not kept');
      // Whoever put it has it, so that another is asked.
      assert.deepEqual(await watcher.records(key), []);
    });
  }
  await t.test('a good one is', async() => {
    await peer.put(recordKey(publicKey(secret)), data);
    await until('it is kept', async() => (await watcher.records(recordKey(publicKey(secret)))).some(value => equal(value, data)));
    accepted += 1;
  });
  await peer.stop();
  await unharmed();
});

test('a third node has what was accepted, and nothing else', async() => {
  const held = async() => (await third.ask('status')).index.summaries;
  await until('all that was accepted', async() => await held() >= accepted);
  assert.equal(await held(), accepted);
});
