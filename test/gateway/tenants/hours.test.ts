import { describe, expect, test } from 'vitest';
import type { HoursDocument } from '../../../contracts/conditions.ts';
import { OpeningHours } from '../../../gateway/tenants/hours.ts';

const seconds = (text: string): number => Date.parse(text) / 1000;
const opens = (documents: readonly HoursDocument[], now: string): string | undefined => {
  const at = new OpeningHours(documents).opensAt(seconds(now));
  return at === undefined ? undefined : new Date(at * 1000).toISOString();
};
const OFFICE: HoursDocument = {
  zone: 'Europe/Berlin',
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '08:00',
  to: '18:00',
  except: ['2026-12-24', '2026-12-25'],
};

describe('a place says when it opens', () => {
  test.each<readonly [string, readonly HoursDocument[], string, string | undefined]>([
    ['the same morning', [OFFICE], '2026-11-23T05:00:30Z', '2026-11-23T07:00:00.000Z'],
    ['after the weekend', [OFFICE], '2026-11-21T12:00:00Z', '2026-11-23T07:00:00.000Z'],
    ['after dates on which it stays closed', [OFFICE], '2026-12-23T20:00:00Z', '2026-12-28T07:00:00.000Z'],
    ['after summer time began', [OFFICE], '2026-03-28T12:00:00Z', '2026-03-30T06:00:00.000Z'],
    ['after it ended', [OFFICE], '2026-10-24T12:00:00Z', '2026-10-26T07:00:00.000Z'],
    [
      'by the first of several',
      [OFFICE, { zone: 'Europe/Berlin', days: ['sat'], from: '10:00', to: '12:00' }],
      '2026-11-21T06:00:00Z',
      '2026-11-21T09:00:00.000Z',
    ],
    [
      'not, where it does not within five weeks',
      [
        {
          ...OFFICE,
          days: ['thu'],
          except: ['2026-11-26', '2026-12-03', '2026-12-10', '2026-12-17', '2026-12-24'],
        },
      ],
      '2026-11-23T12:00:00Z',
      undefined,
    ],
  ])('%s', (_, documents, now, expected) => {
    expect(opens(documents, now)).toBe(expected);
  });

  test('and is open then, a minute before it is not', () => {
    const hours = new OpeningHours([OFFICE]);
    for (let now = seconds('2026-03-20T00:10:00Z'); now < seconds('2026-04-05T00:00:00Z'); now += 7_777) {
      if (hours.isOpen(now)) continue;
      const at = hours.opensAt(now) ?? 0;
      expect(hours.isOpen(at)).toBe(true);
      expect(at - 60 < now || !hours.isOpen(at - 60)).toBe(true);
    }
  });
});

test('a place is open while one of its entries holds', () => {
  const hours = new OpeningHours([OFFICE, { zone: 'Europe/Berlin', from: '22:00', to: '02:00' }]);
  expect(hours.isOpen(seconds('2026-11-23T08:00:00Z'))).toBe(true);
  expect(hours.isOpen(seconds('2026-11-23T00:30:00Z'))).toBe(true);
  expect(hours.isOpen(seconds('2026-11-23T18:00:00Z'))).toBe(false);
});
