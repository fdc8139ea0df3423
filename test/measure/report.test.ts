import { expect, test } from 'vitest';
import {
  type Floor,
  type FloorState,
  floorState,
  formatFloor,
  formatResult,
  formatTable,
  isOk,
  type MeasureResult,
  toJson,
} from '../../measure/report.ts';

const floor: Floor = {
  name: 'speed',
  bound: 'at-least',
  limit: 5,
  unit: '×',
  measured: 5,
  optional: false,
};

const result: MeasureResult = { tables: [], floors: [], problems: [], notes: [], figures: { speed: 7 } };

test.each<[Partial<Floor>, FloorState, string]>([
  [{}, 'met', 'exactly at the limit'],
  [{ measured: 4.99 }, 'missed', 'just under it'],
  [{ bound: 'at-most', measured: 5.01 }, 'missed', 'just over it'],
  [{ bound: 'at-most', measured: 0 }, 'met', 'well below it'],
  [{ measured: undefined }, 'not measured', 'no figure'],
  [{ measured: Number.NaN }, 'not measured', 'not a number'],
  [{ measured: undefined, optional: true }, 'passed over', 'nothing to compare with'],
  [{ measured: 1, optional: true }, 'missed', 'optional, but measured'],
])('a floor with %j is %s: %s', (change, state) => {
  expect(floorState({ ...floor, ...change })).toBe(state);
});

test('a result is good only when every floor is met and nothing makes it doubtful', () => {
  expect(isOk({ ...result, floors: [floor] })).toBe(true);
  expect(isOk({ ...result, floors: [floor, { ...floor, measured: 1 }] })).toBe(false);
  expect(isOk({ ...result, floors: [{ ...floor, measured: undefined }] })).toBe(false);
  expect(isOk({ ...result, floors: [{ ...floor, measured: undefined, optional: true }] })).toBe(true);
  expect(isOk({ ...result, problems: ['an answer was 503'] })).toBe(false);
});

test('a table lines its columns up', () => {
  const text = formatTable({
    title: 'T',
    columns: [
      { title: 'name', align: 'left' },
      { title: 'n', align: 'right' },
    ],
    rows: [['a', '1,000'], ['longer'], ['b', '7']],
    footnotes: ['f'],
  });
  expect(text.split('\n')).toEqual([
    'T',
    '',
    'name        n',
    '------  -----',
    'a       1,000',
    'longer',
    'b           7',
    '',
    'f',
  ]);
});

test('a person is told of floors and problems', () => {
  const text = formatResult({
    ...result,
    floors: [{ ...floor, measured: 4 }],
    problems: ['x'],
    notes: ['y'],
  });
  expect(text).toContain('MISSED: speed: 4.00×, promised at least 5×');
  expect(text).toContain('INVALID: x');
  expect(text).toContain('- y');
  expect(formatFloor({ ...floor, measured: undefined })).toContain('no figure');
});

test('the JSON holds every figure, the state of every floor, and whether all is well', () => {
  const json = toJson('m', { short: true, only: undefined }, new Date(0), { ...result, floors: [floor] });
  expect(JSON.parse(JSON.stringify(json))).toEqual({
    measurement: 'm',
    startedAt: '1970-01-01T00:00:00.000Z',
    short: true,
    only: null,
    speed: 7,
    floors: [{ ...floor, state: 'met' }],
    notes: [],
    problems: [],
    ok: true,
  });
});
