// The second implementation that libp2p.test.mjs speaks with, held to the vectors that ship with the specification.
import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import {test} from 'node:test';

import {
  cellKey, didKey, isCurrent, itemOf, open, publicKey, readItem, readResponse, sign, topicOf, recordKey
} from './second/statements.mjs';
import {decode} from './second/wire.mjs';

const VECTORS = new URL('../../protocol/vectors/', import.meta.url);
const SPOKEN = ['summary', 'tombstone', 'acknowledgement'];

const bytes = written => Buffer.concat([written].flat().map(part =>
  typeof part === 'string' ? Buffer.from(part, 'hex') : Buffer.from(part.repeat.repeat(part.times), 'hex')));
const hex = value => Buffer.from(value).toString('hex');

function vectors(folder, wanted) {
  const url = new URL(`${folder}/`, VECTORS);
  const all = readdirSync(url).map(name => [name, JSON.parse(readFileSync(new URL(name, url), 'utf8'))]);
  const some = all.filter(([, vector]) => wanted(vector));
  assert.ok(some.length > 0, folder);
  return some;
}

/** Refuses with the name of the vector, or accepts; then returns what was read. */
function comesOut(read, {error}) {
  if(error) {
    assert.throws(read, refusal => refusal.code === error || assert.fail(`${refusal} instead of ${error}`));
    return undefined;
  }
  return read();
}

function each(folder, wanted, check) {
  for(const [name, vector] of vectors(folder, wanted)) {
    test(`${folder}/${name}: ${vector.description}`, () => check(vector));
  }
}

each('wire', () => true, vector => comesOut(() => decode(bytes(vector.bytes), Infinity), vector.expect));

each('signed', ({domain}) => SPOKEN.includes(domain), ({domain, envelope, secret, expect}) => {
  const opened = comesOut(() => open(domain, bytes(envelope)), expect);
  if(opened) {
    assert.equal(hex(opened.id), expect.id);
    assert.equal(hex(opened.input), expect.signing_input);
    const body = opened.input.subarray(`knackmesh/1 ${domain}`.length + 1);
    assert.equal(hex(sign(domain, body, bytes(secret))), hex(bytes(envelope)));
    assert.equal(didKey(publicKey(bytes(secret))), expect.signer);
  }
});

// Those with proofs say so by their names.
const plain = vector => (vector.summary ?? vector.tombstone) && !/proof/.test(JSON.stringify(vector.expect) + vector.description);
each('summary', plain, ({summary, tombstone, now, expect}) => {
  const kind = summary ? 'summary' : 'tombstone';
  const opened = comesOut(() => open(kind, bytes(summary ?? tombstone)), expect);
  if(opened) {
    assert.equal(isCurrent(opened.statement, Date.parse(now)), expect.current);
    assert.equal(topicOf(kind, opened.statement.view), expect.topic);
    assert.equal(recordKey(opened.statement.view).toString(), expect.record_key);
  }
});

each('message', vector => vector.item, vector => {
  const read = comesOut(() => readItem(bytes(vector.item)), vector.expect);
  assert.equal(read?.kind, vector.expect.is);
});
each('message', vector => vector.response && vector.expect.is !== 'disclosed', vector => {
  const read = comesOut(() => readResponse(bytes(vector.response)), vector.expect);
  assert.equal(read && Object.keys(read)[0], vector.expect.is);
});

test('message/stored.json: its receipt names the first cell and the item of message/store.json', () => {
  const read = name => vectors('message', vector => vector[name]);
  const [[, request]] = read('request').filter(([file]) => file === 'store.json');
  const [[, response]] = read('response').filter(([file]) => file === 'stored.json');
  const store = decode(bytes(request.request), Infinity).get('store');
  const {receipt: {statement}, cells} = readResponse(bytes(response.response)).stored;
  assert.deepEqual(cells, ['kept', {split: ['DE']}, {refused: 'not_current'}]);
  assert.deepEqual(statement.cells.map(hex), [hex(cellKey(store.get('cells')[0]))]);
  assert.deepEqual(statement.items.map(hex), store.get('items').map(one => hex(itemOf(one).id)));
});
