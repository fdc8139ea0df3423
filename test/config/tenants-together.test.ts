import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  certificateExpiries,
  readGatewaySources,
  type Sources,
  settingsFrom,
  type TenantSource,
  tenantText,
  withChange,
} from '../../config/index.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { type Folder, GATEWAY, makeFolder, POLICY } from './support/folder.ts';

/**
 * A tenant that comes, changes or goes alone is held against all others as if everything were read anew: whatever a
 * running gateway takes, the next start takes too.
 */

/** What a tenant's file says beside its id, of few values, so that they meet. */
interface Said {
  readonly hosts?: readonly string[];
  readonly audience?: string;
  readonly audiences?: string;
  readonly backends?: readonly string[];
  readonly tell?: string;
  readonly partners?: readonly string[];
  readonly certificates?: boolean;
}
/** By id; undefined: there is no such file. */
type Change = Readonly<Record<string, Said | undefined>>;

const HEADER = (value: string) => `{ header: { name: X-Clinic, value: ${value} } }`;
const PREFIX = (prefix: string) => `{ pathPrefix: ${prefix} }`;
const SHARED = 'http://127.0.0.1:9100';
/** The back end of "north", which stands in the main file. */
const NORTHS = 'http://127.0.0.1:9001';

let folder: Folder;
let empty: Sources;

beforeAll(async () => {
  folder = await makeFolder('config-tenants-together');
  folder.write('policy.yaml', POLICY);
  folder.write('state.key', 'q7sVZ0dQ0r9n3mXj5yq1mU8cXh2u5l1Yt0m3kq9bT7E=', 0o600);
  mkdirSync(join(folder.path, 'tenants.d'));
  const more = `state: { file: state.db, keys: [{ file: state.key }] }\ntenantsFolder: tenants.d\n`;
  const issuers = `issuers:\n  - { id: guests, issuer: 'https://guests.example', authority: authority.pem, algorithms: [ES256] }\n`;
  const listen = '  key: key.pem\n  clientCertificates: { authority: authority.pem, demand: optional }\n';
  const main = GATEWAY.replace('issuers:\n', issuers).replace('  key: key.pem\n', listen);
  empty = readGatewaySources(folder.write('gateway.yaml', `${main}${more}`));
});
afterAll(() => folder.remove());

function textOf(id: string, said: Said): string {
  const { hosts = [`${id}.example`], audience = `https://${id}.example`, backends } = said;
  const origins = backends ?? [`http://127.0.0.1:${9200 + id.charCodeAt(0)}`];
  const lines = [
    `id: ${id}`,
    `hosts: [${hosts.map((host) => `'${host}'`).join()}]`,
    `audience: ${audience}`,
    'issuers: [sso]',
    `database: ${id}-emr`,
    'policy: clinic',
    `backends: [${origins.map((origin) => `{ origin: '${origin}' }`).join()}]`,
    ...(said.audiences === undefined ? [] : [`audiences: { more: ${said.audiences} }`]),
    ...(said.tell === undefined ? [] : [`tellBackend: ${said.tell}`]),
    ...(said.certificates === true ? ['clientCertificates: { authority: ../authority.pem }'] : []),
    ...(said.partners === undefined
      ? []
      : [
          `sharing: { partners: [${said.partners.map((each) => `{ tenant: ${each}, issuers: [guests] }`).join()}] }`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

function changedBy(sources: Sources, change: Change, rereadMain = false): Sources {
  const { tenants } = sources;
  if (tenants === undefined) throw new TypeError('the folder');
  const fileOf = (id: string) => join(tenants.folder, `${id}.yaml`);
  const changed: TenantSource[] = [];
  const gone: string[] = [];
  for (const [id, said] of Object.entries(change)) {
    if (said === undefined) gone.push(fileOf(id));
    else changed.push(tenantText(Buffer.from(textOf(id, said)), fileOf(id), `${id}.yaml`));
  }
  const main = rereadMain
    ? { gateway: { ...empty.gateway }, policies: [...empty.policies] }
    : { gateway: sources.gateway, policies: sources.policies };
  return { ...main, tenants: withChange(tenants, { changed, gone }) };
}

type Verdict = { readonly settings: GatewaySettings } | { readonly faults: readonly string[] };

function judged(sources: Sources, former?: GatewaySettings): Verdict {
  try {
    return { settings: settingsFrom(sources, {}, former) };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { faults: error.faults.map(({ file, path, message }) => `${file}: ${path}: ${message}`) };
  }
}

/** Tenants by id: the order in which they came is of no consequence. */
function tenantsOf(verdict: Verdict): object | undefined {
  return 'settings' in verdict
    ? Object.fromEntries(verdict.settings.tenants.map((tenant) => [tenant.id, tenant]))
    : undefined;
}

describe('a tenant that comes or changes alone, beside others that stay', () => {
  const CASES: readonly (readonly [
    what: string,
    before: Change,
    change: Change,
    fault: RegExp | undefined,
  ])[] = [
    ['a host of its own', { east: {} }, { west: {} }, undefined],
    ["a neighbour's host", { east: {} }, { west: { hosts: ['east.example'] } }, /listed already/],
    [
      'a host that its neighbour gave up before',
      { east: { hosts: ['new.example'] } },
      { west: { hosts: ['east.example'] } },
      undefined,
    ],
    [
      'a host that its neighbour gives up now',
      { east: {} },
      { east: { hosts: ['new.example'] }, west: { hosts: ['east.example'] } },
      undefined,
    ],
    [
      'a host of one that goes',
      { east: {} },
      { east: undefined, west: { hosts: ['east.example'] } },
      undefined,
    ],
    ['a host of the main file', {}, { west: { hosts: ['north.example'] } }, /listed already/],
    [
      "a neighbour's audience",
      { east: {} },
      { west: { audience: 'https://east.example' } },
      /is an audience already/,
    ],
    [
      "a neighbour's audience as a further one",
      { east: {} },
      { west: { audiences: 'https://east.example' } },
      /is an audience already/,
    ],
    [
      "a neighbour's host at another port, with the same certificates",
      { east: {} },
      { west: { hosts: ['east.example:9443'] } },
      undefined,
    ],
    [
      "a neighbour's host at another port, with other certificates",
      { east: {} },
      { west: { hosts: ['east.example:9443'], certificates: true } },
      /differs by its port alone/,
    ],
    [
      'the same back end, told apart by another value',
      { east: { backends: [SHARED], tell: HEADER('a') } },
      { west: { backends: [SHARED], tell: HEADER('b') } },
      undefined,
    ],
    [
      'the same back end, told by the same value',
      { east: { backends: [SHARED], tell: HEADER('a') } },
      { west: { backends: [SHARED], tell: HEADER('A') } },
      /says the same as that of tenant "east"/,
    ],
    [
      'the same back end, told in another form',
      { east: { backends: [SHARED], tell: HEADER('a') } },
      { west: { backends: [SHARED], tell: PREFIX('/b') } },
      /shares a back end with tenant/,
    ],
    [
      'the same back end, told by nothing',
      { east: { backends: [SHARED], tell: HEADER('a') } },
      { west: { backends: [SHARED] } },
      /shares a back end with tenant "east"/,
    ],
    [
      'the same back end where nobody is told apart',
      { east: { backends: [SHARED] } },
      { west: { backends: [SHARED] } },
      undefined,
    ],
    [
      'being told apart where the neighbour is not',
      { east: { backends: [SHARED] } },
      { west: { backends: [SHARED], tell: HEADER('b') } },
      /shares a back end with tenant "west"/,
    ],
    [
      'being told apart at the back end of one of the main file',
      {},
      { west: { backends: [NORTHS], tell: HEADER('b') } },
      /shares a back end with tenant "west"/,
    ],
    [
      'no longer being told apart',
      { east: { backends: [SHARED], tell: HEADER('a') }, west: { backends: [SHARED], tell: HEADER('b') } },
      { west: { backends: [SHARED] } },
      /shares a back end with tenant "east"/,
    ],
    [
      'a prefix below that of a neighbour',
      { east: { backends: [SHARED], tell: PREFIX('/a') } },
      { west: { backends: [SHARED], tell: PREFIX('/a/b') } },
      /lies below that of tenant "east"/,
    ],
    [
      'a prefix above that of a neighbour',
      { east: { backends: [SHARED], tell: PREFIX('/a/b') } },
      { west: { backends: [SHARED], tell: PREFIX('/a') } },
      /lies below that of tenant "west"/,
    ],
    [
      'one shared back end of several',
      { east: { backends: [SHARED], tell: HEADER('a') } },
      { west: { backends: ['http://127.0.0.1:9101', SHARED], tell: HEADER('a') } },
      /says the same/,
    ],
    [
      'the back end that its neighbour leaves',
      { east: { backends: [SHARED], tell: HEADER('a') } },
      { east: {}, west: { backends: [SHARED], tell: HEADER('a') } },
      undefined,
    ],
    ['a partner that is there', { east: {} }, { west: { partners: ['east'] } }, undefined],
    ['a partner that comes with it', {}, { east: {}, west: { partners: ['east'] } }, undefined],
    ['a partner that is not there', {}, { west: { partners: ['east'] } }, /names no tenant/],
    [
      'going, as the partner of another',
      { east: {}, west: { partners: ['east'] } },
      { east: undefined },
      /names no tenant/,
    ],
  ];

  test.each(CASES)('%s', (_what, before, change, fault) => {
    const first = changedBy(empty, before);
    const settings = settingsFrom(first);
    const second = changedBy(first, change);
    const [alone, whole] = [judged(second, settings), judged(second)];
    if (fault === undefined) {
      expect(alone).toHaveProperty('settings');
      expect(tenantsOf(alone)).toEqual(tenantsOf(whole));
    } else {
      expect(whole).toEqual({ faults: [expect.stringMatching(fault)] });
      expect(alone).toEqual({ faults: [expect.stringMatching(fault)] });
    }
    // What was refused is forgotten: the former tenants may change as before.
    expect(judged(changedBy(first, { young: {} }), settings)).toHaveProperty('settings');
  });
});

test('a main file that was read again and says the same leaves tenants, and what is told of their certificates', () => {
  const first = changedBy(empty, { east: {}, own: { certificates: true } });
  const before = settingsFrom(first);
  const second = changedBy(first, { west: {} }, true);
  const [alone, whole] = [settingsFrom(second, {}, before), settingsFrom(second)];
  const east = ({ tenants }: GatewaySettings) => tenants.find(({ id }) => id === 'east');
  expect(east(alone)).toBe(east(before));
  const expiries = (settings: GatewaySettings) =>
    certificateExpiries(settings)
      .map(({ kind, tenant }) => `${kind} ${tenant}`)
      .toSorted();
  expect(expiries(alone)).toEqual(expiries(whole));
  expect(expiries(alone).filter((each) => each.startsWith('client-authority'))).toEqual([
    'client-authority ',
    'client-authority own',
  ]);
});

describe('whatever changes', () => {
  const usually = <T>(usual: T, ...others: readonly T[]) =>
    fc.oneof(
      { weight: 5, arbitrary: fc.constant(usual) },
      { weight: 4, arbitrary: fc.constantFrom(...others) },
    );
  const said: fc.Arbitrary<Said> = fc
    .record({
      hosts: usually<readonly string[] | undefined>(
        undefined,
        ['a.example'],
        ['a.example:8443', 'b.example'],
        ['b.example:8443'],
        ['north.example:9443'],
      ),
      audience: usually<string | undefined>(
        undefined,
        undefined,
        'https://a.example',
        'https://south.example',
      ),
      audiences: usually<string | undefined>(undefined, undefined, undefined, 'https://a.example'),
      backends: usually<readonly string[] | undefined>(
        undefined,
        [SHARED],
        [SHARED],
        [NORTHS],
        ['http://127.0.0.1:9101', SHARED],
      ),
      tell: usually<string | undefined>(
        undefined,
        HEADER('a'),
        HEADER('b'),
        HEADER('c'),
        PREFIX('/a'),
        PREFIX('/a/b'),
      ),
      partners: usually<readonly string[] | undefined>(undefined, undefined, ['c'], ['d']),
      certificates: usually<boolean | undefined>(undefined, undefined, undefined, true),
    })
    .map((each) => Object.fromEntries(Object.entries(each).filter(([, value]) => value !== undefined)));
  const change = fc.record({
    files: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(said, { nil: undefined, freq: 5 }), {
      minKeys: 1,
      maxKeys: 3,
    }),
    rereadMain: fc.boolean(),
  });

  test('what is taken one by one is what a start would take, and makes the same of it', () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(change, { minLength: 3, maxLength: 8 }), (changes) => {
        let sources = empty;
        let settings = settingsFrom(empty);
        for (const { files, rereadMain } of changes) {
          const next = changedBy(sources, files, rereadMain);
          const [alone, whole] = [judged(next, settings), judged(next)];
          expect(tenantsOf(alone)).toEqual(tenantsOf(whole));
          seen[tenantsOf(whole) === undefined ? 'refused' : 'taken'] += 1;
          if (!('settings' in alone)) continue;
          sources = next;
          settings = alone.settings;
        }
      }),
      { numRuns: 60 },
    );
    // Else it would say nothing.
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(30);
  });
});
