import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { readActivityLog } from '../../activity-log/index.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { workFolder } from '../machine.ts';
import { onStop, stopEverything } from '../processes.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { BACK_ENDS, type BackEnd, type BackEndName, note, startBackEnd } from './framing/back-ends.ts';
import { type Attempt, attemptOf } from './framing/generator.ts';
import { type Intent, judge } from './framing/judge.ts';

/** Attempts at each back end. */
const FULL = 1600;
const SHORT = 120;
const AT_ONCE = 16;
/** Milliseconds of silence after which an attempt is over. */
const QUIET_MS = 120;
const PIECE_MS = 4;

interface Row {
  readonly name: BackEndName;
  readonly attempts: number;
  readonly answered: number;
  readonly refused: number;
  readonly seen: number;
  readonly logged: number;
  readonly found: readonly string[];
}

/**
 * Requests that two parsers would read differently, through the gateway to four real servers: whatever any of them took
 * for a request must be one that the gateway decided on and recorded, with no field that it did not mean.
 */
export function measureFraming(options: MeasureOptions): Promise<MeasureResult> {
  return framing(options, BACK_ENDS, workFolder('inspection-framing'));
}

/** The same at some of the servers, in a folder that is emptied first. */
export async function framing(
  options: MeasureOptions,
  names: readonly BackEndName[],
  directory: string,
): Promise<MeasureResult> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o777);
  const attempts = options.short ? SHORT : FULL;
  const problems: string[] = [];
  const notes: string[] = [];
  try {
    const backEnds: BackEnd[] = [];
    for (const name of names) {
      const started = await startBackEnd(name, directory);
      if ('missing' in started) problems.push(`${name}: ${started.missing}`);
      else backEnds.push(started);
    }
    const between = new Switch();
    const stack = await startGateway(join(directory, 'stack'), await between.listen(), options);
    const { host } = new URL(stack.tenants.north.origin);
    const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.cruds'] });
    const counts = new Map<BackEndName, { answered: number; refused: number }>();
    for (const backEnd of backEnds) {
      between.turn(backEnd.origin);
      options.progress(`${attempts} attempts at ${backEnd.name}`);
      const count = { answered: 0, refused: 0 };
      counts.set(backEnd.name, count);
      let next = 0;
      const workers = Array.from({ length: AT_ONCE }, async () => {
        while (next < attempts) {
          const seed = 1 + next++;
          const statuses = await send(attemptOf(seed, { host, token }), host);
          if (statuses.some((status) => status >= 200 && status < 300)) count.answered += 1;
          else count.refused += 1;
        }
      });
      await Promise.all(workers);
    }
    await sleep(1500);
    // Every record is on disk before the logs are compared.
    await stack.gateway.stop();
    const intents = await intentsOf(stack);
    const rows = backEnds.map((backEnd): Row => {
      const found = judge(backEnd, intents, host);
      for (const why of found) note(directory, `${backEnd.name}: ${why}`);
      const { answered, refused } = counts.get(backEnd.name) ?? { answered: 0, refused: 0 };
      const logged = backEnd.accessLog().length;
      if (answered === 0 || backEnd.seen.length === 0) problems.push(`${backEnd.name} saw nothing at all`);
      return { name: backEnd.name, attempts, answered, refused, seen: backEnd.seen.length, logged, found };
    });
    if (rows.some((row) => row.found.length > 0))
      notes.push(`Each finding: ${join(directory, 'findings.txt')}`);
    return present(rows, names.length, problems, notes);
  } finally {
    await stopEverything();
  }
}

/** Passes bytes on as they are, to one server or another, so that one tenant's back end can be each of them in turn. */
class Switch {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #target = 0;

  constructor() {
    this.#server = createServer((client) => {
      const server = connectTcp(this.#target, '127.0.0.1');
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {});
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    onStop(async () => {
      this.turn('http://127.0.0.1:0');
      this.#server.close();
    });
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** From now on that server; connections to the one before are closed. */
  turn(origin: string): void {
    this.#target = Number(new URL(origin).port || 0);
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function startGateway(directory: string, backEnd: string, options: MeasureOptions): Promise<Stack> {
  const { startStack } = await import('../../examples/demo/stack.ts');
  const plenty = () => ({ requests: 10_000_000, window: '60s' });
  const stack = await startStack({
    directory,
    workers: 1,
    limits: { perPeer: plenty(), perPrincipal: plenty() },
    onStep: options.progress,
    backends: { north: backEnd },
  });
  onStop(() => stack.stop());
  return stack;
}

async function intentsOf(stack: Stack): Promise<ReadonlyMap<string, Intent>> {
  const intents = new Map<string, Intent>();
  for await (const { entry } of readActivityLog(stack.layout.activity)) {
    if (entry.kind === 'intent')
      intents.set(String(entry.request), { method: String(entry.method), route: String(entry.route) });
  }
  return intents;
}

/** One attempt over a connection of its own. @returns the statuses of what came back, in order */
function send(attempt: Attempt, host: string): Promise<readonly number[]> {
  const [name = '', port = ''] = host.split(':');
  const { promise, resolve } = Promise.withResolvers<readonly number[]>();
  let text = '';
  const socket = connect({
    host: '127.0.0.1',
    port: Number(port),
    servername: name,
    // The certificate is not what is measured, and is not for all of these names.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  let timer = setTimeout(() => socket.destroy(), 5000);
  const quiet = () => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), QUIET_MS);
  };
  socket.once('secureConnect', async () => {
    for (const [index, piece] of attempt.pieces.entries()) {
      if (index > 0) await sleep(PIECE_MS);
      if (!socket.destroyed) socket.write(piece);
    }
    timer.refresh();
    setTimeout(quiet, QUIET_MS);
  });
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    clearTimeout(timer);
    resolve([...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1])));
  });
  return promise;
}

function present(
  rows: readonly Row[],
  wanted: number,
  problems: readonly string[],
  notes: readonly string[],
): MeasureResult {
  const found = rows.reduce((sum, row) => sum + row.found.length, 0);
  return {
    tables: [
      {
        title: 'Mutated requests through the gateway to real servers',
        columns: [
          { title: 'back end', align: 'left' },
          { title: 'attempts', align: 'right' },
          { title: 'served', align: 'right' },
          { title: 'refused', align: 'right' },
          { title: 'requests it took', align: 'right' },
          { title: 'lines in its log', align: 'right' },
          { title: 'not authorised and recorded', align: 'right' },
        ],
        rows: rows.map((row) => [
          row.name,
          String(row.attempts),
          String(row.answered),
          String(row.refused),
          String(row.seen),
          String(row.logged),
          String(row.found.length),
        ]),
        footnotes: [
          'nginx, Apache and HAProxy pass on to a recorder, which sees every field that they took.',
        ],
      },
    ],
    floors: [
      {
        name: 'mutated requests at each of the back ends',
        bound: 'at-least',
        limit: rows.some((row) => row.attempts < 1500) ? SHORT : 1500,
        unit: '',
        measured: rows.length === wanted ? Math.min(...rows.map((row) => row.attempts)) : undefined,
        optional: false,
      },
      {
        name: 'requests or fields that the gateway did not authorise and record',
        bound: 'at-most',
        limit: 0,
        unit: '',
        measured: rows.length === 0 ? undefined : found,
        optional: false,
      },
    ],
    problems,
    notes,
    figures: { framing: rows.map((row) => ({ ...row, found: row.found.slice(0, 20) })) },
  };
}
