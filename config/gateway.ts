import type { ContentLimits } from '../contracts/content.ts';
import type { GatewaySettings } from '../contracts/settings.ts';
import { addressFault, isLoopback } from './addresses.ts';
import { clientCertificatesOf } from './client-certificates.ts';
import { issuersOf } from './gateway-issuers.ts';
import { judgedIssuers, sessionsOf } from './gateway-sign-in.ts';
import type { Known } from './gateway-tenants.ts';
import { guardOf } from './guard.ts';
import { incidentsOf } from './incidents.ts';
import { keyPairOf } from './key-pair.ts';
import { limitSettingsOf } from './limits.ts';
import { frontOf } from './networks.ts';
import { policyApprovalOf } from './policy-approval.ts';
import {
  absolutePath,
  readSecret,
  SHORTEST_SHARED_SECRET,
  type Surroundings,
  socketPath,
} from './references.ts';
import { stateOf } from './state.ts';
import type { Around } from './tenants-together.ts';
import type { View } from './view.ts';

export interface GatewaySurroundings extends Surroundings {
  /** Cores this process may use, for `workers: auto`. */
  readonly cores: number;
}

/** The settings but for the policies, which are documents of their own, and the tenants, which may be. */
export type GatewayProper = Omit<GatewaySettings, 'policies' | 'tenants'>;

/**
 * Builds the settings from a document that was judged by its schema and holds its defaults. Adds what
 * only a comparison of several places or the referenced files can show; the result counts only if
 * there is no fault at all.
 */
export function gatewayOf(root: View, around: GatewaySurroundings): GatewayProper {
  const listen = listenOf(root.at('listen'), around);
  const operations = operationsOf(root.at('operations'));
  if (listen.port > 0 && listen.port === operations.port && overlap(listen.host, operations.host)) {
    root
      .at('operations')
      .at('port')
      .fault('is the port of the public listener ("listen.port"); they must differ');
  }
  if (operations.balancer?.port === listen.port && overlap(listen.host, operations.balancer.host)) {
    root
      .at('operations')
      .at('balancer')
      .at('port')
      .fault('is the port of the public listener ("listen.port"); they must differ');
  }
  const integrity = root.at('integrity');
  const timeouts = root.at('timeouts');
  const kept = stateOf(root.at('state'), around);
  return {
    file: around.file,
    listen,
    operations,
    workers: root.at('workers').integer ?? Math.min(64, Math.max(1, around.cores)),
    activityLog: { directory: absolutePath(root.at('activityLog').at('directory'), around) },
    integrity: {
      socket: socketPath(integrity.at('socket'), around),
      secret: readSecret(integrity.at('secret'), around, SHORTEST_SHARED_SECRET),
      timeoutMs: integrity.at('timeout').milliseconds ?? 0,
    },
    issuers: issuersOf(root.at('issuers'), around),
    state: kept?.state,
    stateKeys: kept?.keys,
    sessions: kept === undefined ? undefined : sessionsOf(root.at('sessions')),
    incidents: incidentsOf(root.at('incidents'), around),
    limits: limitSettingsOf(root.at('limits'), around),
    guard: guardOf(root.at('guard')),
    hiding: hidingOf(root.at('hiding').at('deadline')),
    timeouts: {
      headersMs: timeouts.at('headers').milliseconds ?? 0,
      requestMs: timeouts.at('request').milliseconds ?? 0,
      bodyMs: timeouts.at('body').milliseconds,
      idleMs: timeouts.at('idle').milliseconds ?? 0,
      drainMs: timeouts.at('drain').milliseconds ?? 0,
      leaveMs: timeouts.at('leave').milliseconds ?? 0,
    },
    policyApproval: policyApprovalOf(root.at('policyApproval'), around),
    content: contentOf(root.at('content')),
  };
}

/** Milliseconds with which a deadline that is learned begins. */
const LEARNED_FROM_MS = 250;

function hidingOf(deadline: View): GatewaySettings['hiding'] {
  if (deadline.text === 'learned') return { deadlineMs: LEARNED_FROM_MS, learned: true };
  return { deadlineMs: deadline.milliseconds ?? 0 };
}

function contentOf(view: View): ContentLimits {
  return {
    jsonDepth: view.at('jsonDepth').integer ?? 0,
    jsonValues: view.at('jsonValues').integer ?? 0,
    formFields: view.at('formFields').integer ?? 0,
    parts: view.at('parts').integer ?? 0,
    partHeaderBytes: view.at('partHeader').bytes ?? 0,
    wholeBytes: view.at('body').bytes ?? 0,
    heldBytes: view.at('held').bytes ?? 0,
    answerBytes: view.at('answer').bytes ?? 0,
  };
}

/** What tenants may refer to and are judged by. */
export interface KnownToTenants extends Known {
  readonly judged: Around;
}

export function knownOf(root: View, around: Surroundings, proper: GatewayProper): KnownToTenants {
  return {
    around,
    issuers: allOrNothing(root.at('issuers').items.map((issuer) => issuer.at('id').text)),
    policies: allOrNothing(root.at('policies').entries.map(([name]) => name)),
    clientCertificates: proper.listen.clientCertificates,
    judged: { issuers: judgedIssuers(root.at('issuers')), state: root.at('state').exists },
  };
}

/** Undefined when one of the names is at fault, or there is none. */
function allOrNothing(names: readonly (string | undefined)[]): readonly string[] | undefined {
  const sound = names.filter((name) => name !== undefined);
  return sound.length > 0 && sound.length === names.length ? sound : undefined;
}

function listenOf(view: View, around: Surroundings): GatewaySettings['listen'] {
  const host = addressOf(view.at('host'));
  return {
    host,
    port: view.at('port').integer ?? 0,
    // Whatever is not plainly the older version is the newer one.
    minimumTls: view.at('minimumTls').text === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3',
    ...keyPairOf(view, around),
    clientCertificates: clientCertificatesOf(view.at('clientCertificates'), around),
    ...frontOf(view),
  };
}

function operationsOf(view: View): GatewaySettings['operations'] {
  const place = view.at('host');
  const host = addressOf(place);
  if (host !== '' && !isLoopback(host) && view.at('exposeBeyondLoopbackInsecurely').flag !== true) {
    place.fault(
      'is not a loopback address: metrics would be readable by others, unencrypted. Use 127.0.0.1 or "::1", ' +
        'or accept that with "exposeBeyondLoopbackInsecurely: true"',
    );
  }
  const port = view.at('port').integer ?? 0;
  const balancer = view.at('balancer');
  if (!balancer.exists) return { host, port };
  const asked = { host: addressOf(balancer.at('host')), port: balancer.at('port').integer ?? 0 };
  if (asked.port > 0 && asked.port === port && overlap(asked.host, host))
    balancer.at('port').fault('is the port of the operations listener ("operations.port"); they must differ');
  return { host, port, balancer: asked };
}

function addressOf(view: View): string {
  const host = view.text ?? '';
  const fault = host === '' ? undefined : addressFault(host);
  if (fault === undefined) return host;
  view.fault(fault);
  return '';
}

/** Whether two listening addresses on one port would meet. */
function overlap(a: string, b: string): boolean {
  const everywhere = (host: string) => host === '::' || host === '0.0.0.0';
  return a === b || everywhere(a) || everywhere(b);
}
