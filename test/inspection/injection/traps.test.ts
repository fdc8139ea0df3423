import { afterAll, describe, expect, it } from 'vitest';
import { Engine, outcomeOf, WINDOW, windowsOf } from '../../../inspection/injection/engine.ts';
import { createInjectionInspector } from '../../../inspection/injection/index.ts';
import { expression } from '../../../inspection/injection/rule.ts';
import { factsOf, form, json, matchOf } from './support.ts';

// What the engine leaves out without a word, and what is done about it.

const engine = new Engine([
  expression('sql-union', ['parameter'], 'needle[0-9]'),
  expression('sql-quote', ['parameter'], 'other[0-9]'),
]);
const inspector = createInjectionInspector();
afterAll(() => {
  engine.close();
  inspector.close();
});

const run = (...texts: string[]) => engine.run(new Map([['parameter', texts]]), 5000);
const facts = factsOf({});
const ATTACK = "1' UNION SELECT password FROM users--";

describe('a long text', () => {
  it.each([4090, 4096, 4097, 5000, 70_000])('of %i characters is judged to its end', (length) => {
    const outcome = run(`${'a'.repeat(length)}needle1`);
    expect(outcome).toMatchObject({ ok: true, matches: [{ rule: 'sql-union', index: 0 }] });
  });

  it('of characters of several bytes is judged to its end', () => {
    for (const filler of ['é', '界', '😀']) {
      expect(run(`${filler.repeat(5000)}needle1`), filler).toMatchObject({ ok: true, matches: [{}] });
    }
  });

  it('is judged wherever a finding stands, also across the edges of windows', () => {
    for (let at = WINDOW - 20; at < WINDOW + 20; at += 1) {
      const text = `${'a'.repeat(at)}needle1${'b'.repeat(3000)}`;
      expect(run(text), String(at)).toMatchObject({ ok: true, matches: [{ index: 0 }] });
    }
  });

  it('loses and parts nothing in its windows', () => {
    const text = Array.from({ length: 4000 }, (_, index) =>
      index % 7 === 0 ? '😀' : String(index % 10),
    ).join('');
    const windows = windowsOf(text);
    for (const window of windows) {
      expect(Buffer.byteLength(window)).toBeLessThanOrEqual(4096);
      expect(window.isWellFormed()).toBe(true);
    }
    for (let at = 0; at + 200 <= text.length; at += 50) {
      const piece = text.slice(at, at + 200);
      if (piece.isWellFormed()) expect(windows.some((window) => window.includes(piece))).toBe(true);
    }
  });

  it('cannot hide an attack behind white space or a comment', () => {
    const padded = `1' UNION ${' '.repeat(6000)} SELECT password FROM users--`;
    const commented = `1' UNION/*${'x'.repeat(6000)}*/SELECT password FROM users--`;
    for (const value of [padded, commented, 'x'.repeat(9000) + ATTACK]) {
      expect(inspector.content(facts, matchOf(), form({ q: value }))?.reason).toBe('injection-suspected');
    }
  });
});

describe('many texts', () => {
  it.each([255, 256, 257, 1000, 5000])('%i of them are judged to the last', (count) => {
    const outcome = run(...Array.from({ length: count - 1 }, () => 'plain'), 'needle1');
    expect(outcome).toMatchObject({ ok: true, matches: [{ index: count - 1 }] });
  });

  it('that are more than can be judged are refused, not cut', () => {
    expect(run(...Array.from({ length: 256 * 256 + 1 }, () => 'plain'))).toEqual({ ok: false, cause: 'cut' });
  });

  it('in an array of JSON are judged to the last', () => {
    const list = [...Array.from({ length: 1500 }, (_, index) => `item ${index}`), ATTACK];
    expect(inspector.content(facts, matchOf(), json({ list }))).toMatchObject({ place: '/list/1500' });
  });
});

describe('depth', () => {
  it.each([17, 19, 20, 60])('%i levels down a text is judged', (depth) => {
    let value: object | string = ATTACK;
    for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? { a: value } : [value];
    expect(inspector.content(facts, matchOf(), json(value as never))?.reason).toBe('injection-suspected');
  });
});

describe('every rule counts', () => {
  it('though another one held first', () => {
    const outcome = run('needle1 other1');
    expect(outcome.ok && new Set(outcome.matches.map(({ rule }) => rule))).toEqual(
      new Set(['sql-union', 'sql-quote']),
    );
  });

  it('of one rule one match is told, so that what is excepted has to be asked about again', () => {
    const outcome = run('needle1', 'needle2');
    expect(outcome.ok && outcome.matches).toHaveLength(1);
  });
});

describe('an answer that is none is a refusal', () => {
  const rules = new Map([['r', 'sql-union' as const]]);
  const origins = new Map([['parameter', [0]]]);

  it('a timeout', () => {
    const texts = Array.from({ length: 200 }, () => 'needle '.repeat(140));
    expect(engine.run(new Map([['parameter', texts]]), 0.001)).toEqual({ ok: false, cause: 'timeout' });
  });

  it.each([
    ['a timeout that is told', { timeout: true }, 'timeout'],
    ['nothing of a timeout', {}, 'timeout'],
    ['a text that was cut', { timeout: false, metrics: { maxTruncatedString: 5000 } }, 'cut'],
    ['a list that was cut', { timeout: false, metrics: { maxTruncatedContainerSize: 300 } }, 'cut'],
    ['nesting that was cut', { timeout: false, metrics: { maxTruncatedContainerDepth: 20 } }, 'cut'],
    ['an error', { timeout: false, errorCode: -127 }, 'error'],
    [
      'a rule that nobody knows',
      { timeout: false, events: [{ rule: { id: 'x' }, rule_matches: [] }] },
      'error',
    ],
    [
      'a place that nobody gave',
      {
        timeout: false,
        events: [
          {
            rule: { id: 'r' },
            rule_matches: [{ parameters: [{ address: 'parameter', key_path: ['7', '7'] }] }],
          },
        ],
      },
      'error',
    ],
  ])('%s', (_, result, cause) => {
    expect(outcomeOf(result as never, rules, origins)).toEqual({ ok: false, cause });
  });

  it('of an engine that was put away', () => {
    const gone = new Engine([expression('sql-union', ['parameter'], 'needle')]);
    gone.close();
    expect(gone.run(new Map([['parameter', ['x']]]), 100)).toEqual({ ok: false, cause: 'error' });
  });

  it('and an inspector says so in place of a finding, in report mode too', () => {
    const closed = createInjectionInspector();
    closed.close();
    const finding = closed.content(
      facts,
      matchOf({ mode: 'report', except: [], prose: [] }),
      form({ q: ATTACK }),
    );
    expect(finding).toMatchObject({ reason: 'inspection-failed', rule: 'engine-error' });
    expect(finding?.reportOnly).toBeUndefined();
  });
});

describe('an engine that does not take every rule', () => {
  it('is no engine', () => {
    expect(() => new Engine([expression('sql-union', ['parameter'], '(?<=x)y')])).toThrow(/does not take/);
  });
});
