import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadPolicyDocument } from '../../config/index.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import { compilePolicy } from '../../policies/index.ts';
import { DEFAULTS } from './support.ts';

const scratch = mkdtempSync(join(tmpdir(), 'chartgate-policy-file-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const FILE = join(scratch, 'clinic.yaml');

/** `line:column: path: message` of every fault; none when the file is sound. */
function faultsIn(text: string): readonly string[] {
  writeFileSync(FILE, text);
  const policyRules = (document: Parameters<typeof compilePolicy>[1]) => {
    const compiled = compilePolicy('clinic', document, DEFAULTS);
    return compiled.ok ? [] : compiled.faults;
  };
  try {
    loadPolicyDocument(FILE, { policyRules });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.faults.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`);
  }
}

const ROUTE = `routes:
  - id: a
    methods: [GET]
    path: /a
    scopes: [a]
`;

describe('a policy file with', () => {
  test.each<[string, string, readonly string[]]>([
    ['nothing wrong', `${ROUTE}    when: { not: { addresses: 192.0.2.1 } }\n`, []],
    [
      'every kind of condition',
      `roles: { nurse: [a] }\n${ROUTE}    when:
      any:
        - all: [{ roles: nurse }, { scopes: [a] }, { clients: [portal] }, { home: [own] }]
        - credentials: [token]
        - hours: { zone: Europe/Berlin, days: [mon], from: '08:00', to: '12:00', except: ['2027-01-04'] }
        - senderConstrained: dpop
        - factorMaxAge: 10m
        - clientCertificate: required
        - headers: { x-app: [kiosk] }
`,
      [],
    ],
    [
      'a misspelt condition',
      `${ROUTE}    when: { adresses: [192.0.2.1] }\n`,
      [
        '6:13: routes[0].when.adresses: is not a known key; did you mean "addresses"? Allowed here: all, any, not, roles, scopes, clients, home, credentials, hours, addresses, senderConstrained, factorMaxAge, clientCertificate, headers',
      ],
    ],
    [
      'two conditions side by side',
      `${ROUTE}    when: { clients: [a], addresses: [192.0.2.1] }\n`,
      ['6:27: routes[0].when.addresses: stands beside "clients"; put both into a list under "all" or "any"'],
    ],
    [
      'an empty condition',
      `${ROUTE}    when: {}\n`,
      [expect.stringContaining('6:5: routes[0].when: must be a mapping with one of the keys')] as never,
    ],
    [
      'a condition that is a list',
      `${ROUTE}    when: [a]\n`,
      [expect.stringContaining('6:5: routes[0].when: must be a condition')] as never,
    ],
    [
      'a factor age without unit',
      `${ROUTE}    when: { factorMaxAge: 600 }\n`,
      ['6:27: routes[0].when.factorMaxAge: must be a duration from 1s to 24h in whole seconds, such as 10m'],
    ],
    [
      'contradictory rules',
      `${ROUTE}    when:\n      all:\n        - clients: [a]\n        - not: { clients: [a] }\n`,
      ['6:5: routes[0].when: contradicts itself and can never hold (client a)'].map((text) =>
        expect.stringContaining(text.slice(5)),
      ) as never,
    ],
    [
      'an unknown role',
      `roles: { nurse: [] }\n${ROUTE}    roles: [nurs]\n`,
      ['7:13: routes[0].roles[0]: is not a role of this policy; it has nurse'],
    ],
    [
      'a pack that is not there',
      `extends: [{ pack: openmrs }]\n`,
      ['1:19: extends[0].pack: is not a pack of this version; "chartgate policy packs" lists them'],
    ],
    [
      'a pack for another version',
      `extends:\n  - pack: fhir-r4\n    version: '5.0.0'\n`,
      [
        expect.stringContaining(
          '3:14: extends[0].version: is not one that the pack was made for: pack "fhir-r4" is for',
        ),
      ] as never,
    ],
    [
      'a pack without the version it wants',
      `extends:\n  - pack: fhir-r4\n`,
      [expect.stringContaining('extends[0].version: is missing: pack "fhir-r4" is for')] as never,
    ],
    [
      'neither routes nor packs',
      `remove: [a]\n`,
      [expect.stringContaining('routes: is missing'), expect.anything()].slice(0, 1) as never,
    ],
  ])('%s', (_, text, expected) => {
    const found = faultsIn(text);
    expect(found.slice(0, Math.max(1, expected.length))).toEqual(expected);
  });
});
