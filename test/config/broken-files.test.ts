import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCheckerSettings, loadGatewaySettings, loadPolicyDocument } from '../../config/index.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import { type BrokenFile, broken } from './support/broken.ts';
import { BROKEN_BALANCING } from './support/broken-balancing.ts';
import { BROKEN_BRAND } from './support/broken-brand.ts';
import { BROKEN_CALLERS } from './support/broken-callers.ts';
import { BROKEN_LIMITS } from './support/broken-limits.ts';
import { BROKEN_CHECKER, BROKEN_POLICY } from './support/broken-others.ts';
import { BROKEN_PROCESS } from './support/broken-process.ts';
import { BROKEN_SHARING } from './support/broken-sharing.ts';
import { BROKEN_TENANCY } from './support/broken-tenancy.ts';
import { BROKEN_TENANTS } from './support/broken-tenants.ts';
import { BROKEN_YAML } from './support/broken-yaml.ts';
import { CHECKER, type Folder, GATEWAY, makeFolder, POLICY } from './support/folder.ts';

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder('config-broken');
});
afterAll(() => folder.remove());

/** Every line of the error, without the name of the file and of the folder. */
function linesOf(file: string, load: (file: string) => unknown): readonly string[] {
  try {
    load(file);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message
      .split('\n')
      .map((line) => line.replace(`${file}:`, '').replaceAll(folder.path, 'FOLDER').trim());
  }
  return [];
}

function table(
  kind: string,
  rows: readonly BrokenFile[],
  sound: string,
  load: (file: string) => unknown,
): void {
  describe(`a ${kind} file is refused with every fault, its place and what is allowed`, () => {
    test('the sound file is accepted', () => {
      expect(linesOf(folder.write(`${kind}.yaml`, sound), load)).toEqual([]);
    });
    test.each(rows)('$because', ({ change, faults }) => {
      const file = folder.write(`${kind}.yaml`, broken(sound, change));
      const lines = linesOf(file, load);
      expect(lines).toEqual(faults);
      expect(lines.join('\n')).not.toMatch(/hunter2|canary/);
    });
  });
}

table('process', BROKEN_PROCESS, GATEWAY, loadGatewaySettings);
table('limits', BROKEN_LIMITS, GATEWAY, loadGatewaySettings);
table('tenants', BROKEN_TENANTS, GATEWAY, loadGatewaySettings);
table('balancing', BROKEN_BALANCING, GATEWAY, loadGatewaySettings);
table('tenancy', BROKEN_TENANCY, GATEWAY, loadGatewaySettings);
table('sharing', BROKEN_SHARING, GATEWAY, loadGatewaySettings);
table('callers', BROKEN_CALLERS, GATEWAY, loadGatewaySettings);
table('brand', BROKEN_BRAND, GATEWAY, loadGatewaySettings);
table('yaml', BROKEN_YAML, GATEWAY, loadGatewaySettings);
table('checker', BROKEN_CHECKER, CHECKER, loadCheckerSettings);
table('route-table', BROKEN_POLICY, POLICY, loadPolicyDocument);

describe('faults of several files and places', () => {
  test('are all reported at once, in the order of the text, policies last', () => {
    folder.write('bad-policy.yaml', POLICY.replace('hide: record', 'hide: maybe').replace('1MiB', '1'));
    const file = folder.write(
      'many.yaml',
      GATEWAY.replace('port: 8443', 'port: 0')
        .replace('key: key.pem', 'key: key-open.pem')
        .replace('file: shared.secret', 'file: missing.secret')
        .replace('policy.yaml', 'bad-policy.yaml')
        .replace('hosts: [south.example]', 'hosts: [north.example]')
        .replace('connections: 8', 'connection: 8'),
    );
    const faults = faultsFrom(() => loadGatewaySettings(file));
    expect(faults.map(({ file, line, path }) => `${basename(file)}:${line} ${path}`)).toEqual([
      'many.yaml:3 listen.port',
      'many.yaml:6 listen.key',
      'many.yaml:15 integrity.secret.file',
      'many.yaml:41 tenants[1].hosts[0]',
      'many.yaml:49 tenants[1].backends[0].connection',
      'bad-policy.yaml:7 routes[0].hide',
      'bad-policy.yaml:14 routes[1].maxBody',
    ]);
  });

  test('a policy under two names is reported once', () => {
    folder.write('bad-policy.yaml', POLICY.replace('hide: record', 'hide: maybe'));
    const file = folder.write(
      'twice.yaml',
      GATEWAY.replace('clinic: policy.yaml', 'clinic: bad-policy.yaml\n  spare: ./bad-policy.yaml'),
    );
    expect(faultsFrom(() => loadGatewaySettings(file))).toHaveLength(1);
  });

  test('a certificate is judged by the clock', () => {
    const file = folder.write('gateway.yaml', GATEWAY);
    const day = 86_400_000;
    const later = faultsFrom(() => loadGatewaySettings(file, { now: Date.now() + 10 * day }));
    expect(later.map(({ line, message }) => `${line} ${message}`)).toEqual([
      expect.stringMatching(/^5 the certificate expired on \d{4}-\d\d-\d\d$/),
    ]);
    const earlier = faultsFrom(() => loadGatewaySettings(file, { now: Date.now() - day }));
    expect(earlier.map(({ line, message }) => `${line} ${message}`)).toEqual([
      expect.stringMatching(/^5 the certificate is not valid before \d{4}-\d\d-\d\d$/),
      '20 no certificate of the file is valid at present',
      '48 no certificate of the file is valid at present',
    ]);
  });

  test('a file that the user may not read says so', () => {
    const file = folder.write('gateway.yaml', GATEWAY);
    const files = { read: () => ({ ok: false, problem: 'forbidden' }) as const };
    expect(faultsFrom(() => loadGatewaySettings(file, { files }))).toEqual([
      {
        file,
        line: 0,
        column: 0,
        path: '',
        message: 'the file cannot be read: permission denied for the user this runs as',
      },
    ]);
  });
});

function faultsFrom(load: () => unknown): ConfigurationError['faults'] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
}
