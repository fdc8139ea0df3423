import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEALED_TABLES } from '../../../audit-sql/fingerprint/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import {
  type Checkpoint,
  checkpointText,
  NO_TABLES,
  openCheckpoint,
  parseCheckpoint,
  perTable,
  signCheckpoint,
  splitNotes,
} from '../../../integrity-checker/seal/checkpoint.ts';
import {
  noteSigner,
  openNote,
  readVerifier,
  signNote,
  verifierText,
} from '../../../integrity-checker/seal/note.ts';
import { keyPair } from '../../audit-sql/support.ts';

const KEYS = keyPair();
const SIGNER = noteSigner('chartgate/clinic', KEYS.privatePem);
const VERIFIER = readVerifier(KEYS.publicPem.toString(), 'chartgate/clinic');

const CHECKPOINT: Checkpoint = {
  origin: 'chartgate/clinic',
  size: 12,
  root: Buffer.alloc(32, 1),
  time: '2026-11-21T23:18:23.719Z',
  batch: { count: 3, digest: Buffer.alloc(32, 2) },
  tables: {
    ...NO_TABLES,
    audit_row: {
      head: 20,
      at: 11,
      settled: 7,
      open: 4,
      late: [
        [3, 5],
        [9, 9],
      ],
    },
  },
};

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ChartgateError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a signed note', () => {
  // C2SP signed-note and golang.org/x/mod/sumdb/note, whose example this is.
  it('is one for other programs too', () => {
    const key = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    const verifier = readVerifier(key, '');
    const text =
      'If you think cryptography is the answer to your problem,\n' +
      "then you don't know what your problem is.\n";
    const signature =
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
    expect(openNote(`${text}\n${signature}`, verifier)).toBe(text);
    expect(verifierText(verifier)).toBe(key);
  });

  it('comes back as it was signed, whatever it says', () => {
    const line = fc.stringMatching(/^[^\p{Cc}]{0,40}$/u);
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
        const text = `${lines.join('\n')}\n`;
        expect(openNote(signNote(text, SIGNER), VERIFIER)).toBe(text);
      }),
    );
  });

  it.each<[why: string, make: (note: string) => string]>([
    ['a changed text', (note) => note.replace('12', '13')],
    ['a changed signature', (note) => note.replace(/(.{8})\n$/, 'AAAAAAAA\n')],
    [
      'a signature of another key',
      () => signNote('text\n', noteSigner('chartgate/clinic', keyPair().privatePem)),
    ],
    [
      'a signature under another name',
      () => signNote('text\n', noteSigner('chartgate/other', KEYS.privatePem)),
    ],
    ['no signature', () => 'text\n'],
    ['nothing', () => ''],
    ['a carriage return', (note) => note.replaceAll('\n', '\r\n')],
    ['no line break at the end', (note) => note.slice(0, -1)],
    ['a hyphen for the dash', (note) => note.replace('—', '-')],
    ['a signature that is no base 64', (note) => note.replace(/.{4}\n$/, '*!?=\n')],
    ['something after the signatures', (note) => `${note}more\n`],
    ['101 signatures', (note) => note + (note.split('\n').at(-2) ?? '').concat('\n').repeat(100)],
    ['more than 1 MiB', (note) => `${'x'.repeat(1_048_577)}\n${note}`],
  ])('is refused with %s', (_, make) => {
    expect(refusal(() => openNote(make(signNote('size 12\n', SIGNER)), VERIFIER))).toBe('seal-broken');
  });

  it('may have signatures of witnesses beside', () => {
    const other = noteSigner('witness.example/w', keyPair().privatePem);
    const note = signNote('text\n', SIGNER);
    const witnessed = note + (signNote('text\n', other).split('\n').at(-2) ?? '').concat('\n');
    expect(openNote(witnessed, VERIFIER)).toBe('text\n');
  });

  it.each([
    ['a private key', KEYS.privatePem.toString()],
    ['another name than its hash is of', verifierText(SIGNER).replace('clinic', 'clinik')],
    ['another algorithm', 'name+00000000+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
    ['nothing', ''],
  ])('cannot be verified with %s', (_, key) => {
    expect(refusal(() => readVerifier(key, 'chartgate/clinic'))).toBe('usage');
  });
});

describe('a checkpoint', () => {
  it('has the three lines of C2SP tlog-checkpoint first', () => {
    expect(checkpointText(CHECKPOINT)).toBe(
      [
        'chartgate/clinic',
        '12',
        'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=',
        'time 2026-11-21T23:18:23.719Z',
        'batch 3 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=',
        'audit_row head=20 at=11 settled=7 open=4 late=3-5,9',
        'audit_row_direct head=4503599627370495 settled=4503599627370495',
        'audit_instatement_log head=0 settled=0',
        '',
      ].join('\n'),
    );
  });

  it('comes back as it was signed', () => {
    const id = fc.integer({ min: 0, max: 2 ** 53 - 1 });
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
    const state = fc
      .tuple(id, id, id, fc.array(fc.tuple(id, id), { maxLength: 4 }))
      .map(([a, b, at, late]) => ({
        head: Math.max(a, b),
        at,
        settled: Math.min(a, b),
        open: a === b ? undefined : at,
        late: late.map(([x, y]) => [Math.min(x, y), Math.max(x, y)] as const),
      }))
      .filter(({ head }) => head !== 0 && head !== 2 ** 52 - 1);
    fc.assert(
      fc.property(id, hash, hash, id, state, (size, root, digest, count, table) => {
        const checkpoint = {
          ...CHECKPOINT,
          size,
          root,
          batch: { count, digest },
          tables: perTable(() => table),
        };
        expect(openCheckpoint(signCheckpoint(checkpoint, SIGNER), VERIFIER)).toEqual(checkpoint);
      }),
    );
  });

  it.each<[why: string, from: string, to: string]>([
    ['a size with a leading zero', '\n12\n', '\n012\n'],
    ['a size that is no number', '\n12\n', '\n1e1\n'],
    ['a size beyond what can be counted', '\n12\n', '\n9999999999999999\n'],
    ['a short root', 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=', 'AQEB'],
    ['a root with bits that base 64 leaves out', 'AQE=\n', 'AQF=\n'],
    ['a time of another zone', 'Z\n', '+01:00\n'],
    ['another table', 'audit_row head', 'audit_roe head'],
    ['a table twice', 'audit_instatement_log', 'audit_row'],
    ['more settled than sealed', 'settled=7', 'settled=21'],
    ['settled and open at once', 'settled=7', 'settled=20'],
    ['neither settled nor open', ' open=4', ''],
    ['a head without its place', ' at=11', ''],
    ['a range from high to low', '3-5', '5-3'],
    ['a range of three', '3-5', '3-4-5'],
    ['a line too many', 'batch', 'extra\nbatch'],
  ])('is refused with %s', (_, from, to) => {
    const text = checkpointText(CHECKPOINT);
    expect(text).toContain(from);
    expect(refusal(() => parseCheckpoint(text.replace(from, to)))).toBe('seal-broken');
  });

  it('of another log is refused although the key is the same', () => {
    const note = signNote(checkpointText({ ...CHECKPOINT, origin: 'chartgate/other' }), SIGNER);
    expect(refusal(() => openCheckpoint(note, VERIFIER))).toBe('seal-broken');
  });

  it('any text is either one or refused with a reason', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(['none', 'seal-broken']).toContain(refusal(() => parseCheckpoint(text)));
        expect(refusal(() => openNote(text, VERIFIER))).toBe('seal-broken');
      }),
    );
  });
});

describe('a file of checkpoints', () => {
  const note = signCheckpoint(CHECKPOINT, SIGNER);

  it('holds one after the other', () => {
    expect(splitNotes(`${note}\n${note}\n`)).toEqual({ notes: [note, note], rest: '' });
    expect(splitNotes('')).toEqual({ notes: [], rest: '' });
  });

  it('may end with one that a crash cut off, at any byte', () => {
    for (let length = 0; length < note.length + 1; length++) {
      const { notes, rest } = splitNotes(`${note}\n${`${note}\n`.slice(0, length)}`);
      expect(notes).toEqual([note]);
      expect(rest).toBe(`${note}\n`.slice(0, length));
    }
    expect(SEALED_TABLES).toHaveLength(3);
  });
});
