import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../audit-sql/fingerprint/canonical.ts';
import {
  compareSnapshot,
  openBaseline,
  type Snapshot,
  sealBaseline,
} from '../../audit-sql/fingerprint/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { keyPair } from './support.ts';

const key = keyPair();
const other = keyPair();
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
  tables: [{ schema: 'emr', name: 'patient', type: 'BASE TABLE', engine: 'InnoDB', options: '' }],
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
      definer: 'chartgate_guard@localhost',
      security: 'DEFINER',
      sqlMode: '',
      created: '1',
      altered: '1',
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
  instatement: { id: 3, action: 'start', schemaDigest: 'cd'.repeat(32), generator: 'g' },
};

const sealed = sealBaseline(SNAPSHOT, TAKEN_AT, key.privatePem);

/** Changes the file as somebody with an editor would. */
function edited(change: (document: Record<string, unknown>) => void): Buffer {
  const document = JSON.parse(sealed.toString('utf8')) as Record<string, unknown>;
  change(document);
  return Buffer.from(JSON.stringify(document));
}

describe('a signed baseline', () => {
  it('opens to what was sealed', () => {
    const baseline = openBaseline(sealed, key.publicPem);
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
    expect(openBaseline(Buffer.from(JSON.stringify(document)), key.publicPem).takenAt).toBe(TAKEN_AT);
  });

  const REFUSED: readonly (readonly [string, Buffer, Buffer])[] = [
    ['nothing', Buffer.alloc(0), key.publicPem],
    ['no JSON', Buffer.from('{'), key.publicPem],
    ['no UTF-8', Buffer.from([0xff, 0xfe]), key.publicPem],
    ['null', Buffer.from('null'), key.publicPem],
    ['another format', edited((d) => Object.assign(d, { format: 'chartgate-baseline/2' })), key.publicPem],
    ['no signature', edited((d) => delete d.signature), key.publicPem],
    ['an empty signature', edited((d) => Object.assign(d, { signature: '' })), key.publicPem],
    ['a signature that is no string', edited((d) => Object.assign(d, { signature: [] })), key.publicPem],
    ['no payload', edited((d) => delete d.payload), key.publicPem],
    ["another key's signature", sealBaseline(SNAPSHOT, TAKEN_AT, other.privatePem), key.publicPem],
    ['another time', edited((d) => Object.assign(d.payload as object, { takenAt: '2027' })), key.publicPem],
    ['a member more', edited((d) => Object.assign(d.payload as object, { more: 1 })), key.publicPem],
    [
      'a trigger less',
      edited((d) => (d.payload as { snapshot: { triggers: unknown[] } }).snapshot.triggers.pop()),
      key.publicPem,
    ],
    ['a private key that is no public key', sealed, Buffer.from('not a key')],
    [
      'no triggers, though signed',
      sealBaseline({ ...SNAPSHOT, triggers: [] }, TAKEN_AT, key.privatePem),
      key.publicPem,
    ],
    [
      'an audit that is stopped, though signed',
      sealBaseline(
        { ...SNAPSHOT, instatement: { id: 4, action: 'stop', schemaDigest: '', generator: '' } },
        TAKEN_AT,
        key.privatePem,
      ),
      key.publicPem,
    ],
    [
      'no instatement at all, though signed',
      sealBaseline({ ...SNAPSHOT, instatement: undefined }, TAKEN_AT, key.privatePem),
      key.publicPem,
    ],
  ];

  it.each(REFUSED)('is refused with %s', (_, file, publicKey) => {
    expect(() => openBaseline(file, publicKey)).toThrow(
      expect.objectContaining({ code: 'baseline-invalid' }),
    );
  });

  it('only ever throws baseline-invalid, whatever byte of it changes', () => {
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const bytes = Buffer.from(sealed);
        bytes[position] = (bytes[position] ?? 0) ^ flip;
        try {
          // White space and escapes can change without changing what is said.
          expect(openBaseline(bytes, key.publicPem).snapshot).toEqual(
            openBaseline(sealed, key.publicPem).snapshot,
          );
        } catch (error) {
          if (!(error instanceof ChartgateError)) throw error;
          expect(error.code).toBe('baseline-invalid');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('comparing', () => {
  const baseline = openBaseline(sealed, key.publicPem);

  it('finds every field of every fact', () => {
    for (const [list, facts] of Object.entries(SNAPSHOT)) {
      if (!Array.isArray(facts)) continue;
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
