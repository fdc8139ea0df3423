import fc from 'fast-check';
import { expect, it } from 'vitest';
import { serializeEntry } from '../../activity-log/serialize.ts';
import type { ActivityEntry } from '../../contracts/activity.ts';
import type { Reason } from '../../contracts/reasons.ts';
import { intent, outcome, requestId } from './support/entries.ts';

type Intent = Extract<ActivityEntry, { kind: 'intent' }>;
type Outcome = Extract<ActivityEntry, { kind: 'outcome' }>;

/** Few of each, so that most entries are like one before; and what has to be escaped. */
const text = fc.constantFrom(
  '',
  'a',
  'b',
  'a"b',
  'a\\',
  'a\nb',
  '\u2028',
  '\ud800',
  'ä',
  `${'x'.repeat(300)}`,
);
const reason = fc.record(
  { code: fc.constantFrom('route-matched', 'authenticated'), held: fc.boolean(), detail: text },
  { requiredKeys: ['code', 'held'] },
) as fc.Arbitrary<Reason>;

/** What an entry has to become, put together here once more. */
function expected(entry: Intent | Outcome): string {
  const { reasons, ...fields } = entry;
  const always = ['kind', 'request', 'policy', 'outcome', 'reason', 'status', 'backendStatus', 'micros'];
  if (entry.kind === 'intent') always.push('tenant', 'route', 'method', 'peer');
  const listed = reasons.map(
    ({ code, held, detail }) => `${held ? '+' : '-'}${code}${detail === undefined ? '' : ` ${detail}`}`,
  );
  const known = Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => always.includes(name) || value !== ''),
  );
  return JSON.stringify(sorted({ ...known, ...(listed.length === 0 ? {} : { reasons: listed }) }));
}

function sorted(entry: object): object {
  return Object.fromEntries(Object.entries(entry).sort(([one], [other]) => (one < other ? -1 : 1)));
}

const written = (entry: ActivityEntry): string =>
  JSON.stringify(sorted(JSON.parse(serializeEntry(entry)) as object));

it('writes an entry as it is, whatever entries came before it', () => {
  const intents = fc.record({
    request: text,
    tenant: text,
    route: text,
    method: text,
    peer: text,
    issuer: text,
    subject: text,
    client: text,
    epoch: text,
    policy: text,
    reasons: fc.array(reason, { maxLength: 2 }),
  });
  const outcomes = fc.record({
    request: text,
    tenant: fc.constantFrom('', '', 'a"'),
    subject: fc.constantFrom('', '', 'a"'),
    outcome: fc.constantFrom('permitted', 'denied'),
    reason: text,
    status: fc.nat(),
    micros: fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 })),
    reasons: fc.array(reason, { maxLength: 1 }),
  });
  fc.assert(
    fc.property(intents, outcomes, (one, other) => {
      const entries = [
        { ...intent(requestId()), ...one } as unknown as Intent,
        { ...intent(requestId()), ...one, request: 'again' } as unknown as Intent,
        {
          ...outcome(requestId()),
          route: '',
          method: '',
          peer: '',
          issuer: '',
          client: '',
          ...other,
        } as unknown as Outcome,
      ];
      for (const entry of entries) expect(written(entry)).toBe(expected(entry));
    }),
    { numRuns: 1000 },
  );
});

it('does not take reasons that were added later for those that were written', () => {
  const reasons: Reason[] = [{ code: 'route-matched', held: true }];
  const first = { ...intent(requestId(1)), subject: 'somebody', reasons } as unknown as Intent;
  serializeEntry(first);
  reasons.push({ code: 'client-gone', held: false });
  const second = { ...first, request: requestId(2), reasons: [...reasons] } as unknown as Intent;
  expect(JSON.parse(serializeEntry(second))).toMatchObject({ reasons: ['+route-matched', '-client-gone'] });
});

it('writes nothing that was hung onto an entry like one before', () => {
  const entry = intent(requestId(1));
  serializeEntry(entry);
  const other = { ...entry, request: requestId(2), token: 'hung on by mistake' } as never;
  expect(serializeEntry(other)).not.toContain('token');
});
