import { systemClock } from '../../contracts/clock.ts';
import { Sessions } from '../../identity/sessions/index.ts';
import { atMost, type Part, part, quantile, table } from '../integrity/parts.ts';
import type { MeasureOptions } from '../report.ts';
import { median, rounded } from '../statistics.ts';
import { openBench } from './negative/bench.ts';
import { AUDIENCE } from './negative/provider.ts';
import { openPlace, tenantOf } from './place.ts';

/** Microseconds, of the issue. */
export const BEARER_FLOOR = 20;
export const SESSION_FLOOR = 50;

interface Cost {
  readonly median: number;
  readonly worst: number;
}

/** Microseconds a call, of groups of a thousand. */
function costOf(call: () => unknown, groups: number): Cost {
  const times: number[] = [];
  for (let group = 0; group < groups + 3; group += 1) {
    const begun = performance.now();
    for (let each = 0; each < 1000; each += 1) if (call() instanceof Promise) throw new Error('not at hand');
    // The first ones are for the compiler.
    if (group >= 3) times.push(performance.now() - begun);
  }
  return { median: median(times), worst: quantile(times, 0.99) };
}

/** What a bearer token that is remembered, and a session that is believed, cost each request. */
export async function runCost({
  progress,
  short,
}: Pick<MeasureOptions, 'progress' | 'short'>): Promise<Part> {
  progress('cost of a remembered token and of a session');
  const groups = short ? 30 : 300;
  const tenant = tenantOf('clinic-a');
  const bench = await openBench();
  const place = await openPlace('cost');
  try {
    const authorization = `Bearer ${await bench.provider.accessToken(AUDIENCE)}`;
    if (!(await bench.present(authorization))) throw new Error('the genuine token was refused');
    const request = {
      tenant,
      audience: AUDIENCE,
      issuers: ['main', 'other'],
      authorization,
      introspection: 'never',
    } as const;
    const bearer = costOf(() => bench.authenticator.authenticate(request), groups);

    const sessions = new Sessions({
      store: place.store,
      sealer: place.sealer,
      // Standing still, so that what is believed for a second is believed throughout.
      clock: { wall: systemClock.wall, monotonic: () => 0 },
      settings: { idleMs: 300_000, absoluteMs: 43_200_000 },
    });
    const now = Math.floor(Date.now() / 1000);
    const { secret } = await sessions.open(
      {
        tenant,
        issuerId: 'main',
        issuer: bench.provider.issuer,
        subject: 'person-7',
        clientId: 'gateway',
        scopes: ['patient/Patient.rs'],
        patient: undefined,
        stage: 'open',
        at: now,
        methods: ['pwd', 'otp'],
        acr: undefined,
        factorAt: now,
        sid: 's',
        browser: 'Firefox on Linux',
      },
      undefined,
    );
    const found = await sessions.find(secret, tenant);
    if (found.state !== 'live') throw new Error('the session was not found');
    const session = costOf(() => sessions.find(secret, tenant), groups);
    const row = (name: string, { median: middle, worst }: Cost) => [
      name,
      middle.toFixed(2),
      worst.toFixed(2),
    ];
    return part({
      tables: [
        table(
          'Cost of knowing who is asking, µs',
          ['credential', 'median', '99th percentile'],
          [row('bearer token, remembered', bearer), row('session, believed', session)],
        ),
      ],
      floors: [
        atMost('a verified, cached bearer token', bearer.median, BEARER_FLOOR, ' µs'),
        atMost('a session look-up', session.median, SESSION_FLOOR, ' µs'),
      ],
      figures: {
        cost: {
          bearerMicros: rounded(bearer.median, 2),
          bearerMicros99: rounded(bearer.worst, 2),
          sessionMicros: rounded(session.median, 2),
          sessionMicros99: rounded(session.worst, 2),
        },
      },
    });
  } finally {
    await bench.stop();
    await place.close();
  }
}
