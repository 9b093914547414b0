// A real node that keeps cells, and js-libp2p with the second implementation: what is stored in a cell and promised by a
// receipt, found there and nowhere else, and what the node must refuse. Every test has skills of its own, and every peer is
// a party of its own, since they are on one machine.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import {decode as base58} from 'base58-universal';

import {Peer} from './libraries/libp2p.mjs';
import {Home} from './knack.mjs';
import {
  MESSAGE_BYTES_MAX, cellKey, didKey, epochOf, messageId, newSecret, nodeKey, open, pathOf, publicKey, readResponse, sign
} from './second/statements.mjs';
import {decode, encode, framed, unframed, varint} from './second/wire.mjs';

const RPC = '/knack/rpc/1';
const HOUR_MS = 3_600_000;
const CLOCK_SKEW_MAX_MS = 120_000;
const CELL_PARTY_BURST = 16;
const STORE_CELLS_MAX = 64;
const STORE_ITEMS_MAX = 32;
const EPOCH_MAX = 2 ** 32 - 1;
const TODAY = epochOf(Date.now());

const keeper = await new Home({replica: 'cells'}).up();
const start = async(node = keeper) => {
  const peer = await Peer.start({messageId});
  await peer.dial(node.address);
  return peer;
};
after(async() => {
  await Peer.stopAll();
  await keeper.stop();
});

const hex = bytes => Buffer.from(bytes).toString('hex');
const sorted = ids => ids.map(hex).sort();
const refused = reason => ({refused: reason});
let skills = 0;
/** A skill that no other test has. */
const newSkill = () => `urn:knackmesh:skill:cells-${skills++}`;
const cell = (skill, fields = {}) => ({skill, path: '', half: 0, epoch: TODAY, ...fields});
const halves = (skill, fields = {}) => [0, 1].map(half => cell(skill, {...fields, half}));
const others = (count, fields) => Array.from({length: count}, () => cell(newSkill(), fields));

/** A new view's summary that claims these skills: `view`, `secret`, `id`, and the item as a value. */
function holder(claimed, {terms = {}, issued = Date.now(), expires = issued + HOUR_MS, domain = 'summary'} = {}) {
  const secret = newSecret();
  const view = publicKey(secret);
  const envelope = sign(domain, {
    view, sequence: issued, issued, expires,
    content: {claims: claimed.map(skill => ({skill, level: 3, tier: 'claimed'})), headline: 'Cells', terms},
    reach: {direct: base58(keeper.id)}, present: 'ask', consent: new Uint8Array(32)
  }, secret);
  const item = {summary: decode(envelope, Infinity)};
  return {view, secret, issued, expires, item, id: domain === 'summary' && open('summary', envelope).id};
}

const asking = async(peer, bytes, node = keeper) => unframed(await peer.exchange(node.address, RPC, framed(bytes)), MESSAGE_BYTES_MAX);
const request = async(peer, content, node) => readResponse(await asking(peer, encode(content), node));
const store = (peer, cells, holders, node) => request(peer, {store: {cells, items: holders.map(({item}) => item)}}, node);
const find = (peer, at, {min = 1, ...more} = {}, node = keeper) =>
  request(peer, {find: {query: {skill: {any_of: [at.skill], min, max: 5}}, limit: 200, cell: at, ...more}}, node);
const held = async peer => (await request(peer, {find: {query: {text: 'cells'}, limit: 0}})).leads.held;

/** What is stored has these outcomes, and a receipt of the node for the cells that are kept and for these holders. */
function promises({stored}, outcomes, cells, holders, node = keeper) {
  assert.deepEqual(stored.cells, outcomes);
  const {statement} = stored.receipt;
  assert.equal(didKey(statement.node), didKey(nodeKey(base58(node.id))), 'signed by the node that was asked');
  assert.deepEqual(statement.cells.map(hex), sorted(cells.filter((_, at) => outcomes[at] === 'kept').map(cellKey)));
  assert.deepEqual(statement.items.map(hex), sorted(holders.map(({id}) => id)));
  assert.ok(Math.abs(statement.at - Date.now()) < CLOCK_SKEW_MAX_MS, `at ${statement.at}`);
}

/** A cell has these holders, and the node says how many there are. */
async function has(peer, at, holders) {
  const {leads} = await find(peer, at);
  assert.deepEqual(sorted(leads.summaries.map(lead => open('summary', lead).id)), sorted(holders.map(({id}) => id)));
  assert.deepEqual(leads.cell, {count: holders.length});
  assert.equal(leads.matched, holders.length);
  assert.equal(leads.replica, 'cells');
}
const hasNot = async(peer, at) => assert.deepEqual(await find(peer, at), refused('not_kept'));

test('cells: what is stored in both halves is kept, promised, and found in both', async() => {
  const [peer, seeker] = [await start(), await start()];
  const skill = newSkill();
  const one = holder([skill]);
  const before = await held(peer);
  promises(await store(peer, halves(skill), [one]), ['kept', 'kept'], halves(skill), [one]);
  assert.equal(await held(peer), before + 1, 'it is one summary in two places');
  for(const at of halves(skill)) {
    await has(seeker, at, [one]);
    const {leads} = await find(seeker, at, {min: 4});
    assert.deepEqual([leads.summaries, leads.matched, leads.cell], [[], 0, {count: 1}], 'the cell is more than who matches');
    assert.deepEqual((await find(seeker, at, {skip: 1})).leads.summaries, [], 'the best one was had already');
  }
  promises(await store(seeker, halves(skill), [one]), ['kept', 'kept'], halves(skill), [one]);
  await has(seeker, cell(skill), [one]);
});

test('cells: a receipt that was changed does not verify', async() => {
  const peer = await start();
  const skill = newSkill();
  const one = holder([skill]);
  const answer = await asking(peer, encode({store: {cells: [cell(skill)], items: [one.item]}}));
  assert.ok(readResponse(answer).stored);
  const changed = Buffer.from(answer);
  changed[changed.indexOf(Buffer.from(cellKey(cell(skill))))] ^= 1;
  assert.throws(() => readResponse(changed), {code: 'signature'});
});

test('cells: who is not full answers for no cell that nobody stored in', async t => {
  const peer = await start();
  const skill = newSkill();
  const one = holder([skill]);
  await store(peer, [cell(skill)], [one]);
  for(const [name, at] of Object.entries({
    'another skill': cell(newSkill()), 'the other half': cell(skill, {half: 1}), 'a part of it': cell(skill, {path: '-'}),
    'yesterday’s': cell(skill, {epoch: TODAY - 1}), 'tomorrow’s': cell(skill, {epoch: TODAY + 1}),
    'of the last day there is': cell(skill, {epoch: EPOCH_MAX})
  })) {
    await t.test(name, () => hasNot(peer, at));
  }
  await has(peer, cell(skill), [one]);
  const nothing = Buffer.from('6100000200', 'hex');
  const compare = scope => request(peer, {reconcile: {as_of: Date.now(), frame: nothing, scope}});
  // The answer: one range without end, as a list of one id.
  const {reconciled} = await compare({cell: cell(skill)});
  assert.equal(hex(reconciled.frame), `6100000201${hex(one.id)}`);
  // Who does not keep the cell has nothing in it, and is given what it lacks.
  const other = await compare({cell: cell(skill, {half: 1})});
  assert.equal(hex(other.reconciled.frame), hex(nothing));
  assert.deepEqual(await compare({cell: cell(skill, {epoch: TODAY + 2})}), refused('not_current'));
  assert.deepEqual(await compare(undefined), refused('not_kept'));
});

test('cells: what does not belong there is not current', async t => {
  const peer = await start();
  const skill = newSkill();
  const one = holder([skill]);
  const german = holder([skill], {terms: {region: 'DE-BE'}});
  const bits = pathOf(one.view, undefined, 13);
  const wrong = bits.slice(0, -1) + (bits.endsWith('1') ? '0' : '1');
  const ended = holder([skill], {issued: Date.now() - HOUR_MS, expires: Date.now() - 1});
  const before = await held(peer);
  for(const [name, at, who] of [
    ['the day before yesterday', cell(skill, {epoch: TODAY - 2}), one], ['the day after tomorrow', cell(skill, {epoch: TODAY + 2}), one],
    ['the first day', cell(skill, {epoch: 0}), one], ['the last day', cell(skill, {epoch: EPOCH_MAX}), one],
    ['a skill that it does not claim', cell(newSkill()), one], ['a country that it does not state', cell(skill, {path: 'DE'}), one],
    ['no country, where it states one', cell(skill, {path: '-'}), german], ['the bits of another view', cell(skill, {path: wrong}), one],
    ['a lease that has ended', cell(skill), ended]
  ]) {
    await t.test(name, async() => {
      promises(await store(peer, [at], [who]), [refused('not_current')], [at], []);
      await hasNot(peer, at);
    });
  }
  assert.equal(await held(peer), before, 'nothing of it is held');
  await t.test('beside what does', async() => {
    const cells = [cell(newSkill()), cell(skill), cell(skill, {epoch: TODAY + 2})];
    promises(await store(peer, cells, [one]), [refused('not_current'), 'kept', refused('not_current')], cells, [one]);
    await has(peer, cell(skill), [one]);
  });
  await t.test('parts where it does', async() => {
    const cells = [1, 2, 13].map(splits => cell(skill, {path: pathOf(german.view, 'DE-BE', splits)}));
    promises(await store(peer, cells, [german]), cells.map(() => 'kept'), cells, [german]);
    for(const at of cells) {
      const {leads} = await find(peer, at);
      assert.deepEqual(leads.cell, {count: 1});
      assert.deepEqual(sorted(leads.summaries.map(lead => open('summary', lead).id)), sorted([one.id, german.id]), 'all that is held');
    }
  });
});

test('cells: a party has its turns in each cell, and others have theirs', async() => {
  const [peer, other] = [await start(), await start()];
  const skill = newSkill();
  const at = cell(skill);
  const many = Array.from({length: CELL_PARTY_BURST + 2}, () => holder([skill]));
  const [within, [next, last]] = [many.slice(0, CELL_PARTY_BURST), many.slice(CELL_PARTY_BURST)];
  for(const one of within) {
    promises(await store(peer, [at], [one]), ['kept'], [at], [one]);
  }
  for(const one of [next, last]) {
    promises(await store(peer, [at], [one]), [refused('busy')], [at], []);
  }
  await has(peer, at, within);
  promises(await store(peer, [at], [within[0]]), ['kept'], [at], [within[0]]);
  const half = cell(skill, {half: 1});
  promises(await store(peer, [at, half], [next]), [refused('busy'), 'kept'], [at, half], [next]);
  promises(await store(other, [at], [last]), ['kept'], [at], [last]);
  const {leads} = await find(other, at);
  assert.deepEqual(leads.cell, {count: CELL_PARTY_BURST + 1});
});

test('cells: of more at once than there are turns, those are kept for which there are', async() => {
  const peer = await start();
  const at = cell(newSkill());
  const many = Array.from({length: STORE_ITEMS_MAX}, () => holder([at.skill]));
  const {stored} = await store(peer, [at], many);
  const promised = stored.receipt.statement.items.map(hex);
  assert.equal(promised.length, CELL_PARTY_BURST);
  await has(peer, at, many.filter(({id}) => promised.includes(hex(id))));
});

test('cells: a receipt names no cell that lacks somebody who belongs there', async() => {
  const peer = await start();
  const [full, free] = [cell(newSkill()), cell(newSkill())];
  const within = Array.from({length: CELL_PARTY_BURST}, () => holder([full.skill]));
  promises(await store(peer, [full], within), ['kept'], [full], within);
  const both = holder([full.skill, free.skill]);
  const answer = await store(peer, [full, free], [within[0], both]);
  const {leads} = await find(peer, full);
  assert.deepEqual(leads.cell, {count: CELL_PARTY_BURST});
  promises(answer, [refused('busy'), 'kept'], [full, free], [within[0], both]);
});

test('cells: who withdraws is in none of them', async() => {
  const peer = await start();
  const skill = newSkill();
  const [gone, stays] = [holder([skill]), holder([skill])];
  await store(peer, halves(skill), [gone, stays]);
  await has(peer, cell(skill), [gone, stays]);
  const {view, secret, issued, expires} = gone;
  const tombstone = sign('tombstone', {view, ceiling: issued, issued, until: expires}, secret);
  assert.ok((await request(peer, {withdraw: decode(tombstone, Infinity)})).deleted);
  for(const at of halves(skill)) {
    await has(peer, at, [stays]);
  }
  const again = await store(peer, halves(skill), [gone]);
  promises(again, [refused('not_current'), refused('not_current')], halves(skill), []);
  await has(peer, cell(skill), [stays]);
});

test('cells: the longest request to store is answered', async() => {
  const peer = await start();
  const many = Array.from({length: STORE_ITEMS_MAX}, () => holder([newSkill()]));
  const cells = many.flatMap(({item}) => halves(open('summary', encode(item.summary)).statement.content.claims[0].skill));
  assert.equal(cells.length, STORE_CELLS_MAX);
  promises(await store(peer, cells, many), cells.map(() => 'kept'), cells, many);
  await has(peer, cells[0], many.slice(0, 1));
});

test('cells: what is no request to store is refused, and harms nobody', async t => {
  const peer = await start();
  const skill = newSkill();
  const [one, stranger] = [holder([skill]), holder([skill])];
  const good = {cells: [cell(skill)], items: [one.item]};
  const before = await held(peer);
  const signature = one.item.summary.get('signature').map((byte, at) => at === 40 ? byte ^ 1 : byte);
  const changed = {summary: new Map([...one.item.summary, ['signature', signature]])};
  const unfit = {
    'one cell too many': {cells: others(STORE_CELLS_MAX + 1)},
    'ten thousand cells': {cells: others(10_000)},
    'one item too many': {items: Array.from({length: STORE_ITEMS_MAX + 1}, () => holder([skill]).item)},
    'no cells at all': {cells: undefined},
    'a third half': {cells: [cell(skill, {half: 2})]},
    'half a half': {cells: [cell(skill, {half: true})]},
    'a day before the first': {cells: [cell(skill, {epoch: -1})]},
    'a day beyond the last': {cells: [cell(skill, {epoch: EPOCH_MAX + 1})]},
    'a country in lower case': {cells: [cell(skill, {path: 'de'})]},
    'bits of nothing': {cells: [cell(skill, {path: '/0'})]},
    'more splits than there are': {cells: [cell(skill, {path: `DE/${'0'.repeat(13)}`})]},
    'a skill that is none': {cells: [cell('rust')]},
    'a cell with more in it': {cells: [cell(skill, {more: 1})]},
    'a cell with less in it': {cells: [cell(skill, {epoch: undefined})]},
    'a summary that was changed': {items: [stranger.item, changed]},
    'a statement of another kind': {items: [holder([skill], {domain: 'tombstone'}).item]},
    'an envelope without an item around it': {items: [one.item.summary]},
    'a find in its place': {find: 1}
  };
  for(const [name, fields] of Object.entries(unfit)) {
    await t.test(name, async() => {
      const answer = await request(peer, {store: {...good, ...fields}});
      assert.deepEqual(answer, refused('malformed'));
    });
  }
  for(const [name, bytes] of Object.entries({
    'a length beyond the bound': varint(MESSAGE_BYTES_MAX + 1),
    'more bytes than the bound': framed(encode({store: {...good, cells: others(20_000)}}))
  })) {
    await t.test(name, async() => {
      assert.ok(bytes.length < 10 || bytes.length > MESSAGE_BYTES_MAX);
      const answer = await peer.exchange(keeper.address, RPC, bytes).catch(() => Buffer.alloc(0));
      assert.equal(answer.length, 0);
    });
  }
  for(const other of [peer, await start()]) {
    await hasNot(other, cell(skill));
    assert.equal(await held(other), before, 'nothing of it is held');
  }
  promises(await store(peer, good.cells, [one]), ['kept'], good.cells, [one]);
  await has(await start(), cell(skill), [one]);
});

test('cells: a full replica answers for every cell of today', async() => {
  const node = await new Home({replica: 'full'}).up();
  const peer = await start(node);
  const skill = newSkill();
  const one = holder([skill]);
  const empty = (await find(peer, cell(skill), {}, node)).leads;
  assert.deepEqual([empty.summaries, empty.replica, empty.cell], [[], undefined, {count: 0}]);
  promises(await store(peer, [cell(skill)], [one], node), ['kept'], [cell(skill)], [one], node);
  for(const at of halves(skill)) {
    const {leads} = await find(peer, at, {}, node);
    assert.deepEqual(leads.summaries.map(lead => hex(open('summary', lead).id)), [hex(one.id)]);
    assert.deepEqual(leads.cell, {count: 1});
  }
  assert.deepEqual(await find(peer, cell(skill, {epoch: TODAY - 2}), {}, node), refused('not_kept'));
  await node.stop();
});
