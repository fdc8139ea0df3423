import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../contracts/content.ts';
import type { AnswerJudgement } from '../../../contracts/policy.ts';
import type { OwnRowsSettings } from '../../../contracts/settings.ts';
import { contradicts, formContradicts } from '../../../gateway/tenants/contradictions.ts';
import { ownRowsJudge, whollyOwn, withContent } from '../../../gateway/tenants/rows.ts';

const SYSTEM = 'https://emr.example/clinics';
const SETTINGS: OwnRowsSettings = {
  marks: [
    { by: 'pointer', path: ['clinic'], value: '7' },
    { by: 'pointer', path: ['managingOrganization', 'reference'], value: 'Organization/7' },
    { by: 'tag', system: SYSTEM, code: 'birch' },
  ],
  shared: ['CapabilityStatement', 'OperationOutcome', 'Medication'],
};
const judge = (content: Json | undefined): AnswerJudgement =>
  ownRowsJudge(SETTINGS)({ status: 200, headers: {}, content });
const tagged = (code: string, system = SYSTEM): JsonObject => ({
  resourceType: 'Patient',
  meta: {
    tag: [
      { system: 'x', code: 'y' },
      { system, code },
    ],
  },
});
const OWN = tagged('birch');
const OTHERS = tagged('cedar');
const bundle = (more: JsonObject, ...resources: Json[]): JsonObject => ({
  resourceType: 'Bundle',
  type: 'searchset',
  ...more,
  entry: resources.map((resource) => ({ resource })),
});

describe('where something has to be there', () => {
  const releaseOf = (each: ReturnType<typeof withContent>, content: Json | undefined) =>
    each({ status: 200, headers: {}, content }).release;

  test('a read that is answered with nothing is hidden: it would say that there is something', () => {
    expect(releaseOf(withContent(ownRowsJudge(SETTINGS)), undefined)).toBe('hidden');
    expect(releaseOf(withContent(ownRowsJudge(SETTINGS)), OWN)).toBe('unchanged');
  });

  test.each([
    ['nothing', undefined, 'hidden'],
    ["another's", OTHERS, 'hidden'],
    ["a list with another's in it", [OWN, OTHERS], 'hidden'],
    ["a bundle with another's in it", bundle({}, OWN, OTHERS), 'hidden'],
    ['its own', OWN, 'unchanged'],
    ['a list of its own', [OWN, OWN], 'unchanged'],
    ['a bundle of its own', bundle({ total: 1 }, OWN), 'unchanged'],
    ['an empty list, which says nothing of whose it is', [], 'hidden'],
    ['an empty bundle', { resourceType: 'Bundle', type: 'searchset' }, 'hidden'],
    [
      "the first page of several, on whose others may be another's",
      bundle({ link: [{ relation: 'next', url: '/x' }] }, OWN),
      'hidden',
    ],
  ] as const)('a change of what is answered as %s', (_what, content, release) => {
    expect(releaseOf(whollyOwn(ownRowsJudge(SETTINGS), undefined), content)).toBe(release);
  });

  test('a list is no answer to a query that names one record: it may be that of an EMR that took no notice', () => {
    const named = whollyOwn(ownRowsJudge(SETTINGS), undefined, true);
    expect([OWN, OTHERS, [OWN], []].map((content) => releaseOf(named, content))).toEqual([
      'unchanged',
      'hidden',
      'hidden',
      'hidden',
    ]);
  });

  test('and then the policy is asked as well', () => {
    const denies = () => ({ release: 'hidden', reasons: [] }) as const;
    expect(releaseOf(whollyOwn(ownRowsJudge(SETTINGS), denies), OWN)).toBe('hidden');
  });
});

describe("a body of another form than it should have, which some EMRs read all the same, is another's", () => {
  test.each([
    ['an entry that is no list', { resourceType: 'Bundle', entry: { request: { method: 'DELETE' } } }],
    ['a request that is a list', { resourceType: 'Bundle', entry: [{ request: [{ method: 'DELETE' }] }] }],
    ['a tag that is no list', { resourceType: 'Patient', meta: { tag: { system: SYSTEM, code: 'cedar' } } }],
    ['a meta that is a list', { resourceType: 'Patient', meta: [{ tag: [] }] }],
  ])('%s', (_what, content) => expect(contradicts(SETTINGS, content as Json, 'POST')).toBe(true));

  test.each([
    [[['clinic', '8']], true],
    [[['Clinic', '8']], true],
    [[['clinic[]', '8']], true],
    [[['clinic', '7']], false],
    [[['clinic', undefined]], true],
    [[['clinic[0]', '8']], true],
    [[['managingOrganization[reference]', 'Organization/8']], true],
    [[['ManagingOrganization[Reference]', 'Organization/8']], true],
    [[['managingOrganization.reference', 'Organization/8']], true],
    [[['managingOrganization', 'Organization/8']], true],
    [[['managingOrganization[reference]', 'Organization/7']], false],
    [[['managingOrganization[display]', 'x']], false],
    [[['', 'x']], false],
    [[['[]', 'x']], false],
    [[['name', 'x']], false],
  ] as const)('fields %j', (fields, is) => expect(formContradicts(SETTINGS, fields)).toBe(is));
});

describe('an answer', () => {
  const HIDDEN: readonly (readonly [string, Json])[] = [
    ['without any mark', { id: 1 }],
    ['with another value', { clinic: '8' }],
    ['with a value that only begins alike', { clinic: '77' }],
    ['with a list in the place of the value', { clinic: ['7'] }],
    ['with true in its place', { clinic: true }],
    ['with a mark deeper than it should be', { of: { clinic: '7' } }],
    ['with the tag of another clinic', OTHERS],
    ['with the code in another system', tagged('birch', 'https://else.example')],
    ['that is a text', '7'],
    ['that is null', null],
    ['that is a bundle whose entries are no list', { resourceType: 'Bundle', entry: OTHERS }],
    ['with a mark that it would inherit', { constructor: { name: '7' } }],
  ];
  test.each(HIDDEN)('%s is hidden', (_, content) => {
    expect(judge(content)).toMatchObject({
      release: 'hidden',
      reasons: [{ code: 'rows-foreign', held: false }],
    });
  });

  const PASSED: readonly (readonly [string, Json | undefined])[] = [
    ['by a field', { clinic: '7', id: 1 }],
    ['by a number', { clinic: 7 }],
    ['by a field below', { managingOrganization: { reference: 'Organization/7' } }],
    ['by a tag among others', OWN],
    ['as nobody’s', { resourceType: 'CapabilityStatement' }],
    ['as having nothing in it', undefined],
    ['as an empty list', []],
    ['as a bundle of its own', bundle({ total: 2 }, OWN, { resourceType: 'Medication' })],
  ];
  test.each(PASSED)('that is known %s passes as it is', (_, content) => {
    expect(judge(content).release).toBe('unchanged');
  });

  test('that is a list loses what is not the clinic’s', () => {
    expect(judge([{ clinic: 8 }, { clinic: 7 }, 'text', null])).toMatchObject({
      release: 'replaced',
      content: [{ clinic: 7 }],
    });
  });

  test('that is a bundle loses entries, deletions, and counts that speak of them', () => {
    const whole = bundle({ total: 3 }, OWN, OTHERS, { resourceType: 'Patient' });
    expect(judge(whole)).toMatchObject({ content: { total: 1, entry: [{ resource: OWN }] } });
    const paged = bundle({ total: 30, link: [{ relation: 'next', url: '/x' }] }, OWN);
    expect(judge(paged)).toMatchObject({ release: 'replaced', content: { entry: [{ resource: OWN }] } });
    expect(JSON.stringify(judge(paged))).not.toContain('30');
    expect(JSON.stringify(judge(bundle({ total: 30 })))).not.toContain('30');
    const history = {
      ...bundle({}, OWN),
      type: 'history',
      entry: [{ resource: OWN }, { request: { method: 'DELETE', url: 'Patient/2' } }],
    };
    expect(judge(history)).toMatchObject({ content: { entry: [{ resource: OWN }] } });
    const nested = bundle({}, bundle({}, OTHERS));
    expect(JSON.stringify(judge(nested))).not.toContain('cedar');
  });

  describe('to a batch', () => {
    const step = (status: string, resource?: Json): JsonObject => ({
      ...(resource === undefined ? {} : { resource }),
      response: {
        status,
        ...(resource === undefined ? { outcome: { resourceType: 'OperationOutcome' } } : {}),
      },
    });
    const answered = (...entry: Json[]): Json => {
      const content: Json = { resourceType: 'Bundle', type: 'batch-response', entry };
      const judged = judge(content);
      const shown = judged.release === 'replaced' ? judged.content : content;
      return ((shown as JsonObject).entry ?? null) as Json;
    };
    const absent = { response: { status: '404 Not Found' } };

    test.each<readonly [string, Json]>([
      ["has another's record", step('200 OK', OTHERS)],
      ['found nothing', step('404 Not Found')],
      ['found something deleted', step('410 Gone')],
      ['says that nothing has changed', step('304 Not Modified')],
      ['says that something is there', step('200 OK')],
      ['is no entry', 'text'],
      ['is a bundle that is none', step('200 OK', { resourceType: 'Bundle', entry: 'x' })],
    ])('a step that %s is as one that found nothing, in its place', (_, entry) => {
      expect(answered(step('200 OK', OWN), entry, step('201 Created'))).toEqual([
        step('200 OK', OWN),
        absent,
        step('201 Created'),
      ]);
    });

    test('what is wrong with a step of its own is told', () => {
      expect(answered(step('422 Unprocessable'))).toEqual([step('422 Unprocessable')]);
    });
  });

  test('never shows a record of others, however records and bundles lie in each other', () => {
    const record = fc.constantFrom<Json>(
      OWN,
      OTHERS,
      { clinic: 7 },
      { clinic: 8, secret: 'foreign' },
      'text',
      null,
    );
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        record,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.array(tie('tree'), { maxLength: 3 }).map((each) => bundle({ total: 9 }, ...each)),
      ),
    }));
    fc.assert(
      fc.property(tree, (content) => {
        const judgement = judge(content);
        if (judgement.release === 'hidden') return;
        const shown = JSON.stringify(
          judgement.release === 'replaced' ? judgement.content : (content ?? null),
        );
        expect(shown).not.toMatch(/cedar|foreign/);
      }),
    );
  });
});

describe('a request', () => {
  const REFUSED: readonly (readonly [string, string, Json])[] = [
    ['that makes a record of others', 'POST', OTHERS],
    ['that says another clinic', 'PUT', { clinic: 8 }],
    ['with one of others in a list', 'POST', [{ clinic: 7 }, { clinic: 8 }]],
    ['that patches the mark', 'PATCH', [{ op: 'replace', path: '/clinic', value: 8 }]],
    ['that patches what holds the mark', 'PATCH', [{ op: 'replace', path: '/meta', value: {} }]],
    ['that patches within the mark', 'PATCH', [{ op: 'add', path: '/meta/tag/0', value: {} }]],
    ['that patches everything', 'PATCH', [{ op: 'replace', path: '', value: {} }]],
    ['that moves the mark away', 'PATCH', [{ op: 'move', from: '/clinic', path: '/x' }]],
    ['with a patch of another kind', 'PATCH', { resourceType: 'Parameters' }],
    ['that says another clinic in other letters, which SQL does not regard', 'POST', { Clinic: 8 }],
    ['that says its own and another in other letters', 'PUT', { clinic: 7, CLINIC: 8 }],
    ['that says another below in other letters', 'PUT', { managingOrganization: { Reference: 'x' } }],
    ['that says another below one in other letters', 'PUT', { ManagingOrganization: { reference: 'x' } }],
    ['with tags in other letters', 'PUT', { resourceType: 'Patient', meta: { Tag: [] } }],
    [
      'with the code of a tag in other letters',
      'PUT',
      { meta: { tag: [{ system: SYSTEM, Code: 'cedar' }] } },
    ],
    ['that patches the mark in other letters', 'PATCH', [{ op: 'replace', path: '/Clinic', value: 8 }]],
    [
      'that patches the mark without the slash',
      'PATCH',
      [{ op: 'replace', path: 'meta/tag/0/code', value: 8 }],
    ],
    ['that patches at a place in other letters', 'PATCH', [{ op: 'replace', Path: '/clinic', value: 8 }]],
    ['that patches nowhere', 'PATCH', [{ op: 'replace', value: 8 }]],
    [
      'with a step that changes what nobody has looked at',
      'POST',
      { resourceType: 'Bundle', entry: [{ request: { method: 'PUT', url: 'Patient/2' }, resource: OWN }] },
    ],
    [
      'with a step that makes a record of others',
      'POST',
      { resourceType: 'Bundle', entry: [{ request: { method: 'POST', url: 'Patient' }, resource: OTHERS }] },
    ],
  ];
  test.each(REFUSED)('%s is refused', (_, method, content) => {
    expect(contradicts(SETTINGS, content, method)).toBe(true);
  });

  test.each<readonly [string, string, Json]>([
    ['that says its own clinic', 'POST', { clinic: 7 }],
    ['that says nothing of it', 'POST', { note: 'x' }],
    ['with tags of other systems', 'POST', tagged('cedar', 'https://else.example')],
    ['that patches another field', 'PATCH', [{ op: 'replace', path: '/clinical', value: 8 }]],
    ['with other fields in capitals', 'PUT', { Clinical: 8, managingOrganization: { Display: 'x' } }],
    [
      'with steps that make its own',
      'POST',
      { resourceType: 'Bundle', entry: [{ request: { method: 'POST', url: 'Patient' }, resource: OWN }] },
    ],
  ])('%s passes', (_, method, content) => {
    expect(contradicts(SETTINGS, content, method)).toBe(false);
  });
});
