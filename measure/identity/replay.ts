import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GuessBudget, guessBudget } from '../../identity/factors/index.ts';
import { atMost, type Part, part, table } from '../integrity/parts.ts';
import type { Floor, MeasureOptions } from '../report.ts';
import { codeAt, enrolTotp, factorsIn, openPlace, pushedClock } from './place.ts';

const CONTENDER = join(import.meta.dirname, 'replay-contender.ts');
const SIMULTANEOUS = 200;
const PROCESSES = 2;
const DAY_MS = 86_400_000;

export interface Contest {
  readonly file: string;
  readonly key: string;
  /** Added to the system's clock, milliseconds. */
  readonly ahead: number;
  readonly principal: string;
  readonly code: string;
  readonly times: number;
  readonly source: string;
}

/** One code, shown by many requests at two processes at the same moment. */
async function replay(): Promise<readonly string[]> {
  const clock = pushedClock();
  const place = await openPlace('replay', clock);
  const children = [];
  try {
    const { principal, key } = await enrolTotp(factorsIn(place, clock), clock, 'person-7');
    for (let index = 0; index < PROCESSES; index += 1) {
      const contest: Contest = {
        file: place.file,
        key: place.key.toString('base64'),
        ahead: clock.wall() - Date.now(),
        principal,
        code: codeAt(key, clock.wall()),
        times: SIMULTANEOUS / PROCESSES,
        source: `198.51.100.${index + 1}`,
      };
      const told = join(place.folder, `contest-${index}.json`);
      writeFileSync(told, JSON.stringify(contest), { mode: 0o600 });
      children.push(
        fork(CONTENDER, [told], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
      );
    }
    await Promise.all(children.map((child) => once(child, 'message')));
    const answers = children.map(async (child) => (await once(child, 'message'))[0] as string[]);
    for (const child of children) child.send('go');
    return (await Promise.all(answers)).flat();
  } finally {
    for (const child of children) if (child.connected) child.kill();
    await place.close();
  }
}

/** Guesses for a day, as many as are let through, from as many addresses as there are. */
async function guess(): Promise<{ readonly checked: number; readonly budget: GuessBudget }> {
  const clock = pushedClock();
  const place = await openPlace('guess', clock);
  try {
    const factors = factorsIn(place, clock);
    const { principal, key } = await enrolTotp(factors, clock, 'person-7');
    const until = clock.wall() + DAY_MS;
    let checked = 0;
    for (let source = 1; clock.wall() < until; source += 1) {
      const good = new Set([-60_000, -30_000, 0, 30_000, 60_000].map((ms) => codeAt(key, clock.wall() + ms)));
      const code = ['000000', '111111', '222222', '333333', '444444', '555555'].find((one) => !good.has(one));
      const answer = await factors.verify({
        principal,
        method: 'totp',
        code: code ?? '666666',
        source: `2001:db8:${source.toString(16)}::1`,
      });
      if (answer.ok) throw new Error('a wrong code was accepted');
      if (answer.why === 'code-wrong') checked += 1;
      else clock.push(answer.why === 'closed' ? 3_600_000 : Math.max(1, answer.retryAfter ?? 1) * 1000);
    }
    return { checked, budget: guessBudget() };
  } finally {
    await place.close();
  }
}

/** Second factors: one code many times, and many codes for a day. */
export async function runReplay({ progress }: Pick<MeasureOptions, 'progress'>): Promise<Part> {
  progress(`one TOTP code by ${SIMULTANEOUS} simultaneous requests on ${PROCESSES} processes`);
  const answers = await replay();
  const accepted = answers.filter((answer) => answer === 'ok').length;
  progress('guessing one account’s codes for 24 hours');
  const { checked, budget } = await guess();
  const floors: Floor[] = [
    atMost('times that one code was accepted, but for the one', Math.abs(accepted - 1)),
    atMost('guesses checked in 24 h', checked, budget.tries),
  ];
  return part({
    tables: [
      table(
        'Second factors',
        ['', 'tried', 'accepted or checked', 'expected'],
        [
          ['one code at the same moment', String(answers.length), String(accepted), '1'],
          [
            'guesses at one account in 24 h',
            'all that are let through',
            String(checked),
            `${budget.tries} (${budget.by})`,
          ],
        ],
        1,
        [`The chance that one of these guesses is right: ${(budget.probability * 100).toFixed(3)} %.`],
      ),
    ],
    floors,
    problems: answers.length === SIMULTANEOUS ? [] : [`only ${answers.length} answers`],
    figures: {
      secondFactor: {
        accepted,
        simultaneous: answers.length,
        checked,
        expected: budget.tries,
        probability: budget.probability,
      },
    },
  });
}
