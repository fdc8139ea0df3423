import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Agent, fetch } from 'undici';
import type { IssuerClient, IssuerConfiguration } from '../../../examples/demo/issuer-configuration.ts';
import { guard } from '../../../examples/support/guardian.ts';
import { createAuthority } from '../../../examples/support/local-authority.ts';
import { freePort } from '../../../examples/support/ports.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

export interface FormAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The demo's OpenID provider, started as the demo starts it. */
export interface RealIssuer {
  readonly issuer: string;
  readonly authorityPem: string;
  secretOf(client: string): string;
  /** Posts a form to one of the provider's endpoints, authenticated as the client. */
  post(
    endpoint: 'token' | 'introspection' | 'revocation',
    client: string,
    form: Record<string, string>,
  ): Promise<FormAnswer>;
  /** An access token for the client. */
  token(client: string, form?: Record<string, string>): Promise<string>;
  metadata(): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
  /** Starts it again on the same port; its signing key is a new one. */
  start(): Promise<void>;
  /** Everything it wrote to stderr. */
  readonly complaints: string;
}

export async function startRealIssuer(
  name: string,
  clients: readonly Omit<IssuerClient, 'secretFile'>[],
  opaqueResources: readonly string[] = [],
): Promise<RealIssuer> {
  const directory = join(ROOT, '.work', name);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const authority = await createAuthority('Test authority');
  const leaf = await authority.issue({ commonName: 'localhost', hosts: ['localhost', '127.0.0.1'] });
  const port = await freePort();
  const issuer = `https://localhost:${port}`;
  const certificateFile = join(directory, 'certificate.pem');
  const keyFile = join(directory, 'key.pem');
  await writeFile(certificateFile, leaf.certificatePem);
  await writeFile(keyFile, leaf.keyPem, { mode: 0o600 });
  const secrets = new Map<string, string>();
  const entries: IssuerClient[] = [];
  for (const client of clients) {
    const secretFile = join(directory, `${client.id}.secret`);
    // With characters that RFC 6749 §2.3.1 wants form-encoded before they go into the Basic credential.
    const secret = `${randomBytes(18).toString('base64')}%+:`;
    secrets.set(client.id, secret);
    await writeFile(secretFile, `${secret}\n`, { mode: 0o600 });
    entries.push({ ...client, secretFile });
  }
  const configuration: IssuerConfiguration = {
    issuer,
    certificateFile,
    keyFile,
    clients: entries,
    opaqueResources,
  };
  const configurationFile = join(directory, 'issuer.json');
  await writeFile(configurationFile, JSON.stringify(configuration));

  const dispatcher = new Agent({ connect: { ca: authority.certificatePem } });
  let child: ChildProcess | undefined;
  let complaints = '';

  async function start(): Promise<void> {
    const started = spawn(process.execPath, [join(ROOT, 'examples', 'demo', 'issuer.ts')], {
      env: { PATH: process.env.PATH, ISSUER_PORT: String(port), ISSUER_CONFIG: configurationFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    guard(started);
    started.stderr?.on('data', (chunk: Buffer) => {
      complaints += chunk.toString();
    });
    const lines = createInterface({ input: started.stdout as NodeJS.ReadableStream });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    lines.once('line', resolve);
    started.once('exit', (code) => reject(new Error(`the issuer ended with ${code}: ${complaints}`)));
    const first = await promise;
    if (first !== 'listening') throw new Error(`the issuer's first line was: ${first}`);
  }

  async function stop(): Promise<void> {
    const running = child;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill('SIGTERM');
    await ended;
  }

  const secretOf = (client: string): string => {
    const secret = secrets.get(client);
    if (secret === undefined) throw new Error(`no such client: ${client}`);
    return secret;
  };

  const PATHS = {
    token: '/token',
    introspection: '/token/introspection',
    revocation: '/token/revocation',
  } as const;

  async function post(
    endpoint: keyof typeof PATHS,
    client: string,
    form: Record<string, string>,
  ): Promise<FormAnswer> {
    const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
    const credential = Buffer.from(`${encode(client)}:${encode(secretOf(client))}`).toString('base64');
    const response = await fetch(`${issuer}${PATHS[endpoint]}`, {
      method: 'POST',
      dispatcher,
      headers: { authorization: `Basic ${credential}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  }

  async function token(client: string, form: Record<string, string> = {}): Promise<string> {
    const answer = await post('token', client, { grant_type: 'client_credentials', ...form });
    const { access_token: accessToken } = answer.body;
    if (typeof accessToken !== 'string')
      throw new Error(`no token: ${answer.status} ${JSON.stringify(answer.body)}`);
    return accessToken;
  }

  await start();
  return {
    issuer,
    authorityPem: authority.certificatePem,
    secretOf,
    post,
    token,
    metadata: async () => {
      const response = await fetch(`${issuer}/.well-known/openid-configuration`, { dispatcher });
      return (await response.json()) as Record<string, unknown>;
    },
    start,
    stop: async () => {
      await stop();
    },
    get complaints() {
      return complaints;
    },
  };
}
