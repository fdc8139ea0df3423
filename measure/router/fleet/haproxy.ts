import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../../../examples/support/private-database.ts';
import { Service } from '../../../examples/support/service.ts';

/** The sample that administrators begin with. */
export const SAMPLE = join(import.meta.dirname, '..', '..', '..', 'deploy', 'haproxy', 'haproxy.cfg');

/** How often it looks whether a gateway is ready. Milliseconds; the sample says a second. */
export const CHECK_MS = 200;
const BOUND_MS = 15_000;

export interface Place {
  readonly host: string;
  readonly port: number;
  /** Where it says whether it is ready. */
  readonly readyPort: number;
}

export const haproxyProgram = (): string | undefined => findProgram('haproxy');

/** HAProxy with the sample configuration, at addresses of this machine. */
export class Haproxy {
  readonly #service: Service;
  readonly #socket: string;
  readonly #count: number;

  constructor(options: {
    readonly directory: string;
    readonly port: number;
    readonly gateways: readonly Place[];
  }) {
    const { directory, port, gateways } = options;
    this.#socket = join(directory, 'haproxy.sock');
    this.#count = gateways.length;
    const file = join(directory, 'haproxy.cfg');
    writeFileSync(file, adjusted(readFileSync(SAMPLE, 'utf8'), port, gateways, this.#socket));
    this.#service = new Service({
      name: 'HAProxy',
      command: haproxyProgram() ?? 'haproxy',
      // In the foreground; with -V it says something when it starts.
      args: ['-f', file, '-db', '-V'],
      ready: /./,
      logFile: join(directory, 'haproxy.log'),
    });
  }

  async start(): Promise<void> {
    await this.#service.start();
    await until('HAProxy answers', async () => {
      if (!this.#service.running) throw new Error('HAProxy ended at once');
      return (await this.command('show info')).includes('Version:');
    });
  }

  stop(): Promise<void> {
    return this.#service.stop();
  }

  /** New connections go to these gateways alone, counted from 1, from now on; connections that are there stay. */
  async only(...wanted: readonly number[]): Promise<void> {
    await this.#choose(wanted);
    await this.serving(...wanted);
  }

  /** All that are ready get new connections again, whichever those are. */
  release(): Promise<void> {
    return this.#choose(Array.from({ length: this.#count }, (_, index) => index + 1));
  }

  async #choose(wanted: readonly number[]): Promise<void> {
    for (let n = 1; n <= this.#count; n += 1)
      await this.command(`set server gateways/gateway-${n} state ${wanted.includes(n) ? 'ready' : 'maint'}`);
  }

  all(): Promise<void> {
    return this.only(...Array.from({ length: this.#count }, (_, index) => index + 1));
  }

  /** For as long as only the first one is there, it gets every connection, whether or not it was found to be ready. */
  async believeFirst(believe: boolean): Promise<void> {
    await this.command(`${believe ? 'disable' : 'enable'} health gateways/gateway-1`);
    if (believe) await this.command('set server gateways/gateway-1 health up');
  }

  /** Resolves once exactly these get new connections. */
  async serving(...wanted: readonly number[]): Promise<void> {
    await until(`HAProxy sends to ${wanted.join(', ')} alone`, async () => {
      const up = await this.up();
      return up.length === wanted.length && wanted.every((n) => up.includes(n));
    });
  }

  /** Gateways that get new connections. */
  async up(): Promise<readonly number[]> {
    const lines = (await this.command('show stat')).split('\n');
    return lines.flatMap((line) => {
      const [backend, server = '', ...rest] = line.split(',');
      // The status is the 18th column (management guide §9.1).
      const n = /^gateway-(\d+)$/.exec(server)?.[1];
      return backend === 'gateways' && n !== undefined && rest[15]?.startsWith('UP') ? [Number(n)] : [];
    });
  }

  command(text: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect(this.#socket);
    let said = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    socket.once('connect', () => socket.write(`${text}\n`));
    socket.once('error', () => resolve(''));
    socket.once('close', () => resolve(said));
    return promise;
  }
}

/** The sample, but for addresses, ports, how often it looks, and what only the administrator of a machine may do. */
function adjusted(sample: string, port: number, gateways: readonly Place[], socket: string): string {
  let text = sample
    .replace(/^ {4}(?:user|group) .*\n/gm, '')
    .replace(/maxconn \d+/g, 'maxconn 2000')
    .replace('/run/haproxy/admin.sock', socket)
    .replace('bind :443', `bind 127.0.0.1:${port}`)
    .replace('inter 1s', `inter ${CHECK_MS}ms`);
  for (const [index, { host, port: at, readyPort }] of gateways.entries()) {
    const before = text;
    text = text.replace(
      `server gateway-${index + 1} 10.20.0.1${index + 1}:8443`,
      `server gateway-${index + 1} ${host}:${at} port ${readyPort}`,
    );
    if (text === before) throw new Error(`the sample has no gateway ${index + 1}`);
  }
  return text;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const bound = performance.now() + BOUND_MS;
  while (!(await condition())) {
    if (performance.now() > bound) throw new Error(`${what}: not within ${BOUND_MS} ms`);
    await sleep(30);
  }
}
