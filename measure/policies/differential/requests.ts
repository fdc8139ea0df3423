import type { MadeUpRequest, Who } from '../../../cli/policy/made-up.ts';
import { METHODS } from '../../../contracts/facts.ts';
import type { RouteDocument } from '../../../contracts/settings.ts';
import { AUDIENCES, CLIENTS, ROLES, WORDS } from './policies.ts';
import type { Random } from './random.ts';

export interface Generated {
  readonly request: MadeUpRequest;
  readonly who: Who;
  /** Seconds since the epoch. */
  readonly now: number;
}

const YEAR = 365 * 86_400;
/** 2027-01-01: the changes of clocks of that year are among the moments. */
const START = Date.UTC(2027, 0, 1) / 1000;

/** A request, half of them after the pattern of some route. */
export function makeRequest(random: Random, routes: readonly RouteDocument[]): Generated {
  const route = routes[random.below(routes.length)];
  const alike = random.chance(0.6) && route !== undefined;
  const segments = alike
    ? segmentsFor(random, route)
    : Array.from({ length: random.below(5) }, () => random.pick([...WORDS, 'x', '*', 'constructor', '']));
  const method = alike && random.chance(0.8) ? (route.methods[0] ?? 'GET') : random.pick(METHODS);
  const query = random.pick([
    '',
    '',
    '?patient=7',
    '?patient=a',
    '?patient=7&patient=7',
    '?Patient=7',
    '?patient=',
  ]);
  const written = segments.map((text) => spelt(random, text)).join('/');
  return {
    request: {
      line: `${method} /${written}${query}`,
      from: random.pick([
        '192.0.2.1',
        '192.0.2.200',
        '198.51.100.7',
        '198.51.100.8',
        '2001:db8::7',
        '2001:db9::1',
      ]),
      headers: { 'x-app': random.pick(['portal', 'kiosk', 'other', '']) },
      certificate: random.chance(0.4),
      upgrade: random.chance(route?.upgrade === undefined ? 0.04 : 0.5),
    },
    who: makeWho(random),
    now: START + random.below(YEAR),
  };
}

function segmentsFor(random: Random, route: RouteDocument): readonly string[] {
  const parts = route.path === '/' ? [] : route.path.slice(1).split('/');
  return parts.flatMap((part) => {
    if (part.endsWith('*}')) return Array.from({ length: 1 + random.below(2) }, () => random.pick(WORDS));
    if (!part.startsWith('{')) return [part];
    const values = route.where?.[part.slice(1, -1)];
    const [first = 'x'] = values ?? [];
    return [
      values === undefined || random.chance(0.2) ? random.pick(WORDS) : random.pick([first, ...values]),
    ];
  });
}

/** The ways of writing one segment: as it is, escaped in part or whole, twice, with what must be refused. */
function spelt(random: Random, text: string): string {
  if (!random.chance(0.12)) return text;
  const escaped = (letter: string) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return random.pick([
    [...text].map(escaped).join(''),
    [...text].map((letter, i) => (i % 2 === 0 ? escaped(letter).toUpperCase() : letter)).join(''),
    encodeURIComponent(escaped(text[0] ?? 'a')) + text.slice(1),
    `${text}%2f`,
    `${text}/..`,
    `${text};v=1`,
    `${text}.`,
    `%2e%2e`,
    `${text}%00`,
    text.toUpperCase(),
  ]);
}

function makeWho(random: Random): Who {
  if (random.chance(0.08)) return { anonymous: true };
  const credential = random.pick([
    'token',
    'token',
    'token',
    'session',
    'client-secret',
    'certificate',
  ] as const);
  const bound =
    credential === 'token' && random.chance(0.5) ? random.pick(['dpop', 'certificate'] as const) : undefined;
  const scopes = Array.from({ length: random.below(4) }, () => {
    if (random.chance(0.4)) return 'plain';
    const context = random.pick(['patient', 'user', 'system', 'launch']);
    const type = random.pick(['Patient', 'Observation', '*', 'a']);
    return `${context}/${type}.${random.pick(['read', 'write', '*', 'r', 's', 'rs', 'cud', 'cruds', 'sr', ''])}`;
  });
  return {
    credential,
    scopes,
    roles: random.some([...ROLES, 'stranger'], 0.3),
    ...(bound === undefined ? {} : { bound }),
    ...(credential === 'token' && random.chance(0.15) ? { audience: random.pick(AUDIENCES) } : {}),
    ...(random.chance(0.6) ? { patient: random.pick(['7', 'a', 'Patient']) } : {}),
    ...(random.chance(0.6) ? { client: random.pick([...CLIENTS, 'other']) } : {}),
    ...(random.chance(0.1) ? { home: random.pick(['north', 'made-up', 'other']) } : {}),
    ...(random.chance(0.6) ? { factorAge: random.pick([0, 59, 60, 61, 600, 601, 86_400]) } : {}),
  };
}
