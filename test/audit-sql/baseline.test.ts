import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../audit-sql/fingerprint/canonical.ts';
import {
  approveBaseline,
  compareSnapshot,
  describeChanges,
  inspectBaseline,
  keyFingerprint,
  openBaseline,
  type Snapshot,
  sealBaseline,
} from '../../audit-sql/fingerprint/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { BaselineTrust } from '../../contracts/settings.ts';
import { keyPair, trusting } from './support.ts';

const key = keyPair();
const other = keyPair();
const third = keyPair();
const TAKEN_AT = '2026-01-02T03:04:05.000Z';

const SNAPSHOT: Snapshot = {
  engine: 'mariadb',
  emrSchema: 'emr',
  auditSchema: 'emr_audit',
  triggers: ['insert', 'update'].map((event) => ({
    schema: 'emr',
    name: `chartgate_${event}`,
    tableSchema: 'emr',
    table: 'patient',
    timing: 'AFTER',
    event: event.toUpperCase(),
    order: 1,
    definer: 'chartgate_audit@localhost',
    sqlMode: 'STRICT_ALL_TABLES',
    characterSetClient: 'utf8mb4',
    collationConnection: 'utf8mb4_bin',
    databaseCollation: 'utf8mb4_general_ci',
    body: 'ab'.repeat(32),
  })),
  tables: [
    { schema: 'emr', name: 'patient', type: 'BASE TABLE', engine: 'InnoDB', options: '', definition: '' },
  ],
  columns: [
    {
      schema: 'emr',
      table: 'patient',
      name: 'id',
      position: 1,
      type: 'int(11)',
      nullable: 'NO',
      key: 'PRI',
      collation: '',
      extra: '',
      default: null,
      generation: '',
    },
  ],
  views: [
    {
      schema: 'emr_audit',
      name: 'audit_trail',
      definer: 'chartgate_audit@localhost',
      security: 'INVOKER',
      checkOption: 'NONE',
      characterSetClient: 'utf8mb4',
      collationConnection: 'utf8mb4_bin',
      body: 'ef'.repeat(32),
    },
  ],
  foreignKeys: [],
  routines: [],
  events: [],
  guards: [
    {
      name: 'chartgate_snapshot',
      kind: 'PROCEDURE',
      definer: 'chartgate_guard@localhost',
      security: 'DEFINER',
      sqlMode: '',
      text: '34'.repeat(32),
    },
  ],
  accounts: [
    {
      user: 'chartgate_audit',
      host: 'localhost',
      locked: true,
      plugin: 'mysql_native_password',
      authentication: '12'.repeat(32),
    },
  ],
  privileges: [
    { user: 'root', host: 'localhost', scope: 'global', object: [], privilege: 'SUPER' },
    { user: 'a', host: 'b.c', scope: 'schema', object: ['emr'], privilege: 'DROP' },
  ],
  settings: [{ name: 'guard_runs_as', value: 'chartgate_guard@localhost' }],
  extensions: [{ kind: 'plugin', name: 'provider_lz4', library: 'provider_lz4.so' }],
  history: [
    { id: 1, digest: '56'.repeat(32) },
    { id: 3, digest: '78'.repeat(32) },
  ],
  instatement: { id: 3, action: 'start', schemaDigest: 'cd'.repeat(32), generator: 'g' },
};

const sealed = sealBaseline(SNAPSHOT, TAKEN_AT, key.privatePem);
const ALONE = trusting(key.publicPem);
const BOTH = trusting(key.publicPem, other.publicPem);
const approved = approveBaseline(sealed, other.privatePem);

/** Changes the file as somebody with an editor would. */
function edited(change: (document: Record<string, unknown>) => void): Buffer {
  const document = JSON.parse(sealed.toString('utf8')) as Record<string, unknown>;
  change(document);
  return Buffer.from(JSON.stringify(document));
}

describe('a signed baseline', () => {
  it('opens to what was sealed', () => {
    const baseline = openBaseline(sealed, ALONE);
    expect(baseline.takenAt).toBe(TAKEN_AT);
    expect(baseline.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(compareSnapshot(baseline, SNAPSHOT)).toEqual([]);
  });

  it('is the same bytes each time, whatever the order in which the server listed things', () => {
    const shuffled = { ...SNAPSHOT, triggers: [...SNAPSHOT.triggers].reverse() };
    expect(sealBaseline(shuffled, TAKEN_AT, key.privatePem)).toEqual(sealed);
  });

  it('may be reformatted, for the signature is over its content', () => {
    const document = JSON.parse(sealed.toString('utf8')) as unknown;
    expect(openBaseline(Buffer.from(JSON.stringify(document)), ALONE).takenAt).toBe(TAKEN_AT);
  });

  const signature = (file: Buffer): unknown =>
    (JSON.parse(file.toString('utf8')) as { signatures: unknown[] }).signatures[0];

  const REFUSED: readonly (readonly [string, Buffer, BaselineTrust])[] = [
    ['nothing', Buffer.alloc(0), ALONE],
    ['no JSON', Buffer.from('{'), ALONE],
    ['no UTF-8', Buffer.from([0xff, 0xfe]), ALONE],
    ['null', Buffer.from('null'), ALONE],
    ['another format', edited((d) => Object.assign(d, { format: 'chartgate-baseline/1' })), ALONE],
    ['no signatures', edited((d) => delete d.signatures), ALONE],
    ['an empty list of signatures', edited((d) => Object.assign(d, { signatures: [] })), ALONE],
    ['signatures that are no list', edited((d) => Object.assign(d, { signatures: 'both' })), ALONE],
    ['a signature that is nothing', edited((d) => Object.assign(d, { signatures: [null] })), ALONE],
    [
      'more signatures than anybody needs',
      edited((d) => Object.assign(d, { signatures: Array(17).fill(signature(sealed)) })),
      ALONE,
    ],
    [
      'an empty signature',
      edited((d) => Object.assign((d.signatures as object[])[0] ?? {}, { signature: '' })),
      ALONE,
    ],
    [
      'a signature that is no string',
      edited((d) => Object.assign((d.signatures as object[])[0] ?? {}, { signature: [] })),
      ALONE,
    ],
    [
      "another key's name on a signature",
      edited((d) =>
        Object.assign((d.signatures as object[])[0] ?? {}, {
          key: keyFingerprint(createPublicKey(other.publicPem)),
        }),
      ),
      BOTH,
    ],
    ['no payload', edited((d) => delete d.payload), ALONE],
    ["another key's signature", sealBaseline(SNAPSHOT, TAKEN_AT, other.privatePem), ALONE],
    ['another time', edited((d) => Object.assign(d.payload as object, { takenAt: '2027' })), ALONE],
    ['a member more', edited((d) => Object.assign(d.payload as object, { more: 1 })), ALONE],
    [
      'a trigger less',
      edited((d) => (d.payload as { snapshot: { triggers: unknown[] } }).snapshot.triggers.pop()),
      ALONE,
    ],
    ['a trusted key that is no public key', sealed, trusting(Buffer.from('not a key'))],
    ['one signature where two are needed', sealed, BOTH],
    [
      'one signature twice where two are needed',
      edited((d) => Object.assign(d, { signatures: [signature(sealed), signature(sealed)] })),
      BOTH,
    ],
    ['one key listed twice where two are needed', sealed, trusting(key.publicPem, key.publicPem)],
    ['a second signature of a key that is not listed', approved, { keys: [key.publicPem], required: 1 }],
    ['a third key missing', approved, trusting(key.publicPem, other.publicPem, third.publicPem)],
    ['settings that need none', sealed, { keys: [key.publicPem], required: 0 }],
    ['settings that say nothing', sealed, { keys: [key.publicPem] } as unknown as BaselineTrust],
    ['no key trusted', sealed, { keys: [], required: 1 }],
    [
      'no triggers, though signed',
      sealBaseline({ ...SNAPSHOT, triggers: [] }, TAKEN_AT, key.privatePem),
      ALONE,
    ],
    [
      'a guard whose text was not seen, though signed',
      sealBaseline(
        { ...SNAPSHOT, guards: SNAPSHOT.guards.map((guard) => ({ ...guard, text: '' })) },
        TAKEN_AT,
        key.privatePem,
      ),
      ALONE,
    ],
    ['no time, though signed', sealBaseline(SNAPSHOT, 'some day', key.privatePem), ALONE],
    [
      'an audit that is stopped, though signed',
      sealBaseline(
        { ...SNAPSHOT, instatement: { id: 4, action: 'stop', schemaDigest: '', generator: '' } },
        TAKEN_AT,
        key.privatePem,
      ),
      ALONE,
    ],
    [
      'no instatement at all, though signed',
      sealBaseline({ ...SNAPSHOT, instatement: undefined }, TAKEN_AT, key.privatePem),
      ALONE,
    ],
  ];

  it.each(REFUSED)('is refused with %s', (_, file, trust) => {
    expect(() => openBaseline(file, trust)).toThrow(expect.objectContaining({ code: 'baseline-invalid' }));
  });

  it('only ever throws baseline-invalid, whatever byte of it changes', () => {
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const bytes = Buffer.from(sealed);
        bytes[position] = (bytes[position] ?? 0) ^ flip;
        try {
          // White space and escapes can change without changing what is said.
          expect(openBaseline(bytes, ALONE).snapshot).toEqual(openBaseline(sealed, ALONE).snapshot);
        } catch (error) {
          if (!(error instanceof ChartgateError)) throw error;
          expect(error.code).toBe('baseline-invalid');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('approval by two administrators', () => {
  it('opens with both signatures, in whichever order they were made', () => {
    const opened = openBaseline(approved, BOTH);
    expect(opened.signers).toHaveLength(2);
    expect(opened.digest).toBe(openBaseline(sealed, ALONE).digest);
    const swapped = approveBaseline(sealBaseline(SNAPSHOT, TAKEN_AT, other.privatePem), key.privatePem);
    expect(openBaseline(swapped, BOTH).digest).toBe(opened.digest);
  });

  it('two of three keys are enough where two are required', () => {
    const trust = { keys: [key.publicPem, third.publicPem, other.publicPem], required: 2 };
    expect(openBaseline(approved, trust).signers).toHaveLength(2);
    expect(() => openBaseline(sealed, trust)).toThrow(/1 of the 2 signatures/);
  });

  it('is not given by the same administrator twice', () => {
    expect(() => approveBaseline(sealed, key.privatePem)).toThrow(/signed it already/);
    expect(() => approveBaseline(approved, other.privatePem)).toThrow(/signed it already/);
  });

  it('of a file that was changed in between does not count', () => {
    const forged = edited((d) => {
      (d.payload as { snapshot: { triggers: unknown[] } }).snapshot.triggers.pop();
    });
    const signed = approveBaseline(forged, other.privatePem);
    expect(() => openBaseline(signed, BOTH)).toThrow(/does not match its content/);
    expect(inspectBaseline(signed).signers).toHaveLength(2);
  });

  it('shows beforehand what it would accept, in words', () => {
    const [trigger] = SNAPSHOT.triggers;
    if (trigger === undefined) throw new Error('unreachable');
    const next: Snapshot = {
      ...SNAPSHOT,
      triggers: [{ ...trigger, body: '99'.repeat(32) }],
      privileges: [
        ...SNAPSHOT.privileges,
        { user: 'emr', host: '%', scope: 'global', object: [], privilege: 'FILE' },
      ],
      history: SNAPSHOT.history.slice(1),
    };
    const told = describeChanges(SNAPSHOT, next).map(({ change, what, detail }) => [change, what, detail]);
    expect(told).toEqual([
      ['changed', 'trigger emr.chartgate_insert', 'body: abababababab… → 999999999999…'],
      ['removed', 'trigger emr.chartgate_update', expect.stringContaining('timing "AFTER"')],
      ['added', 'privilege emr.%.global.FILE', ''],
      ['removed', 'entry 1 of the instatement log', ''],
    ]);
    expect(describeChanges(SNAPSHOT, SNAPSHOT)).toEqual([]);
  });
});

describe('comparing', () => {
  const baseline = openBaseline(sealed, ALONE);

  it('finds every field of every fact', () => {
    for (const [list, facts] of Object.entries(SNAPSHOT)) {
      // The log has rules of its own: what was added since is no fault.
      if (!Array.isArray(facts) || list === 'history') continue;
      facts.forEach((fact: Record<string, unknown>, index) => {
        for (const field of Object.keys(fact)) {
          const changed = {
            ...fact,
            [field]: typeof fact[field] === 'number' ? -1 : `${String(fact[field])}~`,
          };
          const found = compareSnapshot(baseline, { ...SNAPSHOT, [list]: facts.with(index, changed) });
          expect([list, field, found.length]).toEqual([list, field, Math.max(1, found.length)]);
        }
        const without = compareSnapshot(baseline, { ...SNAPSHOT, [list]: facts.toSpliced(index, 1) });
        expect(without).toHaveLength(1);
        const twice = compareSnapshot(baseline, { ...SNAPSHOT, [list]: [...facts, fact] });
        expect(twice).toHaveLength(1);
      });
    }
  });

  it('tells names apart that look alike when joined', () => {
    const moved = { ...SNAPSHOT.privileges[1], user: 'a@b', host: 'c' } as Snapshot['privileges'][number];
    const found = compareSnapshot(baseline, { ...SNAPSHOT, privileges: SNAPSHOT.privileges.with(1, moved) });
    expect(found.map((f) => f.code).sort()).toEqual(['privilege-added', 'privilege-missing']);
  });

  it('finds other schemas, another engine, and a log that went back', () => {
    expect(compareSnapshot(baseline, { ...SNAPSHOT, emrSchema: 'x' })[0]?.code).toBe('schema-mismatch');
    expect(compareSnapshot(baseline, { ...SNAPSHOT, engine: 'mysql' })[0]?.code).toBe('engine-changed');
    const codes = (instatement: Snapshot['instatement']) =>
      compareSnapshot(baseline, { ...SNAPSHOT, instatement }).map((f) => f.code);
    const last = SNAPSHOT.instatement;
    if (last === undefined) throw new Error('unreachable');
    expect(codes({ ...last, id: 2 })).toEqual(['audit-log-rewound']);
    expect(codes({ ...last, id: 9 })).toEqual([]);
    expect(codes({ ...last, schemaDigest: 'other' })).toEqual(['audit-schema-digest-changed']);
    expect(codes(undefined)).toEqual(['audit-not-started', 'audit-log-rewound']);
    const past = (history: Snapshot['history']) =>
      compareSnapshot(baseline, { ...SNAPSHOT, history }).map((f) => f.code);
    const [first, ...later] = SNAPSHOT.history;
    if (first === undefined) throw new Error('unreachable');
    expect(past(later)).toEqual(['audit-log-rewound']);
    expect(past([{ ...first, digest: '00'.repeat(32) }, ...later])).toEqual(['audit-log-rewritten']);
    expect(past([...SNAPSHOT.history, { id: 4, digest: 'aa'.repeat(32) }])).toEqual([]);
  });

  it('finds that everything is missing where a snapshot shows nothing', () => {
    const nothing: Snapshot = {
      ...SNAPSHOT,
      triggers: [],
      tables: [],
      columns: [],
      guards: [],
      accounts: [],
      privileges: [],
      instatement: undefined,
    };
    expect(compareSnapshot(baseline, nothing).length).toBeGreaterThanOrEqual(9);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of keys and keeps the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        const reversed = JSON.parse(text, (_, v: unknown) =>
          typeof v === 'object' && v !== null && !Array.isArray(v)
            ? Object.fromEntries(Object.entries(v).reverse())
            : v,
        ) as unknown;
        expect(canonicalJson(reversed)).toBe(text);
      }),
    );
  });
});
