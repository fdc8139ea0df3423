import { readFileSync } from 'node:fs';
import { systemClock } from '../../../contracts/clock.ts';
import type { StateSettings } from '../../../contracts/state.ts';
import { createFactors } from '../../../identity/factors/index.ts';
import { createSealer, openState } from '../../../identity/state/index.ts';
import { secretOf } from './support.ts';

/** What a process of its own is told on its standard input's file. */
export interface Contest {
  readonly settings: StateSettings;
  readonly password: string | undefined;
  readonly key: string;
  /** Added to the system's clock, milliseconds. */
  readonly offset: number;
  readonly failures: number;
  readonly guesses: readonly {
    readonly principal: string;
    readonly method: 'totp' | 'recovery-code';
    readonly code: string;
    readonly source: string;
  }[];
}

// One of several processes that try the same codes at the same moment: opens the store, says "ready", and on
// "go" makes all its guesses at once.
const contest = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Contest;
const clock = { ...systemClock, wall: () => systemClock.wall() + contest.offset };
const { settings } = contest;
const store = await openState(
  settings.kind === 'mysql'
    ? { ...settings, password: secretOf(Buffer.from(contest.password ?? '')), authority: undefined }
    : settings,
  clock,
);
const limit = { failures: contest.failures, lockMs: 900_000 };
const factors = createFactors({
  store,
  sealer: createSealer(secretOf(Buffer.from(contest.key, 'base64'))),
  clock,
  limits: { account: limit, source: { ...limit, clearedBySuccess: true }, consecutive: undefined },
});
process.on('message', async () => {
  const answers = await Promise.all(contest.guesses.map((guess) => factors.verify(guess)));
  process.send?.(answers.map((answer) => (answer.ok ? 'ok' : answer.why)));
  await store.close();
  process.disconnect?.();
});
process.send?.('ready');
