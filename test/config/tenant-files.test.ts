import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  certificateExpiries,
  freshTenants,
  readGatewaySources,
  realFiles,
  type Sources,
  settingsFrom,
  sourcesChange,
  withReferencesRead,
  withSourcesChange,
} from '../../config/index.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import { type Folder, GATEWAY, makeFolder, POLICY } from './support/folder.ts';

/** Tenants in files of their own: `tenantsFolder`. */

let folder: Folder;
let file = '';

beforeAll(async () => {
  folder = await makeFolder('config-tenant-files');
  folder.write('policy.yaml', POLICY);
});
afterAll(() => folder.remove());
beforeEach(() => {
  rmSync(join(folder.path, 'tenants.d'), { recursive: true, force: true });
  mkdirSync(join(folder.path, 'tenants.d'));
  file = folder.write('gateway.yaml', `${GATEWAY}tenantsFolder: tenants.d\n`);
});

function tenant(id: string, changes: Readonly<Record<string, string>> = {}, name = `${id}.yaml`): void {
  const written: Record<string, string> = {
    id,
    hosts: `[${id}.example]`,
    audience: `https://${id}.example`,
    issuers: '[sso]',
    database: `${id}-emr`,
    policy: 'clinic',
    backends: "[{ origin: 'http://127.0.0.1:9003' }]",
    ...changes,
  };
  const text = Object.entries(written)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
  folder.write(join('tenants.d', name), text);
}

const ids = ({ tenants }: GatewaySettings): string[] => tenants.map(({ id }) => id);

function faults(sources: Sources = readGatewaySources(file), former?: GatewaySettings): string[] {
  try {
    settingsFrom(sources, {}, former);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.faults.map((each) => {
      const name = each.file.slice(each.file.lastIndexOf('/') + 1);
      return `${name}:${each.line}:${each.column}: ${each.path}: ${each.message.replaceAll(`${folder.path}/`, '')}`;
    });
  }
}

describe('a folder of tenants', () => {
  test.each([
    [
      'a host of the main file',
      { hosts: '[north.example]' },
      'west.yaml:2:9: hosts[0]: is listed already (gateway.yaml, line 32); a host belongs to one tenant, once',
    ],
    [
      'an audience of the main file',
      { audience: 'https://south.example' },
      'west.yaml:3:11: audience: is an audience already (gateway.yaml, line 42); a token for one would be good for both',
    ],
    [
      'one host twice',
      { hosts: '[west.example, west.example]' },
      'west.yaml:2:23: hosts[1]: is listed already (line 2); a host belongs to one tenant, once',
    ],
    [
      'a policy that is not there',
      { policy: 'clinics' },
      'west.yaml:6:9: policy: names no policy of "policies" (defined: clinic); did you mean "clinic"?',
    ],
    [
      'an id that is not the name of its file',
      { id: 'vest' },
      'west.yaml:1:5: id: must be the name of its file, "west"',
    ],
    [
      'sign-in without a state',
      { signIn: '{ issuers: [sso] }' },
      'west.yaml:8:1: signIn: needs "state", in which sessions are kept',
    ],
    [
      'a missing authority',
      { backends: "[{ origin: 'https://emr.west.example', authority: gone.pem }]" },
      /^west\.yaml:7:\d+: backends\[0\]\.authority: the file does not exist/,
    ],
  ])('%s is a fault of that file, with its place', (_, changes, expected) => {
    tenant('west', changes, 'west.yaml');
    const found = faults();
    expect(found).toHaveLength(1);
    if (typeof expected === 'string') expect(found[0]).toBe(expected);
    else expect(found[0]).toMatch(expected);
  });

  test('two files of one host are refused, and each fault of every file is told at once', () => {
    tenant('east');
    tenant('west', { hosts: '[east.example]' });
    folder.write('tenants.d/wild.yaml', 'id: [\n');
    folder.write('tenants.d/empty.yaml', '');
    folder.write('tenants.d/mistaken.yml', 'id: mistaken\n');
    const found = faults();
    expect(found.map((each) => each.split(':')[0]).toSorted()).toEqual([
      'empty.yaml',
      'mistaken.yml',
      'west.yaml',
      'wild.yaml',
    ]);
    expect(found.join('\n')).toMatch(
      /west\.yaml:2:9: hosts\[0\]: is listed already \(tenants\.d\/east\.yaml, line 2\)/,
    );
    expect(found.join('\n')).toMatch(/mistaken\.yml:0:0: : a tenant's file is named for its id: ID\.yaml/);
  });

  test('one that is not there is a fault of the main file; what is beside the files is left alone', () => {
    rmSync(join(folder.path, 'tenants.d'), { recursive: true });
    expect(faults()).toEqual([
      expect.stringMatching(/^gateway\.yaml:\d+:\d+: tenantsFolder: the folder does not exist/),
    ]);
    mkdirSync(join(folder.path, 'tenants.d'));
    folder.write('tenants.d/.west.making', 'half');
    folder.write('tenants.d/west.yaml.removed-20260101T000000Z', 'gone');
    expect(faults()).toEqual([]);
  });

  test('needs no tenant in the main file; without either there is a fault', () => {
    const alone = GATEWAY.slice(0, GATEWAY.indexOf('tenants:'));
    file = folder.write('gateway.yaml', `${alone}tenantsFolder: tenants.d\n`);
    tenant('west', { paused: 'true' });
    const settings = settingsFrom(readGatewaySources(file));
    expect(ids(settings)).toEqual(['west']);
    expect(settings.tenants[0]?.paused).toBe(true);
    file = folder.write('gateway.yaml', alone);
    expect(faults()).toEqual([expect.stringMatching(/tenants: is missing: .*tenantsFolder/)]);
  });
});

describe('one among many', () => {
  test('that comes, changes or goes leaves the others the very objects that they were', () => {
    for (const id of ['east', 'west']) tenant(id);
    const first = readGatewaySources(file);
    const before = settingsFrom(first);
    tenant('west', { identityHeader: 'X-User' });
    tenant('young');
    const second = {
      ...readGatewaySources(file, realFiles, first),
      gateway: first.gateway,
      policies: first.policies,
    };
    const after = settingsFrom(second, {}, before);
    expect(ids(after).toSorted()).toEqual(['east', 'north', 'south', 'west', 'young']);
    const [of, was] = [byId(after), byId(before)];
    for (const id of ['north', 'south', 'east']) expect(of(id)).toBe(was(id));
    expect(of('west')).not.toBe(was('west'));
    expect(freshTenants(after, before)?.map(({ id }) => id)).toEqual(['west', 'young']);
    expect(after.listen).toBe(before.listen);

    rmSync(join(folder.path, 'tenants.d', 'east.yaml'));
    const third = {
      ...readGatewaySources(file, realFiles, second),
      gateway: first.gateway,
      policies: first.policies,
    };
    expect(ids(settingsFrom(third, {}, after)).toSorted()).toEqual(['north', 'south', 'west', 'young']);
    // From the first once more: what was made in between is of no consequence.
    expect(ids(settingsFrom(second, {}, before)).toSorted()).toEqual(ids(after).toSorted());
  });

  test('that is at fault changes nothing, and the next one is judged by what was there before', () => {
    tenant('east');
    const first = readGatewaySources(file);
    const before = settingsFrom(first);
    const again = (): Sources => ({
      ...readGatewaySources(file, realFiles, first),
      gateway: first.gateway,
      policies: first.policies,
    });
    tenant('west', { hosts: '[east.example]' });
    expect(faults(again(), before)).toEqual([
      expect.stringMatching(/^west\.yaml:2:9: hosts\[0\]: is listed already/),
    ]);
    tenant('west', { hosts: '[west.example, north.example]' });
    expect(faults(again(), before)).toEqual([
      expect.stringMatching(/^west\.yaml:2:23: hosts\[1\]: is listed already/),
    ]);
    tenant('west');
    expect(faults(again(), before)).toEqual([]);
  });

  test('two may exchange their hosts at once', () => {
    tenant('east');
    tenant('west');
    const first = readGatewaySources(file);
    const before = settingsFrom(first);
    tenant('east', { hosts: '[west.example]' });
    tenant('west', { hosts: '[east.example]' });
    const second = {
      ...readGatewaySources(file, realFiles, first),
      gateway: first.gateway,
      policies: first.policies,
    };
    expect(byId(settingsFrom(second, {}, before))('east')?.hosts).toEqual(['west.example']);
  });

  test('a worker that is told what changed makes the same of it as one that reads everything', () => {
    for (const id of ['east', 'west']) tenant(id);
    const first = readGatewaySources(file);
    const worker = structuredClone(first);
    const before = settingsFrom(worker);
    tenant('west', { paused: 'true' });
    tenant('young');
    rmSync(join(folder.path, 'tenants.d', 'east.yaml'));
    const second = readGatewaySources(file, realFiles, first);
    const change = structuredClone(sourcesChange(first, second));
    expect(change.tenants.changed.map(({ shown }) => shown.split('/').at(-1))).toEqual([
      'west.yaml',
      'young.yaml',
    ]);
    const told = settingsFrom(withSourcesChange(worker, change), {}, before);
    const sorted = (settings: GatewaySettings) => ids(settings).toSorted();
    expect(sorted(told)).toEqual(sorted(settingsFrom(second)));
    expect(byId(told)('west')?.paused).toBe(true);
  });

  test('whose authority changed on disk is made anew, with its own file as it was', async () => {
    const authority = await createAuthority('First');
    folder.write('tenants.d/emr.pem', authority.certificatePem);
    tenant('west', { backends: "[{ origin: 'https://emr.west.example', authority: emr.pem }]" });
    tenant('east');
    const first = readGatewaySources(file);
    const before = settingsFrom(first);
    const same = readGatewaySources(file, realFiles, first);
    expect(withReferencesRead(same, before, realFiles)).toBe(same);
    folder.write('tenants.d/emr.pem', (await createAuthority('Second')).certificatePem);
    const fresh = withReferencesRead(same, before, realFiles);
    const after = settingsFrom(fresh, {}, before);
    expect(byId(after)('west')?.backends[0]?.authority).not.toEqual(authority.certificatePem);
    expect(byId(after)('west')).not.toBe(byId(before)('west'));
    expect(byId(after)('east')).toBe(byId(before)('east'));
    expect(certificateExpiries(after)).toContainEqual(
      expect.objectContaining({ kind: 'backend-authority', tenant: 'west', of: 'https://emr.west.example' }),
    );
  });
});

function byId({ tenants }: GatewaySettings) {
  return (id: string) => tenants.find((each) => each.id === id);
}
