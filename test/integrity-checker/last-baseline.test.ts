import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LastBaseline } from '../../integrity-checker/database/last-baseline.ts';

const at = (day: number, digest = `digest ${day}`) => ({
  takenAt: `2026-01-0${day}T00:00:00.000Z`,
  digest,
});
const NOW = Date.parse('2026-02-01T00:00:00Z');

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cg-last-'));
  file = join(folder, 'seal', 'clinic.baseline');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('an approved baseline', () => {
  it('is taken when it is newer than the last, and again as often as it is read', () => {
    const last = new LastBaseline(file);
    for (const baseline of [at(1), at(1), at(2), at(2), at(3)]) {
      expect(last.admit(baseline, NOW)).toBe(baseline);
    }
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(at(3));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['it is older', at(1)],
    ['another one was taken at the same time', at(2, 'another')],
    ['it was taken in the future', { takenAt: '2026-02-01T00:06:00Z', digest: 'x' }],
    ['it has no time', { takenAt: 'then', digest: 'x' }],
  ])('is refused when %s, also after a restart', (_, baseline) => {
    const last = new LastBaseline(file);
    last.admit(at(2), NOW);
    for (const each of [last, new LastBaseline(file)]) {
      expect(() => each.admit(baseline, NOW)).toThrow(expect.objectContaining({ code: 'baseline-invalid' }));
      expect(each.admit(at(2), NOW)).toEqual(at(2));
    }
  });

  it('is refused while the record cannot be read, for an older one would not show', () => {
    mkdirSync(join(folder, 'seal'));
    for (const broken of ['', '{', '{}', '{"takenAt":"then","digest":"x"}']) {
      writeFileSync(file, broken);
      expect(() => new LastBaseline(file).admit(at(9), NOW)).toThrow(/cannot be read/);
    }
  });

  it('is refused when it cannot be recorded', () => {
    writeFileSync(join(folder, 'seal'), 'a file where the folder should be');
    expect(() => new LastBaseline(file).admit(at(1), NOW)).toThrow(/cannot be (recorded|read)/);
  });

  it('is remembered without a folder for as long as the checker runs', () => {
    const last = new LastBaseline(undefined);
    last.admit(at(2), NOW);
    expect(() => last.admit(at(1), NOW)).toThrow(/take it anew/);
  });

  it('is only looked at by somebody who reads', () => {
    new LastBaseline(file).admit(at(1), NOW);
    const reader = new LastBaseline(file, { readOnly: true });
    reader.admit(at(3), NOW);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(at(1));
    chmodSync(file, 0o600);
  });
});
