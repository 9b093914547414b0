// Credentials off the beaten path, signed as RDF by the other implementation and judged by both. As in edges-jcs.test.mjs, where
// the two differ the case says which rule decides.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {openBadge} from './badge.mjs';
import * as theirs from './libraries/digitalbazaar.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';

const holder = new Home();
const key = await theirs.newKey();
const badge = openBadge(key.controller, holder.did);

/** The document with what `apply` does to it and to its achievement. */
function changed(document, apply) {
  const copy = structuredClone(document);
  apply(copy, copy.credentialSubject.achievement);
  return copy;
}

const signed = apply => theirs.issue(changed(badge, apply), key, 'eddsa-rdfc-2022');
const credits = number => signed((c, a) => { a.creditsAvailable = number; });
const named = name => signed(c => { c.name = name; });
const profile = (id, members) => ({id, type: ['Profile'], ...members});
/** Two organisations without names, each the parent of the other. */
const cycle = (one, other) => profile(one, {parentOrg: profile(other, {parentOrg: profile(one)})});

const good = await signed(() => {});
const tagged = await signed((c, a) => { a.tag = ['b', 'a', 'c', 'a']; });
const rewritten = (text, by) => {
  assert.ok(JSON.stringify(good).includes(text));
  return JSON.stringify(good).replace(text, by);
};

const accepted = {
  'nodes without names that refer to each other': await signed((c, a) => { a.creator = cycle('_:a', '_:b'); }),
  'nodes without names that nothing tells apart': await signed((c, a) => {
    a.creator = cycle('_:a', '_:b');
    c.credentialSubject.source = cycle('_:c', '_:d');
  }),
  'nodes that are alike': await signed((c, a) => { a.alignment = Array(4).fill(a.alignment[0]); }),
  'texts with everything that is escaped': await signed((c, a) => { a.description = 'Ü€😀\u2028"\\\n\r\t\u0007\u007f\ufeff'; }),
  'a text in a language': await named({'@value': 'Datenbanken', '@language': 'de'}),
  'a text with a direction': await named({'@value': 'Datenbanken', '@language': 'de', '@direction': 'ltr'}),
  'texts in two languages': await named(['de', 'en'].map(language => ({'@value': 'SQL', '@language': language}))),
  'a fraction': await credits(2.5),
  'a number of 21 digits': await credits(1e20),
  'a number of 22 digits': await credits(1e21),
  'minus zero': await credits(-0),
  'the largest exact integer': await credits(2 ** 53),
  'a small fraction': await credits(1.5e-7),
  'null': await signed((c, a) => { a.humanCode = null; }),
  'lists in lists': await signed((c, a) => { a.tag = [['b', 'a'], [], 'c']; }),
  'two subjects': await signed(c => { c.credentialSubject = [c.credentialSubject, {id: key.controller}]; }),
  'dates with fraction and offset': await signed(c => { c.validFrom = '2026-01-01T01:00:00.5+01:00'; }),
  // The same statements, written otherwise.
  'members in another order': Object.fromEntries(Object.entries(good).reverse()),
  'a list where one stood, and one where a list stood': changed(good, c => {
    c.credentialSubject = [{...c.credentialSubject, result: c.credentialSubject.result[0]}];
  }),
  'a list in another order': changed(tagged, (c, a) => a.tag.reverse()),
  'what was said twice, said once': changed(tagged, (c, a) => a.tag.pop()),
  'a context twice': changed(good, c => c['@context'].push(c['@context'][1])),
  'the contexts in the proof': changed(good, c => { c.proof['@context'] = c['@context']; }),
};

const refused = {
  'a member that no context defines': changed(good, c => { c.credentialSubject.detail = 'x'; }),
  'a member of the proof that no context defines': changed(good, c => { c.proof.detail = 'x'; }),
  'a keyword that does not exist': changed(good, c => { c.credentialSubject['@detail'] = 'x'; }),
  'a context that redefines': changed(good, c => c['@context'].push({Achievement: 'https://badges.example/terms#X'})),
  'a context that cannot be had': changed(good, c => c['@context'].push('https://badges.example/context')),
  'a date in another form': changed(good, c => { c.validFrom = '2026-01-01T00:00:00+00:00'; }),
  'a name for the proof': changed(good, c => { c.proof.id = 'urn:example:proof'; }),
  'a graph around it': {'@context': good['@context'], '@graph': [good]},
  'levels told apart no longer': changed(good, (c, a) => { a.resultDescription[0].rubricCriterionLevel.pop(); }),
};

// Ours are read as plain JSON, too, and refuse what a reader of that would miss (VC-DI 2.4.1).
const refusedByOursOnly = {
  'a context inside': await signed(c => {
    c['@context'].push({detail: 'https://badges.example/terms#detail'});
    c.credentialSubject.detail = 'x';
  }),
  'a context inside that defines everything': await signed(c => {
    c['@context'].push({'@vocab': 'https://badges.example/terms#'});
    c.credentialSubject.detail = 'x';
  }),
  'a type by its IRI': await signed(c => c.type.push('https://badges.example/types#Special')),
  'the subject’s id under another name': rewritten('"credentialSubject":{"type":["AchievementSubject"],"id"',
    '"credentialSubject":{"type":["AchievementSubject"],"@id"'),
  'types under another name': rewritten('"type":["Achievement"]', '"@type":["Achievement"]'),
  'something beside the credential': await signed(c => { c['@included'] = [{id: 'urn:example:1', name: 'x'}]; }),
  'a key twice, of which JSON.parse keeps the last (RFC 7493 2.3)':
    rewritten('"name":"Datenbanken I"', '"name":"X","name":"Datenbanken I"'),
  'a tiny number, which theirs sign as 0 and so cannot tell from others (JSON-LD 1.1 API, 8.2.2: 1.0E-7)': await credits(1e-7),
};

test('theirs verify another tiny number in place of the one that was signed', async () => {
  const other = changed(await credits(1e-7), (c, a) => { a.creditsAvailable = 2e-7; });
  assert.equal((await theirs.verify(other)).verified, true);
});

const verdicts = [
  ['both accept', accepted, {theirs: true, ours: true}],
  ['both refuse', refused, {theirs: false, ours: false}],
  ['ours alone refuse', refusedByOursOnly, {theirs: true, ours: false}],
];

for(const [verdict, cases, expected] of verdicts) {
  for(const [name, credential] of Object.entries(cases)) {
    test(`${verdict}: ${name}`, async () => {
      const text = typeof credential === 'string' ? credential : JSON.stringify(credential);
      const {verified, why} = await theirs.verify(JSON.parse(text));
      const {status, output} = holder.verify(text);
      assert.ok(status === 0 || status === NOT_VERIFIED, `exit code ${status}`);
      assert.deepEqual({theirs: verified, ours: status === 0}, expected, `${why} ${JSON.stringify(output)}`);
    });
  }
}
