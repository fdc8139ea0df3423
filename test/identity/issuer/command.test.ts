import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadIssuerSettings } from '../../../config/index.ts';
import { ConfigurationError } from '../../../contracts/errors.ts';
import { ISSUER_KEY_HEADER, issuerKey } from '../../../contracts/issuer-link.ts';

const BIN = join(import.meta.dirname, '../../../bin/chartgate.mjs');
const ISSUER = 'https://id.clinic.example';
let folder: string;
let secret: Buffer;

const SOUND = `issuer: ${ISSUER}
issuerSocket: issuer.sock
gatewaySecret: { file: secret }
state: { file: state/state.sqlite, keys: [{ file: key }] }
tenants:
  - { id: clinic, name: Clinic, audience: "https://emr.clinic.example" }
clients:
  - { id: portal, name: Portal, kind: gateway, tenants: [clinic], redirectUris: ["https://emr.clinic.example/.chartgate/callback/clinic"], scopes: [portal], secret: { file: secret } }
`;

function write(name: string, content: string | Buffer, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cg-issuer-'));
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  secret = Buffer.from(randomBytes(24).toString('base64'));
  write('secret', secret);
  write('key', randomBytes(32).toString('hex'));
  write('short', 'short');
  write('private.jwk', JSON.stringify({ kty: 'oct', k: 'AAAA' }));
  write('issuer.yaml', SOUND);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', cwd: folder, timeout: 30_000 });

describe('issuer.yaml', () => {
  test('is known by its keys, and sound', () => {
    const { status, stdout } = run('check', 'issuer.yaml', '--json');
    expect({ status, ...JSON.parse(stdout) }).toMatchObject({
      status: 0,
      ok: true,
      checked: [{ kind: 'issuer', summary: '1 tenant, 1 client' }],
    });
  });

  test('without a word asks everybody for a second factor, and for passwords that are not guessable', () => {
    const settings = loadIssuerSettings(join(folder, 'issuer.yaml'));
    expect(settings.secondFactor).toEqual({ required: true, exemptRoles: [] });
    expect(settings.accounts.passwords).toMatchObject({ preset: 'length', minimumLength: 12 });
    expect(settings.tokens.accessMs).toBeLessThanOrEqual(300_000);
    expect(JSON.stringify(settings)).not.toContain(secret.toString());
  });

  test.each([
    ['an issuer with a path', /^issuer: .*$/m, `issuer: ${ISSUER}/id`, 'issuer', /https:\/\/ origin/],
    ['an issuer that is not https', /^issuer: .*$/m, 'issuer: http://id.clinic.example', 'issuer', /https/],
    ['a port that is understood', /^issuer: .*$/m, `issuer: ${ISSUER}:443`, 'issuer', /canonical form/],
    [
      'a secret that can be guessed',
      'gatewaySecret: { file: secret }',
      'gatewaySecret: { file: short }',
      'gatewaySecret.file',
      /too short/,
    ],
    ['no state', /^state: .*$/m, '', 'state', /missing/],
    [
      'a state in two places',
      'state/state.sqlite,',
      'state/state.sqlite, server: { database: a, user: b, password: { file: secret } },',
      'state',
      /both/,
    ],
    ['an unknown key', 'tenants:', 'tenant: x\ntenants:', 'tenant', /tenants/],
    [
      'a client of an unknown tenant',
      'tenants: [clinic]',
      'tenants: [clinik]',
      'clients[0].tenants[0]',
      /did you mean "clinic"/,
    ],
    ['a gateway that proves nothing', ', secret: { file: secret } }', ' }', 'clients[0]', /proves itself/],
    [
      'a redirect URI over http',
      'https://emr.clinic.example/.chartgate',
      'http://emr.clinic.example/.chartgate',
      'clients[0].redirectUris[0]',
      /https/,
    ],
    [
      'a redirect URI with a fragment',
      'callback/clinic',
      'callback/clinic#x',
      'clients[0].redirectUris[0]',
      /fragment/,
    ],
    [
      'a private key of a client',
      ', secret: { file: secret } }',
      ', keys: private.jwk }',
      'clients[0].keys',
      /private or shared/,
    ],
    ['tokens that last an hour', 'tenants:', 'tokens: { access: 1h }\ntenants:', 'tokens.access', /5m/],
    [
      'a weaker length than the preset',
      'tenants:',
      'passwords: { minimumLength: 8 }\ntenants:',
      'passwords.minimumLength',
      /at least 12/,
    ],
  ])('%s is refused, with the place and what to do', (_, from, to, path, message) => {
    const file = write('broken.yaml', SOUND.replace(from, to));
    let faults: ConfigurationError['faults'] = [];
    try {
      loadIssuerSettings(file);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      faults = error.faults;
    }
    expect(faults.map((fault) => `${fault.path}: ${fault.message}`)).toEqual(
      expect.arrayContaining([expect.stringMatching(message)]),
    );
    expect(faults.map((fault) => fault.path)).toContain(path);
  });
});

describe('chartgate issuer', () => {
  let child: ChildProcess | undefined;
  afterAll(() => child?.kill('SIGKILL'));

  test('listens on a socket for its owner and group only, confined; rotates keys; stops when told', async () => {
    child = spawn(process.execPath, [BIN, 'issuer', '--config', join(folder, 'issuer.yaml')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    let log = '';
    stderr.on('data', (text) => {
      log += String(text);
    });
    const [ready] = (await once(stdout, 'data')) as [Buffer];
    expect(JSON.parse(String(ready))).toMatchObject({ event: 'ready', issuer: ISSUER });
    const socket = join(folder, 'issuer.sock');
    expect((statSync(socket).mode & 0o777).toString(8)).toBe('660');
    expect(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')).toContain('--permission');
    expect(await ask(socket, {})).toEqual({ status: 404, body: '' });
    const found = await ask(socket, { [ISSUER_KEY_HEADER]: issuerKey(secret), 'x-forwarded-proto': 'https' });
    expect(JSON.parse(found.body)).toMatchObject({
      issuer: ISSUER,
      authorization_response_iss_parameter_supported: true,
    });
    const second = run('issuer', '--config', 'issuer.yaml');
    expect([second.status, second.stderr]).toEqual([4, expect.stringMatching(/already listens/)]);
    const rotated = run('issuer', 'rotate-keys', '--config', 'issuer.yaml', '--json');
    expect(JSON.parse(rotated.stdout)).toMatchObject({ ok: true, kid: expect.any(String) });
    const again = run('issuer', 'rotate-keys', '--config', 'issuer.yaml');
    expect([again.status, again.stderr]).toEqual([2, expect.stringMatching(/published already/)]);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    for (const line of log.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('event');
    expect(log).not.toContain(secret.toString());
  });

  function ask(socket: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      request(
        {
          socketPath: socket,
          path: '/.well-known/openid-configuration',
          headers: { host: 'id.clinic.example', ...headers },
        },
        (answer) => {
          let body = '';
          answer.setEncoding('utf8').on('data', (text: string) => {
            body += text;
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
        },
      )
        .on('error', reject)
        .end();
    });
  }
});
