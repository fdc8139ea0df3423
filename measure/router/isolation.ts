import { verifyActivityLog } from '../../activity-log/index.ts';
import { Random } from '../inspection/framing/random.ts';
import { atLeast, atMost, type Part, part, table } from '../integrity/parts.ts';
import type { MeasureOptions } from '../report.ts';
import type { Seen } from './isolation/back-ends.ts';
import { type Came, CUT, overHttp1, overHttp2, type Sent } from './isolation/connection.ts';
import { agrees, type Clinic, type Door, doorOf, type Probe, probeOf } from './isolation/probe.ts';
import { type Scene, startScene } from './isolation/scene.ts';

const FULL = { tenants: 200, requests: 50_000, people: true };
const SHORT = { tenants: 16, requests: 1_000, people: false };
/** Requests on one connection, so that what came before could be taken for what comes after. */
const ON_ONE = 10;
/** Connections at a time. */
const AT_ONCE = 16;
/** So that the same mixtures come each time. */
const SEED = 20_261_122;

interface Asked {
  readonly probe: Probe;
  readonly door: Door;
  readonly http2: boolean;
  readonly came: Came;
}

/**
 * Requests whose signs are of several tenants: host, server name, token, cookie, session, certificate, headers, path.
 * Nothing reaches a back end of a tenant that the token is not for, no connection of a back end carries two tenants,
 * and nobody is given what another one's EMR answered.
 */
export async function measureIsolation(options: MeasureOptions): Promise<Part> {
  const scale = options.short ? SHORT : FULL;
  const scene = await startScene(scale.tenants, scale.people, options.progress);
  options.progress(`${scale.requests} requests`);
  const begun = performance.now();
  const asked = await askAll(scene, scale.requests, options.progress);
  const seconds = (performance.now() - begun) / 1000;
  const seen = await scene.report();
  const faults = (await verifyActivityLog(scene.stack.layout.activity)).faults.length;
  return judge(scene, asked, seen, faults, seconds);
}

async function askAll(
  scene: Scene,
  requests: number,
  progress: (line: string) => void,
): Promise<readonly Asked[]> {
  const random = new Random(SEED);
  const asked: Asked[] = [];
  let number = 0;
  const worker = async (): Promise<void> => {
    while (number < requests) {
      const door = doorOf(random, scene.clinics);
      const http2 = random.chance(0.3);
      const probes = Array.from({ length: Math.min(ON_ONE, requests - number) }, () => {
        number += 1;
        if (number % 10_000 === 0) progress(`${number} requests`);
        return probeOf(random, number, door, scene.clinics, scene.session !== undefined);
      });
      const all = probes.map((probe) => sentOf(scene, probe, http2));
      const over = http2 ? overHttp2 : overHttp1;
      const came = await over(connectionOf(scene, door), all);
      for (const [at, probe] of probes.entries()) {
        let each = came[at] ?? CUT;
        const sent = all[at];
        // One that has no meaning ends its connection, and with it whatever else was asked there.
        if (each.status === 0 && sent !== undefined)
          [each = CUT] = await over(connectionOf(scene, door), [sent]);
        asked.push({ probe, door, http2, came: each });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return asked;
}

function connectionOf(scene: Scene, { sni, certificate }: Door) {
  const shown =
    certificate === 'none'
      ? undefined
      : certificate === 'stranger'
        ? scene.stranger
        : scene.certificates[certificate];
  return {
    host: '127.0.0.1',
    port: scene.port,
    servername: scene.clinics[sni]?.host.replace(/:\d+$/, '') ?? '',
    ca: scene.stack.authority,
    ...(shown === undefined ? {} : { cert: shown.certificatePem, key: shown.keyPem }),
  };
}

function sentOf(scene: Scene, probe: Probe, http2: boolean): Sent {
  const { token, session } = probe;
  const bearer =
    token === 'none' ? undefined : token === 'broken' ? 'eyJhbGciOiJub25lIn0.e30.' : scene.tokens[token];
  // HTTP/2 has no absolute targets (RFC 9113 §8.3.1); there a `Host` beside `:authority` says the same.
  const absolute = http2 ? /^https:\/\/([^/]+)(.*)$/.exec(probe.path) : null;
  return {
    authority: scene.clinics[probe.host]?.host ?? '',
    target: absolute?.[2] ?? probe.path,
    headers: [
      ...(absolute?.[1] === undefined ? [] : [['host', absolute[1]] as const]),
      ['x-probe', String(probe.number)],
      ...(bearer === undefined ? [] : [['authorization', `Bearer ${bearer}`] as const]),
      ...probe.headers.filter(([name]) => name !== 'cookie' || !session),
      ...(session ? [['cookie', `__Host-chartgate=${scene.session}`] as const] : []),
    ] as const,
  };
}

function judge(
  scene: Scene,
  asked: readonly Asked[],
  seen: readonly Seen[],
  logFaults: number,
  seconds: number,
): Part {
  const { clinics } = scene;
  const byNumber = new Map(asked.map((each) => [each.probe.number, each]));
  const astray = seen.filter((each) => !belongs(each, byNumber.get(each.probe), clinics));
  const twice = seen.length - new Set(seen.map(({ probe }) => probe)).size;
  const mixed = mixedConnections(seen);
  const misgiven = asked.filter(({ probe, came }) => isMisgiven(probe, came, clinics)).length;
  const reached = new Set(seen.map(({ probe }) => probe));
  const fitting = asked.filter(({ probe, door }) => agrees(probe, door, clinics));
  const served = fitting.filter(({ probe, came }) => came.status === 200 && reached.has(probe.number)).length;
  const statuses = new Map<number, number>();
  for (const { came } of asked) statuses.set(came.status, (statuses.get(came.status) ?? 0) + 1);
  const http2 = asked.filter((each) => each.http2).length;
  const shared = seen.filter(({ at }) => clinics.findLast((clinic) => clinic.at === at)?.told !== '').length;
  const figures = {
    tenants: clinics.length,
    requests: asked.length,
    http2,
    withSession: asked.filter(({ probe }) => probe.session).length,
    reached: seen.length,
    reachedShared: shared,
    astray: astray.length,
    sentTwice: twice,
    connections: new Set(seen.map(({ connection }) => connection)).size,
    mixedConnections: mixed,
    misgiven,
    fitting: fitting.length,
    served,
    statuses: Object.fromEntries([...statuses].sort().map(([status, count]) => [String(status), count])),
    logFaults,
    seconds,
  };
  return part({
    tables: [
      table(
        'Requests with signs of several tenants',
        ['answered', 'requests'],
        [...statuses].sort().map(([status, count]) => [status === 0 ? 'cut' : String(status), String(count)]),
      ),
      table(
        'What reached the back ends',
        ['', 'count'],
        [
          ['requests', String(seen.length)],
          ['of these at back ends that tenants share', String(shared)],
          ['connections', String(figures.connections)],
          ['at a back end that the token is not for', String(astray.length)],
          ['connections that carried several tenants', String(mixed)],
          ['answers given to somebody else', String(misgiven)],
        ],
      ),
    ],
    floors: [
      atMost('requests at a back end of a tenant that the token is not for', astray.length),
      atMost('connections of back ends that carried several tenants', mixed),
      atMost('answers of another tenant’s EMR', misgiven),
      atMost('faults of the activity log', logFaults),
      atLeast(
        'requests whose signs agree that were served',
        (served / Math.max(1, fitting.length)) * 100,
        100,
        '%',
      ),
    ],
    problems: fitting.length * 20 < asked.length ? ['isolation: too few requests whose signs agree'] : [],
    notes: [
      `isolation: ${asked.length} requests in ${seconds.toFixed(0)} s, seed ${SEED}, ${ON_ONE} on each connection, ${http2} over HTTP/2; half of the tenants share back ends, ten each`,
    ],
    figures: { isolation: figures },
  });
}

/** Whether a request had a token for the tenant at whose back end it was, whose host it named. */
function belongs(seen: Seen, asked: Asked | undefined, clinics: readonly Clinic[]): boolean {
  if (asked === undefined || typeof asked.probe.token !== 'number') return false;
  const clinic = clinics[asked.probe.token];
  return (
    clinic !== undefined &&
    seen.at === clinic.at &&
    isToldOf(clinic, seen.told) &&
    seen.host === clinic.host &&
    asked.probe.host === clinic.number &&
    asked.door.sni === clinic.number
  );
}

/** An EMR that a tenant has for itself is told nothing, and gets whatever its clients say. */
function isToldOf(clinic: Clinic, told: string): boolean {
  return clinic.told === '' || clinic.told === told;
}

function mixedConnections(seen: readonly Seen[]): number {
  const hosts = new Map<number, Set<string>>();
  for (const { connection, host } of seen) {
    const known = hosts.get(connection) ?? new Set();
    hosts.set(connection, known.add(host));
  }
  return [...hosts.values()].filter(({ size }) => size > 1).length;
}

function isMisgiven(probe: Probe, came: Came, clinics: readonly Clinic[]): boolean {
  if (came.status !== 200) return false;
  const clinic = clinics[probe.host];
  const said = JSON.parse(came.body) as { probe: number; at: number; told: string };
  return (
    clinic === undefined ||
    said.probe !== probe.number ||
    said.at !== clinic.at ||
    !isToldOf(clinic, said.told)
  );
}
