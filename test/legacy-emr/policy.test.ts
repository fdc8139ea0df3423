import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicyDocument } from '../../config/index.ts';
import type { CanonicalPath, Method } from '../../contracts/facts.ts';
import type { PolicySet } from '../../contracts/policy.ts';
import { compilePolicy } from '../../policies/index.ts';

const FILE = join(import.meta.dirname, '..', '..', 'examples', 'demo', 'policy.yaml');
const document = loadPolicyDocument(FILE);

function compiled(): PolicySet {
  const result = compilePolicy('demo', document, { hideDeadlineMs: 250 });
  if (!result.ok) throw new Error(JSON.stringify(result.faults, undefined, 1));
  return result.policy;
}

const policy = compiled();

function routeOf(method: Method, path: string, upgrade?: 'websocket'): string | undefined {
  const segments = path === '/' ? [] : path.slice(1).split('/');
  const canonical = { text: path, segments } as unknown as CanonicalPath;
  return policy.match({ method, path: canonical, upgrade })?.route.id;
}

describe("the demo's policy", () => {
  it.each<[Method, string, string | undefined]>([
    ['GET', '/fhir/Patient/1', 'fhir-patient-read'],
    ['HEAD', '/fhir/Patient/1', 'fhir-patient-read'],
    ['GET', '/fhir/Observation/1', 'fhir-read'],
    ['GET', '/fhir/DocumentReference/1', 'fhir-read'],
    ['GET', '/fhir/Patient', 'fhir-patient-search'],
    ['GET', '/fhir/Encounter', 'fhir-search'],
    ['POST', '/fhir/Patient', 'fhir-create'],
    ['PUT', '/fhir/Patient/1', 'fhir-update'],
    ['DELETE', '/fhir/MedicationRequest/1', 'fhir-delete'],
    ['GET', '/fhir/metadata', 'fhir-metadata'],
    ['GET', '/', 'pages-home'],
    ['GET', '/login', 'login-page'],
    ['POST', '/login', 'login-submit'],
    ['GET', '/logout', 'logout'],
    ['GET', '/patients', 'pages'],
    ['GET', '/patients/1', 'page-record'],
    ['GET', '/patients/1/edit', 'page-edit'],
    ['POST', '/patients/1/edit', 'page-save'],
    ['GET', '/static/emr.css', 'static'],
    ['POST', '/documents/upload', 'upload'],
    ['GET', '/documents/1/content', 'document-content'],
    ['GET', '/download/large', 'download'],
    ['GET', '/slow', 'slow'],
    ['GET', '/events', 'events'],
    // What nothing permits.
    ['GET', '/server-status', undefined],
    ['GET', '/healthz', undefined],
    ['GET', '/feed', undefined],
    ['GET', '/fhir/Practitioner/1', undefined],
    ['GET', '/fhir/Patient/1/_history', undefined],
    ['PATCH', '/fhir/Patient/1', undefined],
    ['POST', '/fhir/Patient/1', undefined],
    ['DELETE', '/patients/1', undefined],
    ['POST', '/static/emr.css', undefined],
  ])('%s %s is decided by %s', (method, path, id) => {
    expect(routeOf(method, path)).toBe(id);
  });

  it('opens the feed as a WebSocket only', () => {
    expect(routeOf('GET', '/feed', 'websocket')).toBe('feed');
    expect(routeOf('GET', '/patients', 'websocket')).toBeUndefined();
  });

  it('lets nobody in without a token but for static assets', () => {
    const anonymous = policy.routes.filter((route) => route.credential === 'anonymous');
    expect(anonymous.map((route) => route.id)).toEqual(['static']);
    expect(policy.routes.filter((route) => route.integrity.mode === 'off').map((route) => route.id)).toEqual([
      'static',
    ]);
  });

  it('wants a strict proof and an active token for everything that writes', () => {
    const writes = document.routes.filter(
      (route) => route.methods.some((method) => method !== 'GET') || ['logout', 'feed'].includes(route.id),
    );
    expect(writes.length).toBeGreaterThan(6);
    for (const { id } of writes) {
      const route = policy.routes.find((known) => known.id === id);
      expect([id, route?.integrity.mode, route?.introspection]).toEqual([id, 'strict', 'always']);
    }
  });

  it('wants a SMART scope of the type in the path for every FHIR record', () => {
    const fhir = document.routes.filter((route) => route.path.startsWith('/fhir/{'));
    expect(fhir).toHaveLength(7);
    for (const route of fhir) {
      expect(route.smart?.resource).toBe('{resourceType}');
      expect(route.where?.resourceType?.length).toBeGreaterThan(0);
      expect(route.hide).not.toBe('none');
      // A patient's own scopes count only where the request says whose record it is.
      expect(route.smart?.contexts.includes('patient')).toBe(route.patient !== undefined);
    }
  });
});
