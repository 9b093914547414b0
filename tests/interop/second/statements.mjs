// What travels signed: summaries, tombstones, acknowledgements and receipts as signed.md, summary.md, message.md and cell.md have them.
// Proofs in summaries are not read here: they are SD-JWTs, on which libraries of their own are tried.
import {ed25519} from '@noble/curves/ed25519.js';
import {blake3} from '@noble/hashes/blake3.js';
import {sha512} from '@noble/hashes/sha2.js';
import {encode as base58} from 'base58-universal';

import {Refused, decode, encode, equal} from './wire.mjs';

const LEASE_MAX_MS = 7 * 24 * 3600 * 1000;
const CLOCK_SKEW_MAX_MS = 120_000;
const TOMBSTONE_GRACE_MS = 600_000;
const INSTANT_MAX = 253402128000000;
const ENVELOPE_BYTES = 128;

export const GOSSIP_BYTES_MAX = 16_384;

export const newSecret = () => crypto.getRandomValues(new Uint8Array(32));
export const publicKey = secret => ed25519.getPublicKey(secret);
export const didKey = key => `did:key:z${base58(Buffer.concat([Uint8Array.of(0xed, 0x01), key]))}`;
export const hash = (...parts) => blake3(Buffer.concat(parts));

// Types. Each reads a decoded value, and returns it with maps as objects, or throws.

const illegal = why => {
  throw new Refused('illegal', why);
};
const legal = (condition, why) => condition || illegal(why);

const bytes = (least, most = least) => value =>
  legal(value instanceof Uint8Array && value.length >= least && value.length <= most, 'bytes') && value;
const uint = (least, most) => value =>
  legal((typeof value === 'number' || typeof value === 'bigint') && value >= least && value <= most, 'a number') && value;
const text = (least, most, pattern = /^/) => value =>
  legal(typeof value === 'string' && within(Buffer.byteLength(value), least, most) && pattern.test(value), 'a text') && value;
const list = (type, least, most, key = JSON.stringify) => value => {
  legal(Array.isArray(value) && within(value.length, least, most), 'a list');
  const read = value.map(type);
  legal(new Set(read.map(key)).size === read.length, 'repeated');
  return read;
};
const within = (value, least, most) => value >= least && value <= most;
/** A map with exactly these fields; those whose names end in `?` may be absent. */
const record = fields => value => {
  legal(value instanceof Map, 'a map');
  const names = Object.keys(fields).map(name => name.replace('?', ''));
  legal([...value.keys()].every(name => names.includes(name)), 'an unknown field');
  const read = {};
  for(const [name, type] of Object.entries(fields)) {
    const field = name.replace('?', '');
    if(value.has(field)) {
      read[field] = type(value.get(field));
    } else {
      legal(name.endsWith('?'), `no ${field}`);
    }
  }
  return read;
};
/** A map of one entry, one of these. */
const choice = types => value => {
  legal(value instanceof Map && value.size === 1, 'not one entry');
  const [[name, content]] = value;
  return {[name]: (Object.hasOwn(types, name) ? types[name] : illegal)(content)};
};

const key = bytes(32);
const id = bytes(32);
const instant = uint(0, INSTANT_MAX);
const any = value => value;

const did = text(7, 512, /^did:[a-z0-9]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._%-]$/);
const claim = value => {
  const read = record({
    skill: text(5, 256, /^(https?:\/\/|urn:)[!#-;=?-[\]_a-z~]+$/),
    level: uint(1, 5),
    tier: text(4, 10, /^(claimed|evidence|peer|issuer|accredited)$/),
    'backing?': record({
      issuer: did, awarded: text(7, 7, /^(19[7-9]|[2-9]\d\d)\d-(0[1-9]|1[0-2])$/), commitment: id
    }),
    'proof?': uint(0, 7)
  })(value);
  legal(read.backing || read.tier === 'claimed', 'a tier without backing');
  legal(read.backing || read.proof === undefined, 'a proof without backing');
  return read;
};

const content = record({
  claims: list(claim, 1, 32, ({skill}) => skill),
  headline: text(0, 200, /^\P{Cc}*$/u),
  terms: record({
    'languages?': list(text(2, 3, /^[a-z]+$/), 1, 8),
    'region?': text(2, 6, /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/),
    'modes?': list(text(6, 6, /^(remote|hybrid|onsite)$/), 1, 3),
    'available?': uint(0, 2932895)
  })
});

const summary = value => {
  const read = record({
    view: key, sequence: uint(0, 2n ** 64n - 1n), issued: instant, expires: instant, content,
    reach: choice({direct: bytes(1, 64)}), present: text(3, 12, /^(ask|verified_org|anyone)$/), consent: id
  })(value);
  legal(within(read.expires - read.issued, 1, LEASE_MAX_MS), 'the lease');
  return read;
};

const tombstone = value => {
  const read = record({view: key, ceiling: uint(0, 2n ** 64n - 1n), issued: instant, until: instant})(value);
  legal(read.until - read.issued <= LEASE_MAX_MS, 'it lasts too long');
  return read;
};

/** Ids, sorted, each once. */
const sorted = most => value => {
  const ids = list(id, 0, most, one => Buffer.from(one).toString('hex'))(value);
  legal(ids.every((one, at) => at === 0 || Buffer.compare(ids[at - 1], one) < 0), 'out of order');
  return ids;
};

/** Each statement: its longest body, its type, and whose signature it needs. */
const STATEMENTS = {
  summary: {longest: 8192, type: summary, signer: 'view'},
  tombstone: {longest: 256, type: tombstone, signer: 'view'},
  acknowledgement: {longest: 256, type: record({node: key, tombstone: id, at: instant}), signer: 'node'},
  receipt: {longest: 8192, type: record({node: key, cells: sorted(64), items: sorted(32), at: instant}), signer: 'node'}
};

// Signed statements.

const signingInput = (domain, body) => Buffer.concat([Buffer.from(`knackmesh/1 ${domain}\0`), body]);

/** An envelope, encoded. The body may be any value, and `fields` replaces what the envelope holds. */
export function sign(domain, body, secret, fields = {}) {
  const written = body instanceof Uint8Array ? body : encode(body);
  return encode({body: written, signature: ed25519.sign(signingInput(domain, written), secret), ...fields});
}

/** What an envelope of a domain states, and its id. Throws when it must be refused. */
export function open(domain, envelope) {
  const {longest, type, signer} = STATEMENTS[domain];
  const {body, signature} = record({body: bytes(0, Infinity), signature: bytes(64)})(
    decode(envelope, longest + ENVELOPE_BYTES));
  const statement = type(decode(body, longest));
  if(!verifies(statement[signer], signature, signingInput(domain, body))) {
    throw new Refused('signature', 'it does not verify');
  }
  return {statement, id: hash(body), input: signingInput(domain, body)};
}

const {Point} = ed25519;
const ORDER = Point.Fn.ORDER;
const little = part => BigInt(`0x${Buffer.from(part).reverse().toString('hex')}`);

/** Strict verification without cofactor (signed.md). */
function verifies(key, signature, message) {
  const s = little(signature.subarray(32));
  const k = little(sha512(Buffer.concat([signature.subarray(0, 32), key, message]))) % ORDER;
  try {
    const [a, r] = [Point.fromBytes(key, true), Point.fromBytes(signature.subarray(0, 32), true)];
    return !a.isSmallOrder() && !r.isSmallOrder() && s < ORDER &&
      equal(Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), signature.subarray(0, 32));
  } catch{
    return false;
  }
}

// Items.

/** An item's bytes: what gossip and the hash table carry. */
export function item(kind, envelope) {
  return encode({[kind]: decode(envelope, Infinity)});
}

/** The item that bytes hold: `kind`, `statement`, `id`, and where it belongs. Throws when it must be refused. */
export function readItem(data) {
  return itemOf(decode(data, GOSSIP_BYTES_MAX));
}

/** The same of an item within a response. */
export function itemOf(value) {
  const [[kind, envelope]] = Object.entries(choice({summary: any, tombstone: any})(value));
  const {statement, id} = open(kind, encode(envelope));
  return {kind, statement, id, topic: topicOf(kind, statement.view), recordKey: recordKey(statement.view)};
}

/** Whether a statement counts at an instant. */
export function isCurrent({issued, expires, until}, now = Date.now()) {
  return issued <= now + CLOCK_SKEW_MAX_MS && now < (expires ?? until + TOMBSTONE_GRACE_MS);
}

/** The topic on which an item of a view travels. */
export function topicOf(kind, view) {
  const [first] = hash(view);
  return kind === 'summary' ? `/knack/1/announce/${first % 64}` : `/knack/1/withdraw/${first % 16}`;
}

/** The hash table's key of a view. */
export const recordKey = view => Buffer.from(`/knack/${didKey(view)}`);

/** Which gossip message is which. */
export function messageId(topic, data) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(topic)));
  return hash(length, Buffer.from(topic), data);
}

/** Ed25519 peer ids: the multihash of the key, and back. */
const MULTIHASH = Buffer.from('002408011220', 'hex');
export const nodeId = key => Buffer.concat([MULTIHASH, key]);
export function nodeKey(multihash) {
  legal(equal(multihash.subarray(0, 6), MULTIHASH), 'not an Ed25519 key');
  return multihash.subarray(6);
}

// Cells.

const EPOCH_MS = 86_400_000;

/** The day for which a place holds. */
export const epochOf = instant => Math.floor(instant / EPOCH_MS);

/** Where the hash table has a cell. */
export const cellKey = cell => hash(encode(['knack-cell', cell]));

/** In which part of a skill's holders a view is after `splits`, with the region that its summary states. */
export function pathOf(view, region, splits) {
  const country = region?.slice(0, 2) ?? '-';
  const bits = [...hash(view)].map(byte => byte.toString(2).padStart(8, '0')).join('');
  return splits === 0 ? '' : splits === 1 ? country : `${country}/${bits.slice(0, splits - 1)}`;
}

// Requests and responses.

export const MESSAGE_BYTES_MAX = 1_048_576;

const count = uint(0, 2 ** 32 - 1);
const path = text(0, 15, /^(([A-Z]{2}|-)(\/[01]{1,12})?)?$/);
const parts = list(path, 1, 256);
const replica = text(4, 5, /^(cells|none)$/);
const refusal = text(4, 11, /^(malformed|busy|not_current|not_kept)$/);
const placed = value => value === 'kept' ? value : choice({split: list(path, 0, 256), refused: refusal})(value);

const RESPONSES = {
  leads: record({
    summaries: list(bytes(0, Infinity), 0, Infinity, lead => Buffer.from(lead).toString('hex')),
    matched: count, held: count, 'reconciled?': instant,
    'replica?': replica, 'cell?': record({count, 'parts?': parts})
  }),
  deleted: envelope => open('acknowledgement', encode(envelope)),
  reconciled: record({frame: bytes(0, 65_536), 'replica?': replica, 'held?': count, 'parts?': parts}),
  stored: record({
    receipt: envelope => open('receipt', encode(envelope)),
    // Outcomes repeat.
    cells: list(placed, 0, 64, () => Symbol('a place'))
  }),
  items: list(itemOf, 0, Infinity, ({id}) => Buffer.from(id).toString('hex')),
  refused: refusal
};

/** What a response says. Throws when it is none, or of a kind that is not read here (`disclosed`). */
export function readResponse(data) {
  const value = decode(data, MESSAGE_BYTES_MAX);
  return value === 'received' ? {received: true} : choice(RESPONSES)(value);
}
