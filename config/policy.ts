import type { PointedFault } from '../contracts/errors.ts';
import type { PackReference } from '../contracts/policy-packs.ts';
import type { PolicyDocument, RouteDocument, RouteOverride } from '../contracts/settings.ts';
import { answersOf } from './answers.ts';
import { conditionOf } from './conditions.ts';
import { limitsOf, routeConcurrencyOf, routeLimitsOf } from './limits.ts';
import { type PolicyReference, payloadOf } from './payload.ts';
import type { View } from './view.ts';

/** Keys of a document whose name in the file is another, because the file gives a unit with the value. */
const WRITTEN_AS: Readonly<Record<string, string>> = {
  maxAgeMs: 'maxAge',
  hideDeadlineMs: 'hideDeadline',
  hideLearned: 'hideDeadline',
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
export function policyOf(
  root: View,
  file: string,
  references: readonly PolicyReference[] = [],
): PolicyDocument {
  const routes = root.at('routes');
  if (!routes.exists && !root.at('extends').exists)
    routes.fault('is missing: The rules; or name a pack under "extends"');
  const document: Mutable<PolicyDocument> = {
    file,
    routes: routes.items.map((item) => routeOf(item, references)),
  };
  if (root.at('extends').exists) document.extends = root.at('extends').items.map(packOf);
  if (root.at('override').exists)
    document.override = root.at('override').items.map((item) => overrideOf(item, references));
  if (root.at('remove').exists) document.remove = root.at('remove').texts;
  if (root.at('answers').exists) document.answers = answersOf(root.at('answers'));
  if (root.at('roles').exists) document.roles = listsOf(root.at('roles'));
  if (root.at('separate').exists) document.separate = root.at('separate').items.map((list) => list.texts);
  return document;
}

function packOf(view: View): PackReference {
  const [version, base] = [view.at('version').text, view.at('base').text];
  return {
    pack: view.at('pack').text ?? '',
    ...(version === undefined ? {} : { version }),
    ...(base === undefined ? {} : { base }),
  };
}

/** Only the keys that are written: what is left out stays as the pack has it. */
function overrideOf(view: View, references: readonly PolicyReference[]): RouteOverride {
  const { methods, path, ...rest } = routeOf(view, references);
  return {
    ...rest,
    ...(view.at('methods').exists ? { methods } : {}),
    ...(view.at('path').exists ? { path } : {}),
  };
}

/** Without a prototype: a name may be `constructor`. */
function listsOf(view: View): Readonly<Record<string, readonly string[]>> {
  const lists: Record<string, readonly string[]> = Object.create(null);
  for (const [name, values] of view.entries) lists[name] = values.texts;
  return lists;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function routeOf(view: View, references: readonly PolicyReference[]): RouteDocument {
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
  set('effect', view.at('effect').text as RouteDocument['effect']);
  set('roles', list('roles'));
  set('when', view.at('when').exists ? conditionOf(view.at('when')) : undefined);
  set('where', view.at('where').exists ? listsOf(view.at('where')) : undefined);
  set('credential', view.at('credential').text as RouteDocument['credential']);
  const factorMaxAge = view.at('factorMaxAge').milliseconds;
  set('factorMaxAgeSeconds', factorMaxAge === undefined ? undefined : factorMaxAge / 1000);
  set('senderConstrained', view.at('senderConstrained').text as RouteDocument['senderConstrained']);
  set('audience', view.at('audience').text);
  set('clientCertificate', view.at('clientCertificate').text as RouteDocument['clientCertificate']);
  set('scopes', list('scopes'));
  if (smart.exists) {
    set('smart', {
      contexts: smart.at('contexts').texts as NonNullable<RouteDocument['smart']>['contexts'],
      resource: smart.at('resource').text ?? '',
      permission: smart.at('permission').text ?? '',
    });
  }
  set('fhir', fhirOf(view.at('fhir')));
  set('patient', patientOf(view.at('patient')));
  set('introspection', view.at('introspection').text as RouteDocument['introspection']);
  set('integrity', integrityOf(view.at('integrity')));
  set('hide', view.at('hide').text as RouteDocument['hide']);
  const hideDeadline = view.at('hideDeadline');
  set('hideDeadlineMs', hideDeadline.milliseconds);
  set('hideLearned', hideDeadline.text === 'learned' ? true : undefined);
  set('lookFirst', view.at('lookFirst').flag);
  if (view.at('limit').exists) set('limit', limitsOf(view.at('limit')));
  set('limits', routeLimitsOf(view.at('limits')));
  set('concurrency', routeConcurrencyOf(view.at('concurrency')));
  set('maxBodyBytes', view.at('maxBody').bytes);
  set('mediaTypes', list('mediaTypes'));
  set('backendTimeoutMs', view.at('backendTimeout').milliseconds);
  set('upgrade', view.at('upgrade').text as RouteDocument['upgrade']);
  set('allow', list('allow'));
  set('methodOverride', list('methodOverride'));
  set('query', queryOf(view.at('query')));
  set('sharing', view.at('sharing').text as RouteDocument['sharing']);
  set('rows', view.at('rows').text as RouteDocument['rows']);
  set('writes', view.at('writes').flag);
  set('contentSecurityPolicy', securityPolicyOf(view.at('contentSecurityPolicy')));
  set('answers', view.at('answers').exists ? answersOf(view.at('answers')) : undefined);
  set('inspect', inspectOf(view.at('inspect'), references));
  return route;
}

function fhirOf(view: View): RouteDocument['fhir'] {
  if (!view.exists) return undefined;
  const version = view.at('version').text as NonNullable<RouteDocument['fhir']>['version'];
  return { version, interaction: view.at('interaction').text ?? '' };
}

function patientOf(view: View): RouteDocument['patient'] {
  if (!view.exists) return undefined;
  const capture = view.at('capture').text;
  const parameter = view.at('parameter').text;
  return { ...(capture === undefined ? {} : { capture }), ...(parameter === undefined ? {} : { parameter }) };
}

function queryOf(view: View): RouteDocument['query'] {
  if (!view.exists) return undefined;
  const duplicates = view.at('duplicates').text as 'refuse' | 'allow' | undefined;
  const brackets = view.at('brackets').text as 'refuse' | 'allow' | undefined;
  return {
    ...(duplicates === undefined ? {} : { duplicates }),
    ...(brackets === undefined ? {} : { brackets }),
  };
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

function inspectOf(view: View, references: readonly PolicyReference[]): RouteDocument['inspect'] {
  if (!view.exists) return undefined;
  const injection = view.at('injection');
  const payload = payloadOf(view.at('payload'), references);
  return {
    ...(injection.exists ? { injection: injectionOf(injection) } : {}),
    ...(payload === undefined ? {} : { payload }),
  };
}

function injectionOf(view: View): NonNullable<NonNullable<RouteDocument['inspect']>['injection']> {
  const mode = view.at('mode').text as 'block' | 'report' | undefined;
  const except = view.at('except');
  const prose = view.at('prose');
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(except.exists
      ? {
          except: except.items.map((item) => ({
            place: item.at('place').text ?? '',
            rule: item.at('rule').text ?? '',
          })),
        }
      : {}),
    ...(prose.exists ? { prose: prose.items.map((item) => item.text ?? '') } : {}),
  };
}
