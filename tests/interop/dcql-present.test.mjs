// A verifier asks, a home answers (`knack present --dcql`): it shows what dcql would choose, and dcql takes the answer.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {SQL} from './badge.mjs';
import {evaluate, isAnswered} from './libraries/dcql.mjs';
import {expand, verifyPresentation} from './libraries/digitalbazaar.mjs';
import * as jose from './libraries/jose.mjs';
import * as sdJwt from './libraries/sd-jwt.mjs';
import {Home} from './knack.mjs';

const [issuer, holder] = [new Home(), new Home()];
const ASKED = {challenge: 'n-0S6_WzA2Mj', domain: 'https://verifier.example'};
const RUST = 'urn:knackmesh:onet:43232402:rust';
const VCT = 'urn:knackmesh:vct:achievement:1';
const BADGE = 'https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential';

/** What the home holds: of each form one, told apart by its level. */
const held = [
  ['dc+sd-jwt', '2', ['--format', 'sd-jwt', '--skill', RUST, '--skill', SQL]],
  ['dc+sd-jwt', '3', ['--format', 'sd-jwt', '--skill', SQL]],
  ['ldp_vc', '4', ['--format', 'eddsa-rdfc-2022', '--skill', RUST]],
  ['jwt_vc_json', '5', ['--format', 'vc-jwt', '--skill', RUST]],
];

/** A credential as dcql is told of it, by what the other libraries read. */
const readers = {
  'dc+sd-jwt': async text => {
    const {claims} = await sdJwt.verify(text);
    return {types: [claims.vct], claims};
  },
  ldp_vc: async text => typed(JSON.parse(text)),
  jwt_vc_json: async text => typed(await jose.verify(text, 'vc+jwt')),
};
async function typed(claims) {
  const [{'@type': types}] = await expand(claims);
  return {types, claims};
}
const read = async (format, text) => ({format, bound: true, ...await readers[format](text)});

const candidates = [];
for(const [format, level, args] of held) {
  const text = issuer.issue(holder.did, ...args, '--level', level);
  assert.equal(holder.import(text).status, 0);
  candidates.push(await read(format, text));
}

/** What a presentation shows, by what the other libraries read. */
const shown = {
  'dc+sd-jwt': async text => {
    const {claims, binding} = await sdJwt.verify(text, ASKED);
    assert.equal(binding.aud, ASKED.domain);
    return {format: 'dc+sd-jwt', bound: true, types: [claims.vct], claims};
  },
  ldp_vc: async text => {
    const presentation = JSON.parse(text);
    assert.deepEqual(await verifyPresentation(presentation, ASKED), {verified: true, why: undefined});
    return read('ldp_vc', JSON.stringify([presentation.verifiableCredential].flat()[0]));
  },
  jwt_vc_json: async text => {
    const [claims] = await jose.verifyPresentation(text, ASKED);
    return {format: 'jwt_vc_json', bound: true, ...await typed(claims)};
  }
};

const sd = (id, more) => ({id, format: 'dc+sd-jwt', meta: {vct_values: [VCT]}, ...more});
const vc = (id, format, types = [[BADGE]]) => ({id, format, meta: {type_values: types}});
const alignment = ['achievement', 'alignment', null, 'targetUrl'];

const queries = {
  'nothing that can be withheld': {credentials: [sd('a')]},
  'a name': {credentials: [sd('a', {claims: [{path: ['achievement', 'name']}]})]},
  'one skill of two': {credentials: [sd('a', {claims: [{path: alignment, values: [RUST]}]})]},
  'a skill of the second': {credentials: [sd('a', {claims: [
    {path: alignment, values: [SQL]}, {path: ['result', 0, 'value'], values: ['3']}
  ]})]},
  'all skills, and whose they are': {credentials: [sd('a', {claims: [
    {path: alignment}, {path: ['sub'], values: [holder.did]}
  ]})]},
  'the first set of claims that is there': {credentials: [sd('a', {
    claims: [{id: 'x', path: ['grade']}, {id: 'n', path: ['achievement', 'name']}, {id: 'r', path: ['result']}],
    claim_sets: [['x', 'n'], ['r', 'n'], ['r']]
  })]},
  'a badge with a proof': {credentials: [vc('a', 'ldp_vc')]},
  'a badge as a token': {credentials: [vc('a', 'jwt_vc_json')]},
  'a badge in whatever form': {
    credentials: [vc('p', 'ldp_vc', [['https://badges.example/types#Special']]), vc('t', 'jwt_vc_json'), sd('s')],
    credential_sets: [{options: [['p'], ['t', 's'], ['s']]}]
  },
};

for(const [name, query] of Object.entries(queries)) {
  test(`both answer: ${name}`, async () => {
    const {satisfied, parts} = evaluate(query, candidates);
    assert.equal(satisfied, true);
    const rows = holder.present(ASKED, '--dcql', holder.file(query));
    const answers = {};
    for(const {query: id, presentation, disclosed} of rows) {
      const {format} = query.credentials.find(part => part.id === id);
      const answer = await shown[format](presentation);
      // Ours show one of those that will do, and of an SD-JWT what dcql selects and no more.
      const chosen = parts[id].find(({candidate}) => levelOf(candidates[candidate]) === levelOf(answer));
      assert.ok(chosen, levelOf(answer));
      if(format === 'dc+sd-jwt') {
        assert.deepEqual(visible(answer.claims), visible(chosen.claims), disclosed.join(', '));
      }
      answers[id] = [answer];
    }
    assert.ok(isAnswered(query, answers));
  });
}

/** What tells the credentials apart. */
function levelOf({claims: {result, credentialSubject}}) {
  const [{value, achievedLevel}] = result ?? credentialSubject.result;
  return value ?? achievedLevel;
}

/** Of what can be withheld, what claims show: their names, and the skills. What dcql does not select of a list is null. */
function visible({id, sub, achievement = {}}) {
  const {name, description, criteria, alignment = []} = achievement;
  const skills = alignment.filter(Boolean).map(({targetUrl}) => targetUrl);
  return {id, sub, name, description, criteria, skills};
}

const unanswered = {
  'a type that nobody has': {credentials: [sd('a', {meta: {vct_values: ['urn:other']}})]},
  'a claim that is not there': {credentials: [sd('a', {claims: [{path: ['grade']}]})]},
  'a skill that nobody has': {credentials: [sd('a', {claims: [{path: alignment, values: ['urn:other']}]})]},
  'two of which one is not there': {credentials: [sd('a'), vc('b', 'ldp_vc', [['https://badges.example/types#Special']])]},
};
for(const [name, query] of Object.entries(unanswered)) {
  test(`neither answers: ${name}`, () => {
    assert.equal(evaluate(query, candidates).satisfied, false);
    const {status} = holder.run(
      'present', '--challenge', ASKED.challenge, '--domain', ASKED.domain, '--dcql', holder.file(query));
    assert.notEqual(status, 0);
  });
}
