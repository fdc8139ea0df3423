import { describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../../contracts/settings.ts';
import { compilePolicy } from '../../../policies/index.ts';

const compile = (inspect: unknown) =>
  compilePolicy(
    'emr',
    {
      routes: [{ id: 'page', methods: ['GET'], path: '/page', scopes: ['emr/page'], inspect }],
    } as unknown as PolicyDocument,
    { hideDeadlineMs: 200 },
  );

const faults = (inspect: unknown): readonly string[] => {
  const result = compile(inspect);
  return result.ok ? [] : result.faults.map(({ pointer }) => pointer);
};

describe('what a route says of injections', () => {
  it('blocks, without exceptions, unless it says so', () => {
    const without = compile(undefined);
    const empty = compile({ injection: {} });
    expect(without.ok && without.policy.routes[0]?.inspect?.injection).toBeUndefined();
    expect(empty.ok && empty.policy.routes[0]?.inspect?.injection).toEqual({
      mode: 'block',
      except: [],
      prose: [],
    });
  });

  it('reports where it says "report"', () => {
    const result = compile({ injection: { mode: 'report' } });
    expect(result.ok && result.policy.routes[0]?.inspect?.injection?.mode).toBe('report');
  });

  it.each([
    ['another mode', { mode: 'off' }, '/routes/0/inspect/injection/mode'],
    [
      'a rule that is none',
      { except: [{ place: 'form:a', rule: 'sql' }] },
      '/routes/0/inspect/injection/except/0/rule',
    ],
    ['every rule', { except: [{ place: 'form:a', rule: '*' }] }, '/routes/0/inspect/injection/except/0/rule'],
    [
      'every place',
      { except: [{ place: '*', rule: 'sql-quote' }] },
      '/routes/0/inspect/injection/except/0/place',
    ],
    [
      'every field',
      { except: [{ place: 'form:*', rule: 'sql-quote' }] },
      '/routes/0/inspect/injection/except/0/place',
    ],
    [
      'a whole body',
      { except: [{ place: 'body', rule: 'sql-quote' }] },
      '/routes/0/inspect/injection/except/0/place',
    ],
    [
      'no place',
      { except: [{ place: '', rule: 'sql-quote' }] },
      '/routes/0/inspect/injection/except/0/place',
    ],
  ])('%s is a fault', (_, injection, pointer) => {
    expect(faults({ injection })).toEqual([pointer]);
  });

  it.each([
    'query:q',
    'form:note',
    'part:scan',
    'file:scan',
    'header:x-note',
    'cookie:theme',
    'path:2',
    '/note/0/text',
    '/items/*/note',
  ])('%s is a place', (place) =>
    expect(faults({ injection: { except: [{ place, rule: 'sql-quote' }] } })).toEqual([]),
  );
});
