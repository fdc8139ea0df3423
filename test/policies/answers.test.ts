import { describe, expect, it } from 'vitest';
import type { AnswerRulesDocument } from '../../contracts/answer-rules.ts';
import type { RouteDocument } from '../../contracts/settings.ts';
import { compilePolicy } from '../../policies/index.ts';
import { faultsOfRoutes, policyOf } from './support.ts';

const route = (answers: AnswerRulesDocument, more: Partial<RouteDocument> = {}): RouteDocument => ({
  id: 'chart',
  methods: ['GET'],
  path: '/chart/{id}',
  credential: 'session',
  scopes: ['emr'],
  answers,
  ...more,
});

describe('what answers mean', () => {
  it('makes the route hide, since an answer that says "not there" needs one to hide in', () => {
    const hideOf = (...args: Parameters<typeof route>) => policyOf(route(...args)).routes[0]?.hide;
    expect(hideOf({ hidden: [{ bodyContains: 'No such patient' }] })).toBe('record');
    expect(hideOf({ hidden: [{ bodyContains: 'No such patient' }] }, { hide: 'collection' })).toBe(
      'collection',
    );
    expect(hideOf({ failed: [{ bodyContains: 'Query Error' }] })).toBe('none');
    expect(
      faultsOfRoutes(route({ hidden: [{ bodyContains: 'No such patient' }] }, { hide: 'none' })),
    ).toEqual([
      '/routes/0/hide: answers that are "hidden" need a class to hide in: "record" or "collection"',
    ]);
  });

  it.each<[string, AnswerRulesDocument, RegExp]>([
    ['nothing', {}, /\/answers: says nothing/],
    ['a pattern of nothing, which is everything', { failed: [{}] }, /\/failed\/0: matches everything/],
    ['a text of almost nothing', { failed: [{ bodyContains: '   x' }] }, /begin with at least 4 characters/],
    [
      'a pattern that begins anywhere',
      { hidden: [{ bodyMatches: '*not found' }] },
      /must not begin or end with "\*"/,
    ],
    [
      'a pattern that begins with too little',
      { hidden: [{ bodyMatches: 'No *patient' }] },
      /at least 4 characters/,
    ],
    ['a pattern that reaches too far', { hidden: [{ bodyMatches: 'four*a*b*c*d' }] }, /more than 3 "\*"/],
    [
      'both ways to say it',
      { hidden: [{ bodyMatches: 'aaaa*b', bodyContains: 'aaaa' }] },
      /excludes "bodyContains"/,
    ],
    ['a text that is too long', { hidden: [{ bodyContains: 'x'.repeat(201) }] }, /longer than 200/],
    ['control characters', { hidden: [{ bodyContains: 'abcd\u0000' }] }, /control characters/],
    ['another site', { hidden: [{ location: 'https://elsewhere.example/' }] }, /must be a path/],
    ['a status that never passes', { hidden: [{ status: [404] }] }, /from 200 to 399/],
    ['a sign that is none', { except: ['everything'] }, /is not a sign of errors; there are trace-php/],
    ['more than can be held', { maxBytes: 1024 ** 3 }, /from 1024 to/],
  ])('cannot be %s', (_what, answers, message) => {
    const faults = faultsOfRoutes(route(answers));
    expect(faults.join('\n')).toMatch(message);
    expect(faults.every((fault) => fault.startsWith('/routes/0/answers'))).toBe(true);
  });

  it('can be said for a whole policy, is part of its digest, and has the same faults', () => {
    const compile = (answers: AnswerRulesDocument) =>
      compilePolicy(
        'p',
        { file: 'p.yaml', answers, routes: [route({ failed: [{ bodyContains: 'Query Error' }] })] },
        { hideDeadlineMs: 250 },
      );
    const one = compile({ failed: [{ bodyContains: 'Call the help desk' }] });
    const other = compile({ failed: [{ bodyContains: 'Call the front desk' }] });
    if (!one.ok || !other.ok) throw new Error('faults');
    expect(one.policy.answers?.failed).toHaveLength(1);
    expect(one.policy.digest).not.toBe(other.policy.digest);
    expect(compile({ except: ['nothing'] })).toMatchObject({
      ok: false,
      faults: [{ pointer: '/answers/except/0' }],
    });
  });
});
