import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { atLeast, part, table } from '../../integrity/parts.ts';
import { workFolder } from '../../machine.ts';
import type { MeasureOptions, MeasureResult } from '../../report.ts';
import { startScene, startSink } from '../scene.ts';
import { type AttackCase, attackCases, isHeldOut, wireOf } from './cases.ts';

const AT_ONCE = 8;
const LIMITS = { 1: 97, 2: 90 } as const;

interface Outcome {
  readonly attack: AttackCase;
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly rule: string;
}

/**
 * Requests that a web application firewall is expected to refuse, through a whole gateway whose route takes anything:
 * refused is what got no answer of the back end.
 */
export async function measureAttacks(options: MeasureOptions): Promise<MeasureResult> {
  const directory = workFolder('inspection-attacks');
  await rm(directory, { recursive: true, force: true });
  let reached = 0;
  const backEnd = await startSink(() => {
    reached += 1;
  });
  const scene = await startScene({
    directory: join(directory, 'stack'),
    backEnd,
    progress: options.progress,
  });
  const cases = attackCases().filter((_, index) => !options.short || index % 4 === 0);
  options.progress(`${cases.length} cases`);
  const outcomes: Outcome[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let attack = cases[next++]; attack !== undefined; attack = cases[next++])
        outcomes.push(await answered(attack, scene.authority, scene.port));
    }),
  );
  const before = reached;
  const honest = await send(
    { class: '', level: 1, rule: 0, case: 0, method: 'GET', uri: '/chart?id=17', headers: {}, body: null },
    scene.authority,
    scene.port,
  );
  const problems =
    honest.status === 200 && reached === before + 1
      ? []
      : [`an honest request was answered ${honest.status}: the gateway refuses everything`];
  const passed = outcomes.filter(({ status }) => status >= 200 && status < 400);
  if (passed.length !== before)
    problems.push(`${before} requests reached the back end, ${passed.length} were answered by it`);
  return present(outcomes, problems);
}

function present(outcomes: readonly Outcome[], problems: readonly string[]): MeasureResult {
  const classes = [...new Set(outcomes.map(({ attack }) => attack.class))].sort();
  const isRefused = ({ status }: Outcome): boolean => status === 0 || (status >= 400 && status < 500);
  const share = (of: readonly Outcome[]): number =>
    of.length === 0 ? Number.NaN : (100 * of.filter(isRefused).length) / of.length;
  const text = (value: number): string => (Number.isNaN(value) ? '–' : `${value.toFixed(1)} %`);
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  const floors = [];
  for (const level of [1, 2] as const) {
    for (const name of classes) {
      const here = outcomes.filter(({ attack }) => attack.class === name && attack.level === level);
      if (here.length === 0) continue;
      const refused = share(here);
      rows.push([
        name,
        String(level),
        String(here.length),
        text(refused),
        text(share(here.filter(({ attack }) => isHeldOut(attack)))),
      ]);
      figures[`${name}/${level}`] = refused;
      floors.push(atLeast(`attacks: ${name}, level ${level}, refused`, refused, LIMITS[level], ' %'));
    }
  }
  const rules = new Map<string, number>();
  for (const { rule } of outcomes) rules.set(rule, (rules.get(rule) ?? 0) + 1);
  return part({
    tables: [
      table(
        'Attacks through a gateway whose route takes anything, default settings',
        ['class', 'level', 'cases', 'refused', 'of those held out'],
        rows,
      ),
      table(
        'What refused them',
        ['rule', 'cases'],
        [...rules].sort((a, b) => b[1] - a[1]).map(([rule, count]) => [rule, String(count)]),
        1,
        ['`bad-request` and the like: refused before anything was searched, for having no single meaning.'],
      ),
    ],
    floors,
    problems: [...problems],
    notes: outcomes
      .filter((outcome) => !isRefused(outcome))
      .slice(0, 30)
      .map(
        ({ attack }) => `not refused: ${attack.class}, level ${attack.level}, ${attack.rule}/${attack.case}`,
      ),
    figures: { attacks: figures },
  });
}

/** A 503 says nothing of what was sent: it is sent again. */
async function answered(attack: AttackCase, authority: string, port: number): Promise<Outcome> {
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await send(attack, authority, port);
    if (outcome.status < 500 || attempt === 4) return outcome;
    await sleep(250);
  }
}

/** One request on a connection of its own. */
function send(attack: AttackCase, authority: string, port: number): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let text = '';
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: authority.split(':')[0] ?? '',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  const timer = setTimeout(() => socket.destroy(), 10_000);
  socket.once('secureConnect', () => socket.write(wireOf(attack, authority)));
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    clearTimeout(timer);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
    const rule = /"rule"\s*[:=]\s*"?([a-z0-9-]+)/.exec(text)?.[1] ?? ruleInProse(text);
    resolve({ attack, status, rule: status >= 200 && status < 400 ? 'none' : (rule ?? `status ${status}`) });
  });
  return promise;
}

/** Answers name place and rule in prose too, for people. */
function ruleInProse(text: string): string | undefined {
  return /\brule(?:<[^>]*>|\s|:)+([a-z0-9-]+)/i.exec(text.slice(text.indexOf('\r\n\r\n')))?.[1];
}
