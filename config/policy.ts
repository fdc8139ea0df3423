import type { PointedFault } from '../contracts/errors.ts';
import type { PolicyDocument, RouteDocument } from '../contracts/settings.ts';
import { limitOf } from './limits.ts';
import type { View } from './view.ts';

/** Keys of a document whose name in the file is another, because the file gives a unit with the value. */
const WRITTEN_AS: Readonly<Record<string, string>> = {
  maxAgeMs: 'maxAge',
  hideDeadlineMs: 'hideDeadline',
  maxBodyBytes: 'maxBody',
  backendTimeoutMs: 'backendTimeout',
  factorMaxAgeSeconds: 'factorMaxAge',
  windowSeconds: 'window',
};

/** A fault in the terms of the document, in the terms of the file. */
export function asWritten(fault: PointedFault): PointedFault {
  const inFile = (text: string) =>
    text.replaceAll(/\b[a-z][A-Za-z]+(?:Ms|Bytes|Seconds)\b/g, (key) => WRITTEN_AS[key] ?? key);
  const pointer = fault.pointer
    .split('/')
    .map((step, index, steps) => (steps[index - 1] === 'where' ? step : (WRITTEN_AS[step] ?? step)))
    .join('/');
  return { pointer, message: inFile(fault.message) };
}

/** The route table as written, with quantities in milliseconds and bytes. No default is filled in: those are `policies`'. */
export function policyOf(root: View, file: string): PolicyDocument {
  return { file, routes: root.at('routes').items.map(routeOf) };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function routeOf(view: View): RouteDocument {
  const smart = view.at('smart');
  const route: Mutable<RouteDocument> = {
    id: view.at('id').text ?? '',
    methods: view.at('methods').texts,
    path: view.at('path').text ?? '',
  };
  const set = <K extends keyof RouteDocument>(key: K, value: RouteDocument[K] | undefined) => {
    if (value !== undefined) route[key] = value;
  };
  const list = (key: string) => (view.at(key).exists ? view.at(key).texts : undefined);
  set('where', whereOf(view.at('where')));
  set('credential', view.at('credential').text as RouteDocument['credential']);
  const factorMaxAge = view.at('factorMaxAge').milliseconds;
  set('factorMaxAgeSeconds', factorMaxAge === undefined ? undefined : factorMaxAge / 1000);
  set('senderConstrained', view.at('senderConstrained').text as RouteDocument['senderConstrained']);
  set('clientCertificate', view.at('clientCertificate').text as RouteDocument['clientCertificate']);
  set('scopes', list('scopes'));
  if (smart.exists) {
    set('smart', {
      contexts: smart.at('contexts').texts as NonNullable<RouteDocument['smart']>['contexts'],
      resource: smart.at('resource').text ?? '',
      permission: smart.at('permission').text ?? '',
    });
  }
  set('patient', patientOf(view.at('patient')));
  set('introspection', view.at('introspection').text as RouteDocument['introspection']);
  set('integrity', integrityOf(view.at('integrity')));
  set('hide', view.at('hide').text as RouteDocument['hide']);
  set('hideDeadlineMs', view.at('hideDeadline').milliseconds);
  if (view.at('limit').exists) set('limit', limitOf(view.at('limit')));
  set('maxBodyBytes', view.at('maxBody').bytes);
  set('mediaTypes', list('mediaTypes'));
  set('backendTimeoutMs', view.at('backendTimeout').milliseconds);
  set('upgrade', view.at('upgrade').text as RouteDocument['upgrade']);
  set('writes', view.at('writes').flag);
  set('contentSecurityPolicy', securityPolicyOf(view.at('contentSecurityPolicy')));
  return route;
}

function patientOf(view: View): RouteDocument['patient'] {
  if (!view.exists) return undefined;
  const capture = view.at('capture').text;
  const parameter = view.at('parameter').text;
  return { ...(capture === undefined ? {} : { capture }), ...(parameter === undefined ? {} : { parameter }) };
}

/** Without a prototype: a capture may be called `constructor`. */
function whereOf(view: View): RouteDocument['where'] {
  if (!view.exists) return undefined;
  const where: Record<string, readonly string[]> = Object.create(null);
  for (const [name, values] of view.entries) where[name] = values.texts;
  return where;
}

function integrityOf(view: View): RouteDocument['integrity'] {
  const mode = view.at('mode').text as NonNullable<RouteDocument['integrity']>['mode'] | undefined;
  if (mode === undefined) return undefined;
  const maxAgeMs = view.at('maxAge').milliseconds;
  return maxAgeMs === undefined ? { mode } : { mode, maxAgeMs };
}

function securityPolicyOf(view: View): RouteDocument['contentSecurityPolicy'] {
  const value = view.at('value').text;
  if (value === undefined) return undefined;
  const reportOnly = view.at('reportOnly').flag;
  return reportOnly === undefined ? { value } : { value, reportOnly };
}
