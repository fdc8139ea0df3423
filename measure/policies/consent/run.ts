import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, atMost, type Part, part, quantile, table } from '../../integrity/parts.ts';
import type { MeasureOptions } from '../../report.ts';
import { type ConsentClinic, startConsentClinic } from './clinic.ts';

/** Connections that ask for the shared record all the time; the kernel spreads them over the two workers. */
const WATCHERS = 12;
/** Connections besides, of whoever needs no consent. */
const OTHERS = 8;
/** Milliseconds between an answer and the next request: enough load, and the store is asked in time by whom it may. */
const PAUSE_MS = 10;
const OWN = { kind: 'organisation', tenant: 'south' };

interface Watcher {
  /** Of the last answer. */
  status: number;
  /** When the last request was sent that was permitted; `performance.now()`. */
  permittedAt: number;
  /** When the first answer since then came that was a denial. */
  deniedAt: number;
  asked: number;
}

/**
 * How long after a withdrawal, or after the loss of the store, somebody still gets what a patient shared: over two
 * workers, under load. The time counts from the moment at which the withdrawal is sent.
 */
export async function runConsent({ short, progress }: MeasureOptions): Promise<Part> {
  const found: Found[] = [];
  // Only the server can be lost: the short form has that one alone.
  const states = short
    ? ([['mariadb', 6]] as const)
    : ([
        ['sqlite', 200],
        ['mariadb', 25],
      ] as const);
  for (const [state, trials] of states) {
    progress(`consent: two clinics, state in ${state}`);
    const clinic = await startConsentClinic(`measure-consent-${state}`, { workers: 2, state });
    try {
      const each = await measureOn(clinic, state, trials, progress);
      found.push(each);
      const longest = Math.max(...each.denials).toFixed(0);
      progress(`consent: ${each.denials.length} withdrawals on ${state}, the longest ${longest} ms`);
    } finally {
      await clinic.stop();
    }
  }
  const all = found.flatMap(({ denials }) => denials);
  const permits = found.flatMap(({ lastPermits }) => lastPermits);
  const lost = found.flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
  const ms = (value: number): string => value.toFixed(0);
  return part({
    tables: [
      table(
        'Consent: from the withdrawal to the first denial, the slowest of twelve connections over two workers',
        [
          'state',
          'trials',
          'median ms',
          'p99 ms',
          'longest ms',
          'over 1 s',
          'last request permitted, ms',
          'requests/s',
        ],
        found.map(({ state, denials, lastPermits, rate }) => [
          state,
          String(denials.length),
          ms(quantile(denials, 0.5)),
          ms(quantile(denials, 0.99)),
          ms(Math.max(...denials)),
          String(denials.filter((each) => each > 1000).length),
          ms(Math.max(...lastPermits)),
          ms(rate),
        ]),
        1,
        [
          'from when the withdrawal is sent to when the denial has arrived; a hidden answer leaves at its deadline, 50 ms after the request arrived',
          ...lost.map(
            ({ denied, lastPermit, back }) =>
              `store killed: last request permitted ${ms(lastPermit)} ms later, the slowest denial arrived after ${ms(denied)} ms; permitted again ${ms(back)} ms after it was back`,
          ),
        ],
      ),
    ],
    floors: [
      atLeast('consent: withdrawals', all.length, short ? 6 : 200),
      atMost('consent: longest from a withdrawal to the first denial', round(Math.max(...all)), 1000, ' ms'),
      atMost(
        'consent: longest until a request is not permitted any more',
        round(Math.max(...permits)),
        1000,
        ' ms',
      ),
      atMost(
        'consent: longest until nothing is permitted after the store was lost',
        round(lost[0]?.lastPermit ?? Number.NaN),
        1000,
        ' ms',
      ),
      atLeast('consent: workers that answered', Math.min(...found.map(({ workers }) => workers)), 2),
    ],
    figures: { consent: found.map((each) => ({ ...each })) },
  });
}

const round = (value: number): number => Math.round(value);

/** Milliseconds from the moment at which the store's process is killed, or from which it is back. */
interface Loss {
  readonly [name: string]: number;
  readonly denied: number;
  readonly lastPermit: number;
  readonly back: number;
}

interface Found {
  readonly [name: string]: string | number | readonly number[] | Loss | undefined;
  readonly state: string;
  readonly denials: readonly number[];
  readonly lastPermits: readonly number[];
  readonly rate: number;
  readonly workers: number;
  readonly loss: Loss | undefined;
}

async function measureOn(
  clinic: ConsentClinic,
  state: string,
  trials: number,
  progress: (line: string) => void,
): Promise<Found> {
  const [doctor, patient, staff] = await Promise.all(
    ['doctor', 'own-app', 'staff'].map((client) => clinic.token(client)),
  );
  const load = new Load(clinic);
  const watchers = Array.from({ length: WATCHERS }, () => load.watch('/fhir/Patient/p1', doctor ?? ''));
  for (let n = 0; n < OTHERS; n += 1) load.watch('/fhir/Patient/p2', staff ?? '');
  const denials: number[] = [];
  const lastPermits: number[] = [];
  const begun = performance.now();
  try {
    for (let trial = 0; trial < trials; trial += 1) {
      const id = await grant(clinic, patient ?? '');
      await until(() => watchers.every(({ status }) => status === 200));
      // At whatever moment of the workers' rounds.
      await sleep(Math.random() * 250);
      for (const watcher of watchers) watcher.deniedAt = Number.NaN;
      const at = performance.now();
      const reply = await clinic.post(`/.chartgate/consents/${id}/withdraw`, patient, '');
      if (reply.status !== 200) throw new Error(`a consent could not be withdrawn: ${reply.status}`);
      await until(() => watchers.every(({ deniedAt, status }) => deniedAt > at && status === 404));
      denials.push(Math.max(...watchers.map(({ deniedAt }) => deniedAt - at)));
      lastPermits.push(Math.max(0, ...watchers.map(({ permittedAt }) => permittedAt - at)));
      if ((trial + 1) % 50 === 0) progress(`consent: ${trial + 1} withdrawals on ${state}`);
    }
    const seconds = (performance.now() - begun) / 1000;
    const rate = load.asked / seconds;
    const workers = workersThatAnswered(clinic);
    const loss = clinic.stateServer === undefined ? undefined : await lose(clinic, watchers, patient ?? '');
    return { state, denials, lastPermits, rate, workers, loss };
  } finally {
    load.stop();
  }
}

/** Each worker has a chain of its own in the activity log: how many of them have somebody's requests by consent in it. */
function workersThatAnswered({ stack }: ConsentClinic): number {
  const folder = stack.layout.activity;
  const chains = new Map<string, boolean>();
  for (const file of readdirSync(folder)) {
    const worker = file.split('.', 1)[0] ?? '';
    if (!worker.startsWith('worker-') || !file.endsWith('.jsonl')) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    chains.set(worker, chains.get(worker) === true || text.includes('+consent-in-force'));
  }
  return [...chains.values()].filter((answered) => answered).length;
}

/** The store is killed while what is shared is being read, and comes back. */
async function lose(clinic: ConsentClinic, watchers: readonly Watcher[], patient: string) {
  await grant(clinic, patient);
  await until(() => watchers.every(({ status }) => status === 200));
  for (const watcher of watchers) watcher.deniedAt = Number.NaN;
  const at = performance.now();
  await clinic.stateServer?.kill();
  await until(() => watchers.every(({ deniedAt, status }) => deniedAt > at && status === 404));
  const denied = Math.max(...watchers.map(({ deniedAt }) => deniedAt - at));
  const lastPermit = Math.max(0, ...watchers.map(({ permittedAt }) => permittedAt - at));
  await clinic.stateServer?.restart();
  const returned = performance.now();
  await until(() => watchers.every(({ status }) => status === 200), 30_000);
  return { denied, lastPermit, back: performance.now() - returned };
}

async function grant(clinic: ConsentClinic, patient: string): Promise<string> {
  const reply = await clinic.post('/.chartgate/consents', patient, {
    patient: 'p1',
    grantee: OWN,
    resourceTypes: ['Patient'],
    actions: ['read'],
    until: new Date(Date.now() + 3_600_000).toISOString(),
  });
  if (reply.status !== 201) throw new Error(`a consent could not be granted: ${reply.status} ${reply.text}`);
  return (JSON.parse(reply.text) as { id: string }).id;
}

async function until(holds: () => boolean, patience = 15_000): Promise<void> {
  const end = performance.now() + patience;
  while (!holds()) {
    if (performance.now() > end) throw new Error('what was waited for did not come about');
    await sleep(2);
  }
}

/** Keep-alive connections, each of which asks again soon after it was answered. */
class Load {
  readonly #clinic: ConsentClinic;
  readonly #watchers: Watcher[] = [];
  readonly #agents: Agent[] = [];
  #stopped = false;

  constructor(clinic: ConsentClinic) {
    this.#clinic = clinic;
  }

  get asked(): number {
    return this.#watchers.reduce((sum, { asked }) => sum + asked, 0);
  }

  watch(path: string, token: string): Watcher {
    const watcher: Watcher = { status: 0, permittedAt: Number.NaN, deniedAt: Number.NaN, asked: 0 };
    const { hostname, port, host } = new URL(this.#clinic.north);
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: this.#clinic.stack.authority });
    const headers = { host, authorization: `Bearer ${token}` };
    const options = { host: '127.0.0.1', port, servername: hostname, path, agent, headers };
    const again = (): void => {
      if (this.#stopped) return;
      const sent = performance.now();
      const failed = (): void => {
        watcher.status = 0;
        setTimeout(again, 20);
      };
      const outgoing = request(options, (incoming) => {
        incoming.on('error', failed);
        incoming.resume().once('end', () => {
          watcher.asked += 1;
          watcher.status = incoming.statusCode ?? 0;
          if (watcher.status === 200) {
            watcher.permittedAt = sent;
            watcher.deniedAt = Number.NaN;
          } else if (Number.isNaN(watcher.deniedAt)) watcher.deniedAt = performance.now();
          setTimeout(again, PAUSE_MS);
        });
      });
      outgoing.once('error', failed);
      outgoing.end();
    };
    again();
    this.#watchers.push(watcher);
    this.#agents.push(agent);
    return watcher;
  }

  stop(): void {
    this.#stopped = true;
    for (const agent of this.#agents) agent.destroy();
  }
}
