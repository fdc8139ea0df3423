import { join } from 'node:path';
import { verifyActivityLog } from '../../activity-log/index.ts';
import { startStack } from '../../examples/demo/stack.ts';
import { redisProgram } from '../../examples/support/private-redis.ts';
import { atLeast, atMost, type Part, part, table } from '../integrity/parts.ts';
import { onStop } from '../processes.ts';
import type { MeasureOptions } from '../report.ts';
import {
  ALL,
  type LoadResult,
  limitsShared,
  loseOne,
  reloadAll,
  restart,
  tryLimit,
  underLoad,
} from './fleet/cases.ts';
import { haproxyProgram } from './fleet/haproxy.ts';
import { codeOnce, type PeopleResult, sessionGoesOn } from './fleet/people.ts';
import { type Fleet, GATEWAYS, type PreparedFleet, prepareFleet } from './fleet/stack.ts';

/** The bound. */
const WITHIN_PERCENT = 5;

interface Scale {
  readonly limit: number;
  readonly windowS: number;
  readonly rounds: number;
  readonly clients: number;
  readonly kills: number;
  /** Sessions and codes, Redis lost, and a restart of all, too. */
  readonly whole: boolean;
}
const FULL: Scale = { limit: 600, windowS: 6, rounds: 3, clients: 24, kills: 5, whole: true };
const SHORT: Scale = { limit: 100, windowS: 2, rounds: 1, clients: 6, kills: 1, whole: false };

interface Figures {
  readonly passed: number[];
  readonly apart: number[];
  other: number;
  readonly loads: { readonly what: string; readonly result: LoadResult }[];
  readonly lost: number[];
  beyond: number;
  people: PeopleResult | undefined;
  logFaults: number;
}

/**
 * Three gateways that share one Redis and one MariaDB behind HAProxy: one session, one limit, one use of each code for
 * all of them; and what clients notice when Redis or a gateway is lost, when the configuration changes, and when one
 * gateway after the other is restarted.
 */
export async function measureFleet(options: MeasureOptions): Promise<Part> {
  if (haproxyProgram() === undefined || redisProgram() === undefined)
    return part({ problems: ['fleet: HAProxy and Redis (or Valkey) must be installed'] });
  const scale = options.short ? SHORT : FULL;
  options.progress('three gateways, Redis, MariaDB, HAProxy');
  const fleet = await start(scale);
  const figures: Figures = {
    passed: [],
    apart: [],
    other: 0,
    loads: [],
    lost: [],
    beyond: 0,
    people: undefined,
    logFaults: 0,
  };
  if (scale.whole) {
    options.progress('sessions and codes');
    figures.people = { ...(await sessionGoesOn(fleet)), ...(await codeOnce(fleet)) };
  }
  const north = await fleet.stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
  await limits(fleet, scale, north, figures, options.progress);
  await changes(fleet, scale, north, figures, options.progress);
  for (let n = 0; n < scale.kills; n += 1) {
    options.progress(`kill -9, ${n + 1} of ${scale.kills}`);
    const which = ((n + 1) % GATEWAYS) + 1;
    const { failed, beyond } = await loseOne(fleet, north, which, scale.clients);
    figures.lost.push(failed.length);
    figures.beyond += beyond.length;
    if (n + 1 === scale.kills) break;
    await fleet.gateway(which).service.start();
    await fleet.haproxy.all();
  }
  for (const n of ALL)
    figures.logFaults += (await verifyActivityLog(fleet.gateway(n).activity)).faults.length;
  return partOf(figures, scale);
}

async function start(scale: Scale): Promise<Fleet> {
  let prepared: PreparedFleet | undefined;
  const stack = await startStack({
    directory: join(import.meta.dirname, '..', '..', '.work', 'measure-fleet'),
    people: scale.whole,
    guard: { mode: 'off' },
    hidingDeadline: '200ms',
    async prepare(around) {
      prepared = await prepareFleet(around, {
        southLimits: { perPrincipal: { requests: scale.limit, window: `${scale.windowS}s` } },
        secondFactorAtGateway: scale.whole,
      });
      return prepared;
    },
  });
  onStop(() => stack.stop());
  if (prepared === undefined) throw new Error('nothing was prepared');
  const fleet = await prepared.complete(stack);
  onStop(() => fleet.stop());
  return fleet;
}

async function limits(
  fleet: Fleet,
  scale: Scale,
  north: string,
  figures: Figures,
  progress: MeasureOptions['progress'],
): Promise<void> {
  const south = await fleet.stack.token({ tenant: 'south', scopes: ['system/Patient.r'] });
  const round = async (into: number[]) => {
    const { passed, other } = await tryLimit(fleet, south, scale.limit * 2, scale.windowS * 1000);
    into.push(passed);
    figures.other += other;
  };
  await limitsShared(fleet, true);
  for (let n = 0; n < scale.rounds; n += 1) {
    progress(`a limit over all of them, ${n + 1} of ${scale.rounds}`);
    await round(figures.passed);
  }
  if (!scale.whole) return;
  progress('Redis is lost, and back');
  const result = await underLoad(fleet, north, scale.clients, async () => {
    await fleet.redis.kill();
    await limitsShared(fleet, false);
    await round(figures.apart);
    await fleet.redisAgain();
    await limitsShared(fleet, true);
  });
  figures.loads.push({ what: 'Redis lost and back', result });
  await round(figures.passed);
}

async function changes(
  fleet: Fleet,
  { clients, whole }: Scale,
  north: string,
  { loads }: Figures,
  progress: MeasureOptions['progress'],
): Promise<void> {
  progress('another configuration');
  const changed = await underLoad(fleet, north, clients, () => reloadAll(fleet));
  loads.push({ what: 'configuration changed', result: changed });
  if (!whole) return;
  progress('one restarted after the other');
  const restarted = await underLoad(fleet, north, clients, () => restart(fleet));
  loads.push({ what: 'rolling restart', result: restarted });
}

function partOf(figures: Figures, { limit, windowS, clients, whole }: Scale): Part {
  const off = Math.max(...figures.passed.map((passed) => (Math.abs(passed - limit) / limit) * 100));
  const failed = (what: string) =>
    figures.loads.find((each) => each.what === what)?.result.failed.length ?? Number.NaN;
  const met = figures.people;
  return part({
    tables: [
      table(
        `Three gateways behind HAProxy, ${clients} clients that never stop`,
        ['while', 'requests', 'failed'],
        [
          ...figures.loads.map(({ what, result }) => [
            what,
            String(result.requests),
            String(result.failed.length),
          ]),
          ...figures.lost.map((lost, index) => [`kill -9, ${index + 1}`, '', String(lost)]),
        ],
      ),
      table(
        `A limit of ${limit} requests in ${windowS} s, over three gateways, under twice as many`,
        ['', 'passed'],
        [
          ...figures.passed.map((passed) => ['together', String(passed)]),
          ...figures.apart.map((passed) => ['while Redis is away', String(passed)]),
        ],
      ),
    ],
    floors: [
      atMost('limits over three gateways, off by', off, WITHIN_PERCENT, '%'),
      atMost('answers that were neither 200 nor 429', figures.other),
      atMost('failed while the configuration changed', failed('configuration changed')),
      atMost('lost with a gateway that was killed, at most one a client', Math.max(...figures.lost), clients),
      atMost('lost with a killed gateway that was not in its hands', figures.beyond),
      atMost('faults of the activity logs', figures.logFaults),
      ...(whole
        ? [
            atMost('passed while Redis was away', Math.max(...figures.apart), limit),
            atMost('failed while Redis was lost and came back', failed('Redis lost and back')),
            atMost('failed while one was restarted after the other', failed('rolling restart')),
            atLeast('gateways that went on with a session of another', met?.wentOn, GATEWAYS),
            atMost('gateways at which an ended session lived on, after a second', met?.livedOn),
            atMost('gateways that took a code again', met?.takenAgain),
          ]
        : []),
    ],
    figures: {
      fleet: {
        limit,
        passed: figures.passed,
        passedWithoutRedis: figures.apart,
        loads: figures.loads.map(({ what, result }) => ({
          what,
          requests: result.requests,
          failed: result.failed.map(({ status, error }) => error || String(status)),
        })),
        lostWithAGateway: figures.lost,
        ...(met === undefined ? {} : { people: { ...met } }),
      },
    },
  });
}
