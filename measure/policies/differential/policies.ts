import type { ConditionDocument } from '../../../contracts/conditions.ts';
import type { PackLookup, PolicyPack } from '../../../contracts/policy-packs.ts';
import type { PolicyDocument, RouteDocument } from '../../../contracts/settings.ts';
import { compilePolicy } from '../../../policies/index.ts';
import type { Random } from './random.ts';

/** Two routes that several tenants have in common. */
const SHARED: PolicyPack = {
  name: 'shared',
  title: 'for this measurement',
  versions: ['1.*'],
  base: '/fhir',
  routes: [
    {
      id: 'shared-read',
      methods: ['GET'],
      path: '/fhir/{type}/{id}',
      smart: { contexts: ['patient', 'user'], resource: '{type}', permission: 'r' },
      patient: { capture: 'id' },
    },
    { id: 'shared-all', methods: ['POST'], path: '/{rest*}', scopes: ['plain'], maxBodyBytes: 0 },
    { id: 'shared-no', effect: 'deny', methods: ['GET'], path: '/fhir/Patient/{id}', roles: ['clerk'] },
  ],
};

export const packOf: PackLookup = (name) => (name === 'shared' ? SHARED : undefined);
export const DEFAULTS = { hideDeadlineMs: 250, packs: packOf };
export const WORDS = ['fhir', 'Patient', 'Observation', 'chart', 'a', '7'] as const;
export const ROLES = ['nurse', 'physician', 'pharmacist', 'clerk'] as const;
export const AUDIENCES = ['research', 'partners'] as const;
export const CLIENTS = ['portal', 'lab', 'partner'] as const;
const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'] as const;
export const NETWORKS = ['192.0.2.0/24', '192.0.2.128/25', '198.51.100.7', '2001:db8::/32'] as const;

/** Policies of so many tenants, of at most so many routes each; every one compiles. */
export function makePolicies(random: Random, tenants: number, routes: number): readonly PolicyDocument[] {
  return Array.from({ length: tenants }, (_, tenant) => makePolicy(random, tenant, routes));
}

function makePolicy(random: Random, tenant: number, size: number): PolicyDocument {
  const base: PolicyDocument = {
    file: `tenant-${tenant}.yaml`,
    routes: [],
    ...(tenant % 4 === 0
      ? {
          extends: [{ pack: 'shared', version: '1.2', ...(tenant % 8 === 0 ? { base: '/a' } : {}) }],
          override: [{ id: 'shared-read', credential: 'bearer-or-session' as const }],
          ...(tenant % 12 === 0 ? { remove: ['shared-all'] } : {}),
        }
      : {}),
    roles: {
      nurse: ['user/Observation.rs', 'plain'],
      physician: ['user/*.cruds', 'plain'],
      pharmacist: ['user/Patient.read'],
      clerk: [],
    },
    separate: [['physician', 'pharmacist']],
  };
  let kept: readonly RouteDocument[] = [];
  for (let i = 0; i < size * 3 && kept.length < size; i += 1) {
    const next = [...kept, makeRoute(random, `r${kept.length}`)];
    const ok = compilePolicy('p', { ...base, routes: next }, DEFAULTS).ok;
    if (ok) kept = next;
  }
  return { ...base, routes: kept };
}

function makeRoute(random: Random, id: string): RouteDocument {
  const where: Record<string, readonly string[]> = {};
  const names: string[] = [];
  const texts = Array.from({ length: random.below(4) }, (_, i) => {
    const kind = random.below(5);
    if (kind < 3) return random.pick(WORDS);
    const name = `c${i}`;
    names.push(name);
    const values = random.some(WORDS, 0.5);
    if (kind === 4 && values.length > 0) where[name] = values;
    return `{${name}}`;
  });
  if (random.chance(0.15)) texts.push('{rest*}');
  else if (random.chance(0.1) && texts.length > 0) texts.push('');
  const common = {
    id,
    path: `/${texts.join('/')}`,
    ...(Object.keys(where).length > 0 ? { where } : {}),
    ...(random.chance(0.2) ? { roles: [random.pick(ROLES)] } : {}),
    ...(random.chance(0.35) ? { when: makeCondition(random, 0) } : {}),
  };
  const methods = random.pick([
    ['GET'],
    ['POST'],
    ['GET', 'DELETE'],
    ['PUT'],
    ['HEAD'],
    ['PATCH', 'OPTIONS'],
  ]);
  if (random.chance(0.25)) return { ...common, effect: 'deny', methods };
  const upgrade = methods[0] === 'GET' && methods.length === 1 && random.chance(0.08);
  return {
    ...common,
    methods,
    maxBodyBytes: 0,
    ...(upgrade ? { upgrade: 'websocket' as const } : {}),
    ...(random.chance(0.1) ? { clientCertificate: 'required' as const } : {}),
    ...makeAccess(random, names),
  };
}

function makeAccess(random: Random, names: readonly string[]): Partial<RouteDocument> {
  const credential = random.pick(['bearer', 'bearer', 'session', 'bearer-or-session', 'anonymous'] as const);
  if (credential === 'anonymous') return { credential };
  const [first] = names;
  const last = names.at(-1);
  const smart = random.chance(0.6);
  const patient = smart && random.chance(0.5);
  const bound = credential !== 'session' && random.chance(0.15);
  return {
    credential,
    ...(!smart || random.chance(0.2) ? { scopes: ['plain'] } : {}),
    ...(smart
      ? {
          smart: {
            contexts: patient ? ['patient', 'user'] : [random.pick(['user', 'system'] as const)],
            resource: first !== undefined && random.chance(0.5) ? `{${first}}` : 'Observation',
            permission: random.pick(['r', 's', 'rs', 'cud', 'cruds']),
          },
        }
      : {}),
    ...(patient
      ? { patient: last === undefined || random.chance(0.4) ? { parameter: 'patient' } : { capture: last } }
      : {}),
    ...(credential === 'bearer' && random.chance(0.1) ? { audience: random.pick(AUDIENCES) } : {}),
    ...(bound ? { senderConstrained: random.pick(['any', 'dpop', 'certificate'] as const) } : {}),
    ...(random.chance(0.15) ? { factorMaxAgeSeconds: random.pick([60, 600]) } : {}),
  };
}

function makeCondition(random: Random, depth: number): ConditionDocument {
  const kind = random.below(depth > 2 ? 9 : 14);
  const parts = () => Array.from({ length: 1 + random.below(3) }, () => makeCondition(random, depth + 1));
  switch (kind) {
    case 0:
      return { roles: nonEmpty(random, ROLES) };
    case 1:
      return { clients: nonEmpty(random, CLIENTS) };
    case 2:
      return { addresses: nonEmpty(random, NETWORKS) };
    case 3:
      return {
        hours: {
          zone: random.pick(ZONES),
          ...(random.chance(0.6) ? { days: nonEmpty(random, ['mon', 'wed', 'sat', 'sun'] as const) } : {}),
          ...random.pick([{ from: '08:00', to: '18:30' }, { from: '22:00', to: '06:00' }, { from: '12:00' }]),
          ...(random.chance(0.4) ? { except: ['2027-03-28', '2027-10-31'] } : {}),
        },
      };
    case 4:
      return { senderConstrained: random.pick(['any', 'dpop', 'certificate'] as const) };
    case 5:
      return { factorMaxAgeSeconds: random.pick([60, 600]) };
    case 6:
      return { clientCertificate: 'required' };
    case 7:
      return { credentials: nonEmpty(random, ['token', 'client-secret', 'certificate', 'session'] as const) };
    case 8:
      return random.chance(0.5)
        ? { headers: { 'x-app': nonEmpty(random, ['portal', 'kiosk'] as const) } }
        : { home: random.pick([['own'], ['other'], ['own', 'north']]) };
    case 9:
    case 10:
      return { all: parts() };
    case 11:
    case 12:
      return { any: parts() };
    default:
      return { not: makeCondition(random, depth + 1) };
  }
}

function nonEmpty<T>(random: Random, items: readonly [T, ...T[]]): T[] {
  const found = random.some(items, 0.5);
  return found.length > 0 ? found : [random.pick(items)];
}
