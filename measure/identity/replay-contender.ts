import { readFileSync } from 'node:fs';
import { systemClock } from '../../contracts/clock.ts';
import { createFactors } from '../../identity/factors/index.ts';
import { createSealer, openState } from '../../identity/state/index.ts';
import { secretOf } from './place.ts';
import type { Contest } from './replay.ts';

// One of several processes that show the same code at the same moment: says "ready", and on "go" shows it.
const contest = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Contest;
const clock = { ...systemClock, wall: () => systemClock.wall() + contest.ahead };
const store = await openState({ kind: 'sqlite', file: contest.file }, clock);
// Locks aside: a lock would refuse most of them before the code is looked at.
const limit = { failures: 1000, lockMs: 900_000 };
const factors = createFactors({
  store,
  sealer: createSealer(secretOf(Buffer.from(contest.key, 'base64'))),
  clock,
  limits: { account: limit, source: { ...limit, clearedBySuccess: true }, consecutive: undefined },
});
const { principal, code, source, times } = contest;
process.on('message', async () => {
  const shown = Array.from({ length: times }, () =>
    factors.verify({ principal, method: 'totp', code, source }),
  );
  process.send?.((await Promise.all(shown)).map((answer) => (answer.ok ? 'ok' : answer.why)));
  await store.close();
  process.disconnect?.();
});
process.send?.('ready');
