import {
  type AtomDocument,
  CONDITION_CREDENTIALS,
  type ConditionCredential,
} from '../../contracts/conditions.ts';
import { NAME_PATTERN } from '../../contracts/identifiers.ts';
import { rolesHere } from '../roles-here.ts';
import { isScopeToken } from '../scopes.ts';
import { clockOf, compileHours, isOpen, type LocalMoment } from './hours.ts';
import { type Address, contains, type Network, parseAddress, parseNetwork } from './networks.ts';
import type { Asked, Atom } from './node.ts';

/** Told of each fault, with the place below the condition. */
export type Fault = (below: string, message: string) => void;

/** How somebody came and what binds them to it: the two are never independent. */
export interface Presented {
  readonly credential: ConditionCredential | undefined;
  readonly constraint: 'none' | 'dpop' | 'certificate';
}

const NOBODY: ReadonlySet<string> = new Set();
const NAME = new RegExp(NAME_PATTERN);
/** Headers that hold credentials: what they prove is found out elsewhere. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'dpop',
  'proxy-authorization',
]);

/** Anonymous callers have none of these: what asks for one of them is no condition of an anonymous route. */
export const PERSONAL: ReadonlySet<Atom['kind']> = new Set<Atom['kind']>([
  'roles',
  'scopes',
  'clients',
  'home',
  'credentials',
  'sender',
  'factor',
]);

function listed(values: readonly string[], key: string, fault: Fault): ReadonlySet<string> {
  if (values.length === 0) fault(key, 'must list at least one');
  values.forEach((value, i) => {
    if (values.indexOf(value) !== i) fault(`${key}/${i}`, 'is listed twice');
  });
  return new Set(values);
}

/** Compiles one atom; the result counts only if no fault was added. */
export function compileAtom(document: AtomDocument, fault: Fault): Atom {
  if ('roles' in document) return rolesAtom(document.roles, fault);
  if ('scopes' in document) {
    const wanted = listed(document.scopes, 'scopes', fault);
    document.scopes.forEach((scope, i) => {
      if (!isScopeToken(scope)) fault(`scopes/${i}`, 'is not a scope (RFC 6749 section 3.3)');
    });
    return {
      kind: 'scopes',
      dimension: 'scopes',
      detail: `scopes ${document.scopes.join(' ')}`,
      read: ({ principal }) => principal.scopes,
      holds: (value) => [...wanted].every((scope) => (value as ReadonlySet<string>).has(scope)),
      samples: document.scopes,
    };
  }
  if ('clients' in document) {
    const wanted = listed(document.clients, 'clients', fault);
    return {
      kind: 'clients',
      dimension: 'client',
      detail: `client ${document.clients.join('|')}`,
      read: ({ principal }) => (principal.kind === 'anonymous' ? undefined : principal.clientId),
      holds: (value) => typeof value === 'string' && wanted.has(value),
      samples: document.clients,
    };
  }
  if ('home' in document) return homeAtom(document.home, fault);
  if ('credentials' in document) {
    const wanted: ReadonlySet<unknown> = listed(document.credentials, 'credentials', fault);
    document.credentials.forEach((name, i) => {
      if (!CONDITION_CREDENTIALS.includes(name))
        fault(`credentials/${i}`, `is no credential; allowed: ${CONDITION_CREDENTIALS.join(', ')}`);
    });
    return {
      kind: 'credentials',
      dimension: 'presented',
      detail: `credential ${document.credentials.join('|')}`,
      read: presentedBy,
      holds: (value) => wanted.has((value as Presented).credential),
      samples: [],
    };
  }
  if ('hours' in document) return hoursAtom(document.hours, fault);
  if ('addresses' in document) return addressesAtom(document.addresses, fault);
  if ('senderConstrained' in document) {
    const wanted = document.senderConstrained;
    if (!['any', 'dpop', 'certificate'].includes(wanted))
      fault('senderConstrained', 'must be one of any, dpop, certificate');
    return {
      kind: 'sender',
      dimension: 'presented',
      detail: `bound ${wanted}`,
      read: presentedBy,
      holds: (value) => {
        const { constraint } = value as Presented;
        return wanted === 'any'
          ? constraint === 'dpop' || constraint === 'certificate'
          : constraint === wanted;
      },
      samples: [],
    };
  }
  if ('factorMaxAgeSeconds' in document) return factorAtom(document.factorMaxAgeSeconds, fault);
  if ('clientCertificate' in document) {
    if (document.clientCertificate !== 'required') fault('clientCertificate', 'must be required');
    return {
      kind: 'certificate',
      dimension: 'certificate',
      detail: 'client certificate',
      read: ({ facts, now }) =>
        facts.tls.certificate !== undefined && facts.tls.certificate.notAfter > now * 1000,
      holds: (value) => value === true,
      samples: [],
    };
  }
  return headersAtom(document.headers, fault);
}

export function rolesAtom(roles: readonly string[], fault: Fault): Atom {
  const wanted = listed(roles, 'roles', fault);
  return {
    kind: 'roles',
    dimension: 'roles',
    detail: `role ${roles.join('|')}`,
    read: ({ principal }) => rolesHere(principal),
    holds: (value) => {
      for (const role of wanted) if ((value as ReadonlySet<string>).has(role)) return true;
      return false;
    },
    samples: roles,
  };
}

function presentedBy({ principal }: Asked): Presented {
  if (principal.kind === 'anonymous') return ANONYMOUSLY;
  if (principal.kind === 'session') return IN_SESSION;
  return { credential: principal.credential, constraint: principal.constraint };
}
const ANONYMOUSLY: Presented = Object.freeze({ credential: undefined, constraint: 'none' });
const IN_SESSION: Presented = Object.freeze({ credential: 'session', constraint: 'none' });

function homeAtom(home: readonly string[], fault: Fault): Atom {
  const wanted = listed(home, 'home', fault);
  home.forEach((name, i) => {
    if (!NAME.test(name)) fault(`home/${i}`, 'must be "own", "other", or the id of a tenant');
  });
  if (wanted.has('other') && home.some((name) => name !== 'own' && name !== 'other'))
    fault('home', 'lists a tenant besides "other", which stands for every one');
  return {
    kind: 'home',
    dimension: 'home',
    detail: `home ${home.join('|')}`,
    read: ({ principal }) => {
      if (principal.kind === 'anonymous') return undefined;
      return principal.home === undefined || principal.home === principal.tenant
        ? 'own'
        : `=${principal.home}`;
    },
    holds: (value) => {
      if (typeof value !== 'string') return false;
      if (value === 'own') return wanted.has('own');
      const tenant = value.slice(1);
      // A tenant may be called "own" or "other"; the words stand for themselves here.
      return wanted.has('other') || (tenant !== 'own' && wanted.has(tenant));
    },
    samples: home.filter((name) => name !== 'own' && name !== 'other').map((name) => `=${name}`),
  };
}

function hoursAtom(document: Extract<AtomDocument, { hours: unknown }>['hours'], fault: Fault): Atom {
  let sound = true;
  const hours = compileHours(document, (key, message) => {
    if (key === 'zone') sound = false;
    fault(`hours/${key}`, message);
  });
  const clock = sound ? clockOf(document.zone) : undefined;
  const dates = [...hours.except];
  // A moment of each side of every edge, on a day without exception and on each exceptional one and its next.
  const samples = [0, ...hours.edges].flatMap((minute) => [
    { minute, date: '', yesterday: '' },
    ...dates.flatMap((date) => [
      { minute, date, yesterday: '' },
      { minute, date: '', yesterday: date },
    ]),
  ]);
  const days = document.days === undefined ? '' : ` ${document.days.join(',')}`;
  return {
    kind: 'hours',
    dimension: `hours ${document.zone}`,
    detail: `hours ${document.zone}${days} ${document.from ?? '00:00'}-${document.to ?? '24:00'}`,
    read: ({ now }) => clock?.at(now),
    holds: (value) => value !== undefined && isOpen(hours, value as LocalMoment),
    samples,
  };
}

function addressesAtom(texts: readonly string[], fault: Fault): Atom {
  listed(texts, 'addresses', fault);
  const networks: Network[] = [];
  texts.forEach((text, i) => {
    const parsed = parseNetwork(text);
    if (typeof parsed === 'string') fault(`addresses/${i}`, parsed);
    else {
      const outer = networks.find(
        (known) =>
          known.version === parsed.version && known.first <= parsed.first && known.last >= parsed.last,
      );
      if (outer !== undefined && outer.text !== text)
        fault(`addresses/${i}`, `is part of ${outer.text} already`);
      networks.push(parsed);
    }
  });
  return {
    kind: 'addresses',
    dimension: 'address',
    detail: `address ${texts.length > 4 ? `${texts.slice(0, 4).join('|')}|…` : texts.join('|')}`,
    read: ({ facts }) => addressOf(facts.peer),
    holds: (value) => {
      if (value === undefined) return false;
      for (const network of networks) if (contains(network, value as Address)) return true;
      return false;
    },
    samples: networks,
  };
}

const known = new Map<string, Address | undefined>();
/** Peers whose addresses are remembered; with more at once, some are read again. */
const MOST_PEERS = 1_024;

/** Requests of one peer come one after the other, and those of others between them. */
function addressOf(peer: string): Address | undefined {
  const found = known.get(peer);
  if (found !== undefined) return found;
  const address = parseAddress(peer);
  if (known.size >= MOST_PEERS) known.clear();
  known.set(peer, address);
  return address;
}

/** Seconds by which an issuer's clock may be ahead. */
const CLOCK_DIFFERENCE = 60;

function factorAtom(seconds: number, fault: Fault): Atom {
  if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > 86_400)
    fault('factorMaxAgeSeconds', 'must be a whole number from 1 to 86400');
  return {
    kind: 'factor',
    dimension: 'factor',
    detail: `factor ${seconds} s`,
    read: ({ principal, now }) => {
      const at = principal.kind === 'anonymous' ? undefined : principal.authentication?.factorAt;
      return at === undefined || !Number.isFinite(at) ? undefined : now - at;
    },
    holds: (value) => typeof value === 'number' && value <= seconds && value >= -CLOCK_DIFFERENCE,
    samples: [seconds],
  };
}

function headersAtom(headers: Readonly<Record<string, readonly string[]>>, fault: Fault): Atom {
  const wanted = Object.entries(headers).map(([name, values]) => {
    const place = `headers/${name}`;
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(name))
      fault(place, 'must be the name of a header in lower case: letters, digits and "-"');
    else if (SECRET_HEADERS.has(name)) fault(place, 'holds a credential, which no rule may name');
    return [name, listed(values, place, fault)] as const;
  });
  const [first] = wanted;
  if (first === undefined || wanted.length > 1)
    fault('headers', 'must name one header; combine several with "all"');
  const [name, values] = first ?? ['', NOBODY];
  return {
    kind: 'headers',
    dimension: `header ${name}`,
    detail: `header ${name}`,
    read: ({ facts }) => facts.headers.get(name),
    holds: (value) => typeof value === 'string' && values.has(value),
    samples: [...values],
  };
}
