import type { CanonicalPath, Method, RequestFacts } from '../../contracts/facts.ts';
import type { RequestId } from '../../contracts/identifiers.ts';
import type { Decision, PolicySet } from '../../contracts/policy.ts';
import type { AnonymousPrincipal, BearerPrincipal, Principal } from '../../contracts/principal.ts';
import type { PolicyDocument, RouteDocument } from '../../contracts/settings.ts';
import { compilePolicy } from '../../policies/index.ts';

export const DEFAULTS = { hideDeadlineMs: 400 };

export function documentOf(...routes: RouteDocument[]): PolicyDocument {
  return { file: 'policy.yaml', routes };
}

/** A bearer route that reads a page, for tests that care about something else. */
export function page(id: string, path: string, more: Partial<RouteDocument> = {}): RouteDocument {
  return { id, methods: ['GET'], path, scopes: ['pages'], ...more };
}

export function policyOf(...routes: RouteDocument[]): PolicySet {
  const compiled = compilePolicy('test', documentOf(...routes), DEFAULTS);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults, null, 1));
  return compiled.policy;
}

/** The same, of a policy that knows these roles. */
export function policyWithRoles(
  roles: Readonly<Record<string, readonly string[]>>,
  ...routes: RouteDocument[]
): PolicySet {
  const compiled = compilePolicy('test', { ...documentOf(...routes), roles }, DEFAULTS);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults, null, 1));
  return compiled.policy;
}

export function faultsOfRoutes(...routes: RouteDocument[]): readonly string[] {
  const compiled = compilePolicy('test', documentOf(...routes), DEFAULTS);
  return compiled.ok ? [] : compiled.faults.map((fault) => `${fault.pointer}: ${fault.message}`);
}

/** Facts as the gateway would make them from `GET /a/b?c=d`. */
export function facts(line: string, more: Partial<RequestFacts> = {}): RequestFacts {
  const [method = '', target = ''] = line.split(' ');
  const [text = '', query = ''] = target.split('?');
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  const segments = text === '/' ? [] : text.slice(1).split('/').map(decodeURIComponent);
  return {
    id: '0'.repeat(26) as RequestId,
    arrivedAt: 0,
    receivedAt: 0,
    protocol: 'HTTP/2',
    method: method as Method,
    authority: 'clinic.example',
    host: 'clinic.example',
    path: { text, segments } as unknown as CanonicalPath,
    query,
    parameters,
    headers: new Map(),
    upgrade: undefined,
    body: { kind: 'none' },
    mediaType: undefined,
    peer: '192.0.2.1',
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: 'clinic.example' },
    ...more,
  };
}

export const ANONYMOUS = Object.freeze({
  kind: 'anonymous',
  scopes: new Set<string>(),
}) as unknown as AnonymousPrincipal;

export function bearer(scopes: readonly string[], patient?: string): BearerPrincipal {
  return Object.freeze({
    kind: 'bearer',
    tenant: 'clinic',
    issuer: 'https://issuer.example',
    subject: 's',
    clientId: undefined,
    scopes: new Set(scopes),
    patient,
    expiresAt: 4_102_444_800,
    limitKey: 'k',
  }) as unknown as BearerPrincipal;
}

export function decideLine(policy: PolicySet, line: string, principal: Principal): Decision {
  const request = facts(line);
  return policy.decide(request, policy.match(request), principal, 1_800_000_000);
}

/** `permit`, or the denial. */
export function outcome(policy: PolicySet, line: string, principal: Principal): string {
  const decision = decideLine(policy, line, principal);
  return decision.effect === 'permit' ? 'permit' : decision.denial;
}
