import { expect, test } from 'vitest';
import { runDump } from '../../measure/identity/dump.ts';
import { openBench } from '../../measure/identity/negative/bench.ts';
import { CASES_FLOOR } from '../../measure/identity/negative/run.ts';
import { SIGN_IN_CASES } from '../../measure/identity/negative/sign-in.ts';
import { TOKEN_CASES } from '../../measure/identity/negative/tokens.ts';
import { runReplay } from '../../measure/identity/replay.ts';
import { welch } from '../../measure/identity/timing.ts';
import { floorState } from '../../measure/report.ts';

const silent = { progress: () => undefined };

test('of everything that a real provider would not give, nothing is let in', async () => {
  const bench = await openBench();
  try {
    const cases = [...TOKEN_CASES, ...SIGN_IN_CASES];
    expect(cases.filter(({ good }) => good !== true).length).toBeGreaterThanOrEqual(CASES_FLOOR);
    const wrong: string[] = [];
    for (const one of cases)
      if ((await one.run(bench)) !== (one.good === true)) wrong.push(`${one.side}: ${one.name}`);
    expect(wrong).toEqual([]);
  } finally {
    await bench.stop();
  }
});

test('one code of a second factor counts once of 200, and a day of guesses stays within what was computed', async () => {
  const { floors, problems, figures } = await runReplay(silent);
  expect(problems).toEqual([]);
  expect(floors.map(floorState)).toEqual(['met', 'met']);
  expect(figures).toMatchObject({ secondFactor: { accepted: 1, simultaneous: 200 } });
});

test('nothing in a dump of the state store lets anybody in', async () => {
  const { floors, problems } = await runDump(silent);
  expect(problems).toEqual([]);
  expect(floors.map(floorState)).toEqual(['met', 'met']);
});

test('Welch’s t tells two samples apart, and does not tell one from itself', () => {
  const ramp = Array.from({ length: 200 }, (_, index) => index % 20);
  expect(welch(ramp, ramp)).toBe(0);
  expect(
    Math.abs(
      welch(
        ramp,
        ramp.map((value) => value + 5),
      ),
    ),
  ).toBeGreaterThan(4.5);
  expect(Math.abs(welch(ramp, ramp.toReversed()))).toBeLessThan(1e-9);
});
