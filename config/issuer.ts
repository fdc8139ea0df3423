import {
  ACCOUNT_DEFAULTS,
  type AccountSettings,
  PASSWORD_DEFAULTS,
  PASSWORD_PRESETS,
} from '../contracts/account-settings.ts';
import type {
  IssuerClient,
  IssuerClientAuthentication,
  IssuerProcessSettings,
  IssuerTenant,
} from '../contracts/issuer-settings.ts';
import { issuerFault } from './addresses.ts';
import { authorityOf } from './authority.ts';
import { brandOf } from './brand.ts';
import { publicKeysOf } from './jwks.ts';
import {
  readPublic,
  readSecret,
  SHORTEST_SHARED_SECRET,
  type Surroundings,
  socketPath,
} from './references.ts';
import { stateOf } from './state.ts';
import { nearest } from './suggest.ts';
import { refuseRepeats } from './unique.ts';
import type { View } from './view.ts';

const DAY_MS = 86_400_000;

/** Builds the settings from a document that was judged by its schema; they count only without any fault. */
export function issuerOf(root: View, around: Surroundings): IssuerProcessSettings {
  const place = root.at('issuer');
  const issuer = place.text ?? '';
  const fault = issuer === '' ? undefined : (issuerFault(issuer) ?? originFault(issuer));
  if (fault !== undefined) place.fault(fault);
  const state = stateOf(root.at('state'), around);
  const tenants = root.at('tenants').items.map(tenantOf);
  refuseRepeats(
    root.at('tenants').items.map((view) => view.at('id')),
    (line) => `is the id of another tenant already (line ${line})`,
  );
  refuseRepeats(
    root.at('tenants').items.map((view) => view.at('audience')),
    (line) => `is the audience of another tenant already (line ${line}); a token is for one tenant only`,
  );
  const clients = root.at('clients').items.map((view) => clientOf(view, around, tenants));
  refuseRepeats(
    root.at('clients').items.map((view) => view.at('id')),
    (line) => `is the id of another client already (line ${line})`,
  );
  const factor = root.at('secondFactor');
  return {
    file: around.file,
    issuer,
    socket: socketPath(root.at('issuerSocket'), around),
    secret: readSecret(root.at('gatewaySecret'), around, SHORTEST_SHARED_SECRET),
    state: state?.state ?? { kind: 'sqlite', file: '' },
    stateKeys: state?.keys ?? [],
    brand: brandOf(root.at('brand'), around),
    accounts: accountsOf(root),
    secondFactor: {
      required: factor.at('passwordAloneIsEnough').flag !== true,
      exemptRoles: factor.at('exemptRoles').texts,
    },
    tokens: tokensOf(root.at('tokens')),
    tenants,
    clients,
    backChannelAuthority: authorityOf(root.at('backChannelAuthority'), around),
  };
}

/** Browsers compare origins in this form; another spelling would never match (WHATWG URL). */
function originFault(issuer: string): string | undefined {
  const { origin } = new URL(issuer);
  return origin === issuer
    ? undefined
    : `must be written as just the origin, in its canonical form: ${origin}`;
}

function tenantOf(view: View): IssuerTenant {
  return {
    id: view.at('id').text ?? '',
    name: view.at('name').text ?? '',
    audience: view.at('audience').text ?? '',
    fhir: view.at('fhir').text,
  };
}

function clientOf(view: View, around: Surroundings, tenants: readonly IssuerTenant[]): IssuerClient {
  const known = tenants.map(({ id }) => id);
  for (const place of view.at('tenants').items) {
    if (place.text === undefined || known.includes(place.text)) continue;
    const guess = nearest(place.text, known);
    place.fault(`is not one of the tenants${guess === undefined ? '' : `; did you mean "${guess}"?`}`);
  }
  const kind = view.at('kind').text === 'gateway' ? 'gateway' : 'app';
  const authentication = authenticationOf(view, around);
  if (kind === 'gateway' && authentication.method === 'none') {
    view.fault('needs "secret" or "keys": a gateway proves itself to the issuer');
  }
  for (const place of view.at('redirectUris').items) redirectFault(place, authentication.method === 'none');
  return {
    id: view.at('id').text ?? '',
    name: view.at('name').text ?? '',
    kind,
    tenants: view.at('tenants').texts,
    redirectUris: view.at('redirectUris').texts,
    postLogoutRedirectUris: view.at('postLogoutRedirectUris').texts,
    backChannelLogoutUri: view.at('backChannelLogout').text,
    authentication,
    scopes: view.at('scopes').texts,
    dpop: view.at('dpop').flag === true,
  };
}

function authenticationOf(view: View, around: Surroundings): IssuerClientAuthentication {
  const secret = view.at('secret');
  const keys = view.at('keys');
  if (secret.exists && keys.exists) keys.fault('excludes "secret"; give one or the other', true);
  if (secret.exists) return { method: 'secret', secret: readSecret(secret, around, SHORTEST_SHARED_SECRET) };
  if (!keys.exists) return { method: 'none' };
  const content = readPublic(keys, around);
  if (content === undefined) return { method: 'key', keys: [] };
  const judged = publicKeysOf(content);
  if (!judged.ok) keys.fault(judged.message);
  return { method: 'key', keys: judged.ok ? judged.value : [] };
}

/** RFC 8252 §7 and §8.4, RFC 9700 §4.1.3: https, or for public clients loopback and a scheme of the app's own. */
function redirectFault(place: View, isPublic: boolean): void {
  const url = place.text === undefined ? undefined : URL.parse(place.text);
  if (url === undefined) return;
  if (url === null || url.hash !== '') {
    place.fault(url === null ? 'is not a URI' : 'must have no fragment (RFC 6749 section 3.1.2)');
    return;
  }
  if (url.protocol === 'https:') return;
  const loopback = url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const ownScheme = url.protocol.includes('.');
  if (!isPublic || !(loopback || ownScheme)) {
    place.fault(
      'must be https://; only a client without secret and keys may have http:// to loopback, or a scheme of its own with a dot in it',
    );
  }
}

function accountsOf(root: View): AccountSettings {
  const passwords = root.at('passwords');
  const lockout = root.at('lockout');
  const preset = PASSWORD_PRESETS.find((name) => name === passwords.at('preset').text) ?? 'length';
  const usual = PASSWORD_DEFAULTS[preset];
  const length = passwords.at('minimumLength');
  if ((length.integer ?? usual.minimumLength) < usual.minimumLength) {
    length.fault(`must be at least ${usual.minimumLength} with the preset "${preset}"`);
  }
  const days = passwords.at('expireAfterDays').integer;
  return {
    ...ACCOUNT_DEFAULTS,
    passwords: {
      ...usual,
      minimumLength: length.integer ?? usual.minimumLength,
      maximumAgeMs: days === undefined ? usual.maximumAgeMs : days * DAY_MS,
      remembered: passwords.at('remembered').integer ?? usual.remembered,
    },
    lockout: {
      failures: lockout.at('failures').integer ?? ACCOUNT_DEFAULTS.lockout.failures,
      durationMs: lockout.at('duration').milliseconds ?? ACCOUNT_DEFAULTS.lockout.durationMs,
      sourceFailures: lockout.at('sourceFailures').integer ?? ACCOUNT_DEFAULTS.lockout.sourceFailures,
    },
  };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function tokensOf(view: View): IssuerProcessSettings['tokens'] {
  const refreshMs = view.at('refresh').milliseconds ?? 720 * HOUR_MS;
  const refreshIdleMs = view.at('refreshIdle').milliseconds ?? 168 * HOUR_MS;
  if (refreshIdleMs > refreshMs) {
    view.at('refreshIdle').fault('is longer than "refresh", after which a refresh token ends in any case');
  }
  return {
    accessMs: view.at('access').milliseconds ?? 5 * MINUTE_MS,
    sessionMs: view.at('session').milliseconds ?? 12 * HOUR_MS,
    refreshMs,
    refreshIdleMs,
  };
}
