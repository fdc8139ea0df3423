import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { canonicalPath, readPath } from '../../gateway/canonical/path.ts';
import { workFolder } from '../machine.ts';
import { onStop, stopEverything } from '../processes.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { Random } from './framing/random.ts';

/** Spellings that are sent through a whole gateway. */
const FULL = 100_000;
const SHORT = 4000;
const AT_ONCE = 100;
/** Further ones that only the canonicaliser reads. */
const FIXED_POINTS = 400_000;

/** Paths that the token of the measurement has no scope for, or that no route has. */
const PROTECTED = [
  '/fhir/Patient/1',
  '/fhir/Observation/2',
  '/patients/3',
  '/documents/4/content',
  '/server-status',
];
/** What the token does reach: a way in for whoever climbs out of it again. */
const OPEN = ['/static', '/fhir/Encounter'];

const SEPARATORS = [
  '/',
  '//',
  '/./',
  '%2f',
  '%2F',
  '%5c',
  '\\',
  '/;/',
  ';/',
  '/%2e/',
  '%252f',
  '/%20/',
  '/..;/',
  '\u2215',
  '%e2%88%95',
  '%c0%af',
  '/.%00/',
  '/\t',
  '/%09',
];
const UPS = [
  '..',
  '%2e%2e',
  '.%2e',
  '%2e.',
  '..;',
  '..;x=y',
  '%2e%2e%3b',
  '..%00',
  '%252e%252e',
  '%c0%ae%c0%ae',
  '.. ',
  '..%20',
  '...',
  '..%5c',
  '%u002e%u002e',
];
const ENDS = [
  '',
  '/',
  '//',
  '/.',
  '/..',
  ';x',
  '%3bx',
  '.',
  '%2e',
  '%20',
  '%00',
  '#',
  '%23',
  '?',
  '%3f',
  '?x=/static/emr.css',
  ';/static/emr.css',
  '/static/emr.css',
  '%0a',
  '.css',
  '.json',
  '%2f',
  '~',
  '%7e',
];

/** A spelling of a path: of the same place for one server or another, and not for all. */
export function spelling(random: Random): string {
  const target = random.pick(PROTECTED);
  let text = target;
  for (let times = 1 + random.below(3); times > 0; times -= 1) text = change(text, random);
  if (random.chance(0.35)) {
    const inside = random.pick(OPEN);
    const climbs = inside.split('/').length - 1 + random.below(2);
    let climb = '';
    for (let step = 0; step < climbs; step += 1) climb += random.pick(SEPARATORS) + random.pick(UPS);
    text = `${inside}${climb}${random.chance(0.7) ? text : random.pick(SEPARATORS) + text.slice(1)}`;
  }
  return text.startsWith('/') || random.chance(0.05) ? text : `/${text}`;
}

function change(text: string, random: Random): string {
  const at = random.below(text.length);
  const letter = text[at] ?? '';
  const cut = (by: string) => text.slice(0, at) + by + text.slice(at + 1);
  switch (random.below(9)) {
    case 0:
      return cut(`%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`);
    case 1:
      return cut(`%25${letter.charCodeAt(0).toString(16).padStart(2, '0')}`);
    case 2:
      return cut(random.chance(0.5) ? letter.toUpperCase() : letter.toLowerCase());
    case 3:
      return text.replace('/', () => random.pick(SEPARATORS));
    case 4:
      return text + random.pick(ENDS);
    case 5:
      return text.slice(0, at) + random.pick(ENDS) + text.slice(at);
    case 6:
      return text.slice(0, at) + random.pick(UPS) + text.slice(at);
    case 7: {
      const slash = text.lastIndexOf('/');
      return `${text.slice(0, slash)}${random.pick(SEPARATORS)}${text.slice(slash + 1)}`;
    }
    default:
      return text.slice(0, at) + random.pick(SEPARATORS) + text.slice(at);
  }
}

/** What a server might make of a target that it got: the most generous reading there is. */
export function generously(target: string): string {
  let text = target.replace(/[?#].*$/s, '');
  for (let times = 0; times < 3; times += 1) {
    text = text.replace(/%(?:25)*([0-9a-f]{2})/gi, (_, code) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
  }
  const segments: string[] = [];
  for (const part of text.replaceAll('\\', '/').split('/')) {
    const name = (part.split(/[;\0]/)[0] ?? '').trim().replace(/(?<=[^.])\.+$/, '');
    if (name === '..') segments.pop();
    else if (name !== '' && name !== '.') segments.push(name.toLowerCase());
  }
  return `/${segments.join('/')}`;
}

const isProtected = (target: string): boolean => {
  const place = generously(target);
  return PROTECTED.some((path) => place === path.toLowerCase() || place.startsWith(`${path.toLowerCase()}/`));
};

/** 100,000 spellings of protected paths (a few thousand when short), with a token that is good and has no scope for them. */
export function measurePaths(options: MeasureOptions): Promise<MeasureResult> {
  return paths(options, workFolder('inspection-paths'));
}

/** The same in a folder that is emptied first. */
export async function paths(options: MeasureOptions, directory: string): Promise<MeasureResult> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o777);
  const spellings = options.short ? SHORT : FULL;
  const problems: string[] = [];
  try {
    const reached: string[] = [];
    const server = createServer((request, response) => {
      reached.push(request.url ?? '');
      response.end('ok');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onStop(async () => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    const { startStack } = await import('../../examples/demo/stack.ts');
    const plenty = () => ({ requests: 100_000_000, window: '60s' });
    const stack = await startStack({
      directory: join(directory, 'stack'),
      workers: 1,
      limits: { perPeer: plenty(), perPrincipal: plenty() },
      hidingDeadline: '20ms',
      onStep: options.progress,
      backends: {
        north: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
      },
    });
    onStop(() => stack.stop());
    const token = await stack.token({ tenant: 'north', scopes: ['system/MedicationRequest.rs'] });
    const sender = new Sender(stack.tenants.north.origin, token);
    const control = await sender.send('/fhir/MedicationRequest/1');
    if (control !== 200) problems.push(`what the token may reach answered ${control}`);
    reached.length = 0;
    options.progress(`${spellings} spellings over HTTP/2`);
    const statuses = new Map<number, number>();
    const random = new Random(20_261_122);
    let made = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (made < spellings) {
          made += 1;
          const status = await sender.send(spelling(random));
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      }),
    );
    sender.close();
    const wrong = reached.filter(isProtected);
    options.progress('fixed points');
    const unfixed = fixedPoints(options.short ? FIXED_POINTS / 20 : FIXED_POINTS);
    return present({ spellings, statuses, reached, wrong, unfixed, problems });
  } finally {
    await stopEverything();
  }
}

const SENDABLE = /^[A-Za-z0-9._~!$&'()*+,;=:@/%?-]+$/;

/** Requests over HTTP/2, on a new session whenever the gateway closed the one before. */
class Sender {
  readonly #origin: URL;
  readonly #token: string;
  #session: ClientHttp2Session | undefined;

  constructor(origin: string, token: string) {
    this.#origin = new URL(origin);
    this.#token = token;
  }

  /** @returns the status; 0 when the stream or session was closed instead */
  send(path: string): Promise<number> {
    // What HTTP/2 libraries refuse, on whichever side, goes as bytes.
    return SENDABLE.test(path) ? this.#stream(path) : this.#bytes(path);
  }

  #bytes(path: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    let text = '';
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(this.#origin.port),
      servername: this.#origin.hostname,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    socket.once('secureConnect', () =>
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${this.#origin.host}\r\nAuthorization: Bearer ${this.#token}\r\nConnection: close\r\n\r\n`,
      ),
    );
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)));
    socket.setTimeout(5000, () => socket.destroy());
    return promise;
  }

  #stream(path: string): Promise<number> {
    const session = this.#open();
    const { promise, resolve } = Promise.withResolvers<number>();
    let status = 0;
    try {
      const stream = session.request({
        ':path': path,
        ':authority': this.#origin.host,
        authorization: `Bearer ${this.#token}`,
      });
      stream.on('response', (headers) => {
        status = Number(headers[':status']);
      });
      stream.on('error', () => {});
      stream.on('close', () => resolve(status));
      stream.resume();
      stream.end();
    } catch {
      // What even a client's own library does not send.
      resolve(-1);
    }
    return promise;
  }

  close(): void {
    this.#session?.destroy();
  }

  #open(): ClientHttp2Session {
    const known = this.#session;
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const made = connect(`https://127.0.0.1:${this.#origin.port}`, {
      servername: this.#origin.hostname,
      rejectUnauthorized: false,
    });
    made.setMaxListeners(0);
    made.on('error', () => {});
    this.#session = made;
    return made;
  }
}

/** How many canonical paths, read again, are another path. */
function fixedPoints(count: number): { readonly read: number; readonly unfixed: number } {
  const random = new Random(7);
  let read = 0;
  let unfixed = 0;
  for (let index = 0; index < count; index += 1) {
    const raw = spelling(random);
    for (const reader of [canonicalPath, readPath]) {
      const path = reader(raw);
      if (path === undefined) continue;
      read += 1;
      const again = reader(path.text);
      const same =
        again?.text === path.text &&
        again.segments.length === path.segments.length &&
        again.segments.every((segment, at) => segment === path.segments[at]);
      if (!same) unfixed += 1;
    }
  }
  return { read, unfixed };
}

function present(all: {
  readonly spellings: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly reached: readonly string[];
  readonly wrong: readonly string[];
  readonly unfixed: { readonly read: number; readonly unfixed: number };
  readonly problems: readonly string[];
}): MeasureResult {
  const name = (status: number) =>
    status === 0 ? 'closed' : status === -1 ? 'not sendable' : String(status);
  return {
    tables: [
      {
        title: 'Spellings of protected paths, with a token that has no scope for them',
        columns: [
          { title: 'answer', align: 'left' },
          { title: 'spellings', align: 'right' },
        ],
        rows: [...all.statuses]
          .sort(([a], [b]) => a - b)
          .map(([status, count]) => [name(status), String(count)]),
        footnotes: [
          `${all.reached.length} requests reached the back end (paths that the token may have), ${all.wrong.length} of them a protected path by the most generous reading.`,
          `${all.unfixed.read} canonical paths were read again; ${all.unfixed.unfixed} became another path.`,
        ],
      },
    ],
    floors: [
      floor('spellings of protected paths that reached them without their scope', all.wrong.length),
      floor('canonical paths that are no fixed point', all.unfixed.unfixed),
    ],
    problems: all.problems,
    notes: all.wrong.slice(0, 10).map((target) => `reached: ${JSON.stringify(target)}`),
    figures: {
      paths: {
        spellings: all.spellings,
        answers: Object.fromEntries([...all.statuses].map(([status, count]) => [name(status), count])),
        reached: all.reached.length,
        wrong: all.wrong.slice(0, 50),
        ...all.unfixed,
      },
    },
  };
}

function floor(name: string, measured: number) {
  return { name, bound: 'at-most' as const, limit: 0, unit: '', measured, optional: false };
}
