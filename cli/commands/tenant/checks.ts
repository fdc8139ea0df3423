import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { expiryMessage, tenantExpiries } from '../../../config/index.ts';
import { EXPIRES_SOON_MS } from '../../../contracts/certificates.ts';
import { systemClock } from '../../../contracts/clock.ts';
import type { BackendSettings, GatewaySettings, TenantSettings } from '../../../contracts/settings.ts';
import { createOracle } from '../../../gateway/integrity/oracle.ts';
import { createConnect } from '../../../tenant-router/transport.ts';

/** `todo`: nothing is wrong, and somebody still has to do something. */
export type Mark = 'ok' | 'todo' | 'failed';

export interface Finding {
  readonly mark: Mark;
  /** What was looked at. */
  readonly about: string;
  readonly sentence: string;
  /** What to do. */
  readonly remedy?: string;
}

const CONNECT_MS = 5000;
const ANSWER_MS = 10_000;

/** Everything that can be tried from here of a tenant whose settings are sound. Changes nothing anywhere. */
export async function lookAt(tenant: TenantSettings, settings: GatewaySettings): Promise<readonly Finding[]> {
  const found = await Promise.all([
    ...tenant.backends.map(backend),
    integrity(tenant, settings),
    ...tenant.hosts.map(host),
    certificate(tenant, settings),
    expiry(tenant, settings),
    signIn(tenant, settings),
  ]);
  return found.flat();
}

/** Reached, verified as the gateway will verify it, and it speaks HTTP. */
async function backend(settings: BackendSettings): Promise<readonly Finding[]> {
  const about = `back end ${settings.origin}`;
  const failed = (sentence: string, remedy: string): readonly Finding[] => [
    { mark: 'failed', about, sentence, remedy },
  ];
  let socket: Socket;
  try {
    socket = await connected(settings);
  } catch (error) {
    const code = codeOf(error);
    return failed(
      `cannot be reached from here: ${code}`,
      /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|PIN|ERR_TLS|ISSUER/.test(code)
        ? 'give the authority that issued its certificate ("authority"), or its key ("pinnedKeys"); the name in "origin" must be in it'
        : 'check the address, the firewall and whether it runs; a clinic behind a firewall dials out (chartgate tunnel)',
    );
  }
  const transport = transportOf(socket);
  const expires = expiryOf(socket);
  const spoken = await spoke(socket, settings.origin);
  if (!spoken.ok)
    return failed(
      `it was reached (${transport}), and did not answer in HTTP: ${spoken.why}`,
      'check the port, and whether it wants TLS ("https://")',
    );
  const version = settings.http2 === true ? await offered(settings) : 'HTTP/1.1';
  const told: Finding[] = [
    { mark: 'ok', about, sentence: `answers ${spoken.status} over ${transport}, ${version}` },
  ];
  if (expires !== undefined && expires - Date.now() < EXPIRES_SOON_MS) {
    const day = new Date(expires).toISOString().slice(0, 10);
    told.push({
      mark: 'todo',
      about,
      sentence: `its certificate expires on ${day}`,
      remedy: 'have it renewed',
    });
  }
  return told;
}

function connected(settings: BackendSettings): Promise<Socket> {
  const connect = createConnect(settings, { connectTimeoutMs: CONNECT_MS, keepAliveTimeoutMs: 1000 });
  return new Promise((resolve, reject) => {
    connect((error, socket) => {
      if (socket === null) reject(error ?? new TypeError('no connection'));
      else resolve(socket);
    });
  });
}

function transportOf(socket: Socket): string {
  if (!(socket instanceof TLSSocket)) return 'plain HTTP';
  return `${socket.getProtocol() ?? 'TLS'}, verified`;
}

function expiryOf(socket: Socket): number | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.validToDate.getTime() : undefined;
}

type Spoken = { readonly ok: true; readonly status: number } | { readonly ok: false; readonly why: string };

function spoke(socket: Socket, origin: string): Promise<Spoken> {
  return new Promise((resolve) => {
    const asked = request({
      createConnection: () => socket,
      method: 'HEAD',
      path: '/',
      headers: { host: new URL(origin).host, connection: 'close' },
      timeout: ANSWER_MS,
    });
    const end = (spoken: Spoken) => {
      socket.destroy();
      resolve(spoken);
    };
    asked.once('response', ({ statusCode }) => end({ ok: true, status: statusCode ?? 0 }));
    asked.once('timeout', () => end({ ok: false, why: 'no answer in time' }));
    asked.once('error', (error) => end({ ok: false, why: codeOf(error) }));
    asked.end();
  });
}

/** The version that it would choose; nothing is sent but the handshake, so that nothing need be verified again. */
function offered({ origin }: BackendSettings): Promise<string> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    const socket = connectTls({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port) || 443,
      ...(/^[\d.]+$|^\[/.test(hostname) ? {} : { servername: hostname }),
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: false,
      timeout: CONNECT_MS,
    });
    const end = (version: string) => {
      socket.destroy();
      resolve(version);
    };
    socket.once('secureConnect', () =>
      end(socket.alpnProtocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1, since it offers no HTTP/2'),
    );
    socket.once('error', () => end('HTTP/1.1'));
    socket.once('timeout', () => end('HTTP/1.1'));
  });
}

/** What the integrity checker says of its database, now. */
async function integrity(tenant: TenantSettings, settings: GatewaySettings): Promise<readonly Finding[]> {
  const about = `database ${tenant.database}`;
  const oracle = createOracle({ ...settings.integrity, databases: [tenant.database], clock: systemClock });
  try {
    const until = systemClock.monotonic() + 2 * settings.integrity.timeoutMs;
    for (;;) {
      const { state, findings } = await oracle.attest(
        tenant.database,
        { mode: 'strict' },
        systemClock.monotonic(),
      );
      if (state === 'intact')
        return [{ mark: 'ok', about, sentence: 'the integrity checker watches it; its audit is intact' }];
      if (
        state === 'unverified' &&
        !findings.includes('database-unknown') &&
        systemClock.monotonic() < until
      ) {
        // It begins to connect when it is made; until then every answer is "unverified".
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      return [notIntact(about, tenant.database, findings, state)];
    }
  } finally {
    await oracle.close();
  }
}

function notIntact(about: string, database: string, findings: readonly string[], state: string): Finding {
  const todo = (sentence: string, remedy: string): Finding => ({ mark: 'todo', about, sentence, remedy });
  if (findings.includes('database-unknown'))
    return todo(
      'the integrity checker does not know it: everything of this tenant is answered with 503 until it does',
      `add "${database}" to "databases" in the checker's settings, with an approved baseline (chartgate audit-sql baseline), and restart the checker`,
    );
  if (findings.includes('checker-unavailable'))
    return todo(
      'the integrity checker could not be asked from here',
      'start it, or run this as the gateway’s user',
    );
  return todo(
    `${state}: ${findings.join(', ')}`,
    "start or repair its audit (chartgate audit-sql start, verify); the checker's log says it in sentences",
  );
}

async function host(authority: string): Promise<readonly Finding[]> {
  const name = authority.replace(/:\d+$/, '');
  const about = `host ${authority}`;
  try {
    const { address } = await lookup(name);
    return [{ mark: 'ok', about, sentence: `the name leads to ${address}` }];
  } catch {
    const remedy = `enter ${name} in DNS, with the address of the gateway or of the balancer before it`;
    return [{ mark: 'todo', about, sentence: 'the name cannot be looked up from here', remedy }];
  }
}

async function certificate(tenant: TenantSettings, { listen }: GatewaySettings): Promise<readonly Finding[]> {
  const own = new X509Certificate(listen.certificate);
  const lacking = tenant.hosts.filter(
    (authority) => own.checkHost(authority.replace(/:\d+$/, ''), { subject: 'never' }) === undefined,
  );
  if (lacking.length === 0)
    return [{ mark: 'ok', about: 'certificate', sentence: "the listener's is for its hosts" }];
  return [
    {
      mark: 'todo',
      about: 'certificate',
      sentence: `the listener's is not for ${lacking.join(', ')}`,
      remedy: 'get one that has these names too ("listen.certificate"), and reload the gateway',
    },
  ];
}

async function expiry(tenant: TenantSettings, settings: GatewaySettings): Promise<readonly Finding[]> {
  const now = Date.now();
  return tenantExpiries(tenant, settings)
    .filter(({ expiresAt }) => expiresAt - now < EXPIRES_SOON_MS)
    .map((each) => ({
      mark: 'todo',
      about: 'certificate',
      sentence: expiryMessage(each, now),
      remedy: 'renew it',
    }));
}

/** What issuers have to be told. */
async function signIn(tenant: TenantSettings, settings: GatewaySettings): Promise<readonly Finding[]> {
  const todo = (about: string, sentence: string, remedy: string): Finding => ({
    mark: 'todo',
    about,
    sentence,
    remedy,
  });
  return tenant.issuers.flatMap((id) => {
    const issuer = settings.issuers.find((each) => each.id === id);
    if (issuer === undefined) return [];
    const about = `issuer ${id}`;
    const callbacks = tenant.hosts.map((authority) => `https://${authority}/.chartgate/callback`).join(' ');
    if (issuer.embedded !== undefined)
      return [
        todo(
          about,
          'the embedded issuer has to know the tenant',
          `add "${tenant.id}" with the audience ${tenant.audience} to its settings, and restart it`,
        ),
      ];
    const asks = todo(about, 'its tokens have to carry this audience', `register ${tenant.audience} there`);
    if (tenant.signIn?.issuers.includes(id) !== true) return [asks];
    return [
      asks,
      todo(
        about,
        'people are sent back from it after they signed in',
        `register there as redirect URI: ${callbacks}`,
      ),
    ];
  });
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? (typeof message === 'string' && message !== '' ? message : 'failed');
}
