import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RequestFacts } from '../../../contracts/facts.ts';
import { readHeaders } from '../../../gateway/canonical/headers.ts';
import { canonicalPath } from '../../../gateway/canonical/path.ts';
import { canonicalQuery } from '../../../gateway/canonical/query.ts';
import { CONTENT_LIMITS } from '../../../gateway/content/limits.ts';
import { readWhole } from '../../../gateway/content/read.ts';
import { createInjectionInspector } from '../../../inspection/injection/index.ts';
import { type AttackCase, attackCases, isHeldOut } from '../../../measure/inspection/attacks/cases.ts';
import { exampleResources, rewritten } from '../../../measure/inspection/clinical/resources.ts';
import { FHIR_ROUTE, json, matchOf } from './support.ts';

// The short form of `npm run measure -- inspection --only attacks,clinical`, without a gateway around it.

const DATA = join(import.meta.dirname, '../../../../shared/data');
const LINES = readFileSync(join(import.meta.dirname, '../clinical-lines.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '');

const inspector = createInjectionInspector();
afterAll(() => inspector.close());
const anything = matchOf();

/** What refuses a case: the canonical form, the reading of the body, or a rule; undefined: nothing. */
function refusal(attack: AttackCase): string | undefined {
  if (/[^\x21-\x7e]/.test(attack.uri) || attack.uri.includes('#')) return 'target';
  const [target = '', ...rest] = attack.uri.split('?');
  const path = canonicalPath(target);
  const query = canonicalQuery(rest.join('?'));
  if (path === undefined || typeof query !== 'object') return 'target';
  const raw = Object.entries(attack.headers).flat();
  const given = Object.keys(attack.headers).map((name) => name.toLowerCase());
  if (attack.body !== null && !given.includes('content-type'))
    raw.push('Content-Type', 'application/x-www-form-urlencoded');
  const read = readHeaders(raw);
  if (typeof read === 'string') return read;
  const mediaType = read.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  const facts = {
    method: attack.method,
    authority: 'emr.example',
    path,
    query: query.text,
    parameters: query.parameters,
    headers: read.headers,
    dropped: read.dropped,
    mediaType,
  } as unknown as RequestFacts;
  const head = inspector.head(facts, anything);
  if (head !== undefined) return head.rule;
  if (attack.body === null || attack.body === '') return undefined;
  const body = readWhole(Buffer.from(attack.body), facts, CONTENT_LIMITS, false);
  return body.ok ? inspector.content(facts, anything, body.content)?.rule : body.rule;
}

describe.runIf(existsSync(join(DATA, 'attacks')))('attacks on a route that takes anything', () => {
  const cases = attackCases();
  const classes = [...new Set(cases.map((each) => each.class))];

  it.each(classes.flatMap((name) => [[name, 1, 0.97] as const, [name, 2, 0.9] as const]))(
    '%s of level %i: at least %f are refused, and of those held out',
    (name, level, least) => {
      const here = cases.filter((each) => each.class === name && each.level === level);
      const held = here.filter(isHeldOut);
      for (const group of [here, held]) {
        const passed = group.filter((each) => refusal(each) === undefined);
        const told = passed.map(({ rule, case: number }) => `${rule}/${number}`).join(', ');
        // One case of a handful is more than a share of it.
        expect(passed.length, told).toBeLessThanOrEqual(
          Math.max(group === held ? 1 : 0, group.length * (1 - least)),
        );
      }
    },
  );
});

describe.runIf(existsSync(join(DATA, 'fhir')))('ordinary resources', () => {
  const facts = { authority: 'emr.example' } as RequestFacts;

  it('are never refused, with their own words and with others', () => {
    let line = 0;
    let state = 8;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      return state / 0x8000_0000;
    };
    for (const resource of exampleResources()) {
      const name = `${resource.resourceType}/${resource.id}`;
      expect(inspector.content(facts, FHIR_ROUTE, json(resource as never)), name).toBeUndefined();
      const other = rewritten(resource, random, () => LINES[line++ % LINES.length] ?? '').resource;
      expect(
        inspector.content(facts, FHIR_ROUTE, json(other as never)),
        `${name}, rewritten`,
      ).toBeUndefined();
    }
    expect(line).toBeGreaterThan(300);
  });
});

describe('clinical prose that looks like something else', () => {
  const facts = { authority: 'emr.example' } as RequestFacts;

  it('is not refused in a resource', () => {
    expect(new Set(LINES).size).toBeGreaterThanOrEqual(1000);
    const refused = LINES.filter(
      (text) =>
        inspector.content(facts, FHIR_ROUTE, json({ resourceType: 'Observation', valueString: text })) !==
        undefined,
    );
    expect(refused).toEqual([]);
  });

  it('is mostly not refused in a form either', () => {
    const refused = LINES.filter(
      (text) => inspector.content(facts, anything, json({ note: text })) !== undefined,
    );
    expect(refused.length / LINES.length).toBeLessThan(0.1);
  });
});
