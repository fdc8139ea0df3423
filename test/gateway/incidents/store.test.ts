import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secretOf } from '../../../config/secret.ts';
import { systemClock } from '../../../contracts/clock.ts';
import { parseRequestId, type RequestId } from '../../../contracts/identifiers.ts';
import type { Secret } from '../../../contracts/secret.ts';
import { keptIncidents, prune } from '../../../gateway/incidents/folder.ts';
import { type Incident, IncidentSealer, sealedIn } from '../../../gateway/incidents/record.ts';
import { Incidents } from '../../../gateway/incidents/store.ts';

const secret = (): Secret => secretOf(randomBytes(32));
const id = (last: string): RequestId => {
  const parsed = parseRequestId(last.padStart(26, '0'));
  if (parsed === undefined) throw new Error(last);
  return parsed;
};
const NAME = 'Zebulon';
const incident = (last: string, more: Partial<Incident> = {}): Incident => ({
  request: id(last),
  time: Date.now(),
  tenant: 'north',
  route: 'chart',
  method: 'GET',
  path: '/chart/1',
  status: 404,
  reason: 'backend-refused',
  backend: { status: 403, headers: ['x-name', NAME], cut: false },
  body: Buffer.from(`<p>${NAME} is restricted</p>`),
  ...more,
});

describe('a sealed incident', () => {
  const key = secret();
  const sealer = new IncidentSealer([key]);

  it('opens as it was', () => {
    const one = incident('1', { body: randomBytes(64 * 1024) });
    const [sealed] = sealedIn(sealer.seal(one));
    expect(sealed).toBeDefined();
    if (sealed !== undefined) expect(sealer.open(sealed)).toEqual(one);
  });

  it('shows nothing, and never the same twice', () => {
    const one = incident('1');
    const bytes = sealer.seal(one);
    expect(bytes.includes(NAME)).toBe(false);
    expect(bytes.includes('chart')).toBe(false);
    expect(sealer.seal(one).equals(bytes)).toBe(false);
  });

  it('does not open when a single byte of it is another', () => {
    const bytes = sealer.seal(incident('1'));
    const opened: number[] = [];
    for (let at = 4; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      for (const sealed of sealedIn(changed)) {
        try {
          sealer.open(sealed);
          opened.push(at);
        } catch (error) {
          expect(error).toMatchObject({ code: 'state-invalid' });
          expect(String(error)).not.toContain(NAME);
        }
      }
    }
    expect(opened).toEqual([]);
  });

  it('opens with an old key that is still listed, and with no other', () => {
    const [sealed] = sealedIn(sealer.seal(incident('1')));
    if (sealed === undefined) throw new Error('none');
    expect(new IncidentSealer([secret(), key]).open(sealed).tenant).toBe('north');
    expect(() => new IncidentSealer([secret()]).open(sealed)).toThrow(/sealed with a key that is not given/);
  });

  it('is found before one that was torn off, and nothing comes of what is none', () => {
    const two = Buffer.concat([sealer.seal(incident('1')), sealer.seal(incident('2'))]);
    const requests = (bytes: Buffer) => [...sealedIn(bytes)].map(({ request }) => request);
    expect(requests(two)).toEqual([id('1'), id('2')]);
    expect(requests(two.subarray(0, two.length - 1))).toEqual([id('1')]);
    for (let length = 0; length < 200; length += 1) requests(randomBytes(length));
    expect(requests(Buffer.alloc(4096, 0xff))).toEqual([]);
  });
});

describe('the folder', () => {
  let directory: string;
  const settings = (more: object = {}) => ({
    directory,
    keys: [secret()],
    keepMs: 3_600_000,
    maxBytes: 1_048_576,
    ...more,
  });
  const all = async () => {
    const found: string[] = [];
    for await (const { request } of keptIncidents(directory, { keepMs: 3_600_000, now: Date.now() }))
      found.push(request);
    return found;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'incidents-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('holds what was kept once it is flushed, closed to others, and finds it again', async () => {
    const kept = new Incidents(settings(), systemClock);
    kept.keep(incident('1'));
    kept.keep(incident('2', { tenant: 'south' }));
    expect((await kept.find(id('2')))?.tenant).toBe('south');
    expect(await kept.find(id('3'))).toBeUndefined();
    const [file = ''] = readdirSync(directory);
    expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory, file)).includes(NAME)).toBe(false);
    await kept.close();
    expect(await all()).toEqual([id('2'), id('1')]);
  });

  it('made when missing; where it cannot be, incidents are lost and nothing else', async () => {
    const missing = join(directory, 'new');
    const kept = new Incidents(settings({ directory: missing }), systemClock);
    kept.keep(incident('1'));
    await kept.close();
    expect(readdirSync(missing)).toHaveLength(1);
    writeFileSync(join(directory, 'file'), '');
    const never = new Incidents(settings({ directory: join(directory, 'file') }), systemClock);
    never.keep(incident('1'));
    await expect(never.close()).resolves.toBeUndefined();
  });

  it('does not take more than may wait', async () => {
    const kept = new Incidents(settings({ maxBytes: 1024 ** 3 }), systemClock);
    const body = randomBytes(64 * 1024);
    for (let i = 0; i < 1000; i += 1) kept.keep(incident('1', { body }));
    await kept.close();
    expect((await all()).length).toBeLessThan(300);
    expect((await all()).length).toBeGreaterThan(200);
  });

  it('loses what is too old, and the oldest of too much', async () => {
    const write = (name: string, age: number) => {
      const path = join(directory, `incidents.${name.padStart(9, '0')}.00000000.sealed`);
      writeFileSync(path, Buffer.alloc(1000));
      utimesSync(path, (Date.now() - age) / 1000, (Date.now() - age) / 1000);
      return path;
    };
    write('a', 10_000);
    write('b', 5000);
    write('c', 1000);
    const open = write('d', 9000);
    writeFileSync(join(directory, 'other'), 'x');
    const names = () =>
      readdirSync(directory)
        .map((name) => name.split('.')[1]?.at(-1) ?? name)
        .sort();
    await prune(directory, { keepMs: 8000, maxBytes: 1_000_000, now: Date.now(), but: open });
    expect(names()).toEqual(['b', 'c', 'd', 'other']);
    await prune(directory, { keepMs: 8000, maxBytes: 2000, now: Date.now() });
    expect(names()).toEqual(['c', 'other']);
  });

  it('loses what is too old though nothing new is kept, and its own file with it', async () => {
    let now = Date.now();
    const begun = now;
    const clock = { wall: () => now, monotonic: () => now - begun };
    const kept = new Incidents(settings({ keepMs: 1000 }), clock);
    kept.keep(incident('1'));
    await kept.flush();
    expect(readdirSync(directory)).toHaveLength(1);
    // Its file is open still: it is given up once it is an hour old.
    now += 59 * 60_000;
    await kept.flush();
    expect(readdirSync(directory)).toHaveLength(1);
    now += 2 * 60_000;
    await kept.flush();
    expect(readdirSync(directory)).toEqual([]);
    kept.keep(incident('2', { time: now }));
    expect(await kept.find(id('2'))).toBeDefined();
    await kept.close();
  });

  it('makes room also while nothing can be written', async () => {
    let now = Date.now();
    const begun = now;
    const clock = { wall: () => now, monotonic: () => now - begun };
    const kept = new Incidents(settings({ keepMs: 1000 }), clock);
    await kept.flush();
    const old = join(directory, 'incidents.00000000a.00000000.sealed');
    writeFileSync(old, 'x');
    utimesSync(old, 0, 0);
    now += 61_000;
    // No time of a clock, so that it cannot be sealed: as good as a disk that is full.
    kept.keep(incident('1', { time: 0.5 }));
    await kept.flush();
    expect(readdirSync(directory)).toEqual([]);
    await kept.close();
  });

  it('is flushed whole, whoever waits beside whom', async () => {
    const kept = new Incidents(settings(), systemClock);
    const waits: Promise<void>[] = [];
    for (let at = 1; at <= 30; at += 1) {
      kept.keep(incident(String(at).padStart(2, '0')));
      waits.push(kept.flush());
      if (at % 7 === 0) await Promise.resolve();
    }
    await Promise.all(waits);
    expect(await all()).toHaveLength(30);
    await kept.close();
  });

  it('shows none that is too old, though its file is still there', async () => {
    const kept = new Incidents(settings(), systemClock);
    kept.keep(incident('1', { time: Date.now() - 4_000_000 }));
    kept.keep(incident('2'));
    expect(await kept.find(id('1'))).toBeUndefined();
    expect(await kept.find(id('2'))).toBeDefined();
    await kept.close();
  });
});
