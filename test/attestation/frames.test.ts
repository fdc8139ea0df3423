import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AttestVerdict,
  encodeFrame,
  FrameReader,
  MAXIMUM_ANSWER,
  MAXIMUM_FINDINGS,
  MAXIMUM_REQUEST,
  parseAttest,
  parseHello,
  parseProve,
  parseProved,
  parseVerdict,
  proofInput,
  seal,
  spell,
} from '../../contracts/attestation.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { type DatabaseId, parseDatabaseId } from '../../contracts/identifiers.ts';

const base64url = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('base64url'));
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/);
const database = name.map((text) => parseDatabaseId(text) as DatabaseId);
const id = fc.integer({ min: 0, max: 0x7fff_ffff });
const verdict: fc.Arbitrary<AttestVerdict> = fc
  .record({
    type: fc.constant('verdict' as const),
    id,
    database,
    nonce: base64url(16),
    micros: fc.maxSafeNat(),
    broken: fc.boolean(),
    epoch: hex(16),
    codes: fc.uniqueArray(name, { minLength: 1, maxLength: MAXIMUM_FINDINGS }),
    intact: fc.boolean(),
  })
  .map(({ broken, epoch, codes, intact, ...rest }) => ({
    ...rest,
    ...(intact
      ? { state: 'intact' as const, epoch, findings: [] }
      : { state: broken ? ('broken' as const) : ('unverified' as const), epoch: '', findings: codes }),
  }));

const PARSERS = { parseHello, parseProve, parseProved, parseAttest, parseVerdict };

function onlyFrameInvalid(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ChartgateError);
    expect((error as ChartgateError).code).toBe('frame-invalid');
  }
}

/** Cuts bytes at arbitrary places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

describe('messages', () => {
  it('come back as they were sent', () => {
    fc.assert(
      fc.property(
        id,
        database,
        base64url(16),
        base64url(32),
        base64url(32),
        verdict,
        (n, db, short, a, b, v) => {
          const attest = { type: 'attest' as const, id: n, database: db, nonce: short };
          expect(parseAttest(spell(attest))).toEqual(attest);
          expect(parseHello(spell({ type: 'hello', nonce: a }))).toEqual({ type: 'hello', nonce: a });
          const prove = { type: 'prove' as const, nonce: a, proof: b };
          expect(parseProve(spell(prove))).toEqual(prove);
          expect(parseProved(spell({ type: 'proved', proof: b }))).toEqual({ type: 'proved', proof: b });
          const sealed = parseVerdict(seal(spell(v), b));
          expect(sealed).toEqual({ verdict: v, signed: spell(v), mac: b });
        },
      ),
    );
  });

  it('fit their frames at their longest', () => {
    const long = 'a'.repeat(63);
    const request = spell({
      type: 'attest',
      id: 0x7fff_ffff,
      database: long as DatabaseId,
      nonce: 'A'.repeat(22),
    });
    expect(encodeFrame(request, MAXIMUM_REQUEST).length).toBeLessThanOrEqual(4 + MAXIMUM_REQUEST);
    const answer = spell({
      type: 'verdict',
      id: 0x7fff_ffff,
      database: long as DatabaseId,
      nonce: 'A'.repeat(22),
      state: 'unverified',
      epoch: '',
      findings: Array.from({ length: MAXIMUM_FINDINGS }, () => long),
      micros: Number.MAX_SAFE_INTEGER,
    });
    const sealed = seal(answer, 'A'.repeat(43));
    expect(encodeFrame(sealed, MAXIMUM_ANSWER).length).toBeLessThanOrEqual(4 + MAXIMUM_ANSWER);
    expect(parseVerdict(sealed).verdict.findings).toHaveLength(MAXIMUM_FINDINGS);
  });

  it('of any other form end in the one declared error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        for (const parser of Object.values(PARSERS)) onlyFrameInvalid(() => parser(text));
        for (const parser of Object.values(PARSERS)) expect(() => parser(text)).toThrow(ChartgateError);
      }),
    );
  });

  it('with one character changed are refused or mean exactly what they spell', () => {
    fc.assert(
      fc.property(
        verdict,
        base64url(32),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        (v, mac, where, code) => {
          const whole = seal(spell(v), mac);
          const at = where % whole.length;
          const changed = whole.slice(0, at) + String.fromCharCode(code) + whole.slice(at + 1);
          onlyFrameInvalid(() => {
            const again = parseVerdict(changed);
            expect(seal(spell(again.verdict), again.mac)).toBe(changed);
          });
        },
      ),
    );
  });

  it.each([
    [
      'an intact verdict with findings',
      { state: 'intact', epoch: 'a'.repeat(32), findings: ['trigger-missing'] },
    ],
    ['an intact verdict without an epoch', { state: 'intact', epoch: '', findings: [] }],
    ['a broken verdict with an epoch', { state: 'broken', epoch: 'a'.repeat(32), findings: ['x'] }],
    ['a broken verdict that does not say why', { state: 'broken', epoch: '', findings: [] }],
    ['a state that is none', { state: 'fine', epoch: '', findings: [] }],
    ['a finding that is not a code', { state: 'broken', epoch: '', findings: ['Patient Miller'] }],
    [
      'too many findings',
      { state: 'broken', epoch: '', findings: Array.from({ length: 33 }, (_, i) => `f${i}`) },
    ],
    ['findings that are no list', { state: 'broken', epoch: '', findings: { length: 1 } }],
  ])('refuse %s', (_, fields) => {
    const message = JSON.stringify({
      type: 'verdict',
      id: 1,
      database: 'clinic',
      nonce: 'A'.repeat(22),
      ...fields,
      micros: 1,
    });
    expect(() => parseVerdict(seal(message, 'A'.repeat(43)))).toThrow(/frame/);
  });

  it('are proved under inputs that differ by role and by nonce', () => {
    const a = 'A'.repeat(43);
    const b = 'B'.repeat(43);
    const inputs = [
      proofInput('gateway', a, b),
      proofInput('checker', a, b),
      proofInput('session', a, b),
      proofInput('gateway', b, a),
    ];
    expect(new Set(inputs).size).toBe(4);
    expect(() => proofInput('gateway', `${a}\n`, b)).toThrow(/nonce/);
  });
});

describe('frames', () => {
  it('arrive whole and in order, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[ -~]{1,200}$/), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat()),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map((message) => encodeFrame(message, MAXIMUM_REQUEST)));
          const reader = new FrameReader(MAXIMUM_REQUEST);
          const taken: string[] = [];
          for (const piece of pieces(stream, cuts)) reader.push(piece, (message) => taken.push(message));
          expect(taken).toEqual(messages);
        },
      ),
    );
  });

  it('of random bytes end in the one declared error, and hand on nothing too long', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 1_200 })), (chunks) => {
        const reader = new FrameReader(MAXIMUM_REQUEST);
        onlyFrameInvalid(() => {
          for (const chunk of chunks) {
            reader.push(chunk, (message) => {
              expect(message.length).toBeLessThanOrEqual(MAXIMUM_REQUEST);
              onlyFrameInvalid(() => parseAttest(message));
            });
          }
        });
      }),
    );
  });

  it('that announce four gigabytes allocate nothing', () => {
    const readers = Array.from({ length: 200 }, () => new FrameReader(MAXIMUM_REQUEST));
    const before = process.memoryUsage();
    for (const reader of readers) {
      expect(() => reader.push(Buffer.from('ffffffff7b', 'hex'), () => {})).toThrow(/longer/);
    }
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 * 1024 * 1024);
    expect(after.external - before.external).toBeLessThan(8 * 1024 * 1024);
  });

  it('are refused one byte above the limit and at length zero, before any of them is read', () => {
    for (const length of [0, MAXIMUM_REQUEST + 1]) {
      const header = Buffer.alloc(4);
      header.writeUInt32BE(length);
      expect(() => new FrameReader(MAXIMUM_REQUEST).push(header, () => {})).toThrow(ChartgateError);
    }
    expect(() => encodeFrame('', MAXIMUM_REQUEST)).toThrow(ChartgateError);
    expect(() => encodeFrame('a'.repeat(MAXIMUM_REQUEST + 1), MAXIMUM_REQUEST)).toThrow(ChartgateError);
  });

  it('after a broken one are never read again', () => {
    const reader = new FrameReader(MAXIMUM_REQUEST);
    expect(() => reader.push(Buffer.alloc(4), () => {})).toThrow();
    const good = encodeFrame('{}', MAXIMUM_REQUEST);
    expect(() => reader.push(good, () => expect.unreachable())).toThrow(/already broken/);
  });
});
