import type { Known } from './back-end/tables.ts';
import { PATIENTS } from './back-end/tables.ts';

/** What somebody asks for who may not have it, by why. */
export const CASES = [
  'absent',
  'other tenant',
  'deleted',
  'other patient',
  'other patient, slow',
  'no consent',
  'refused by the EMR',
  'error of the EMR',
] as const;
export type Case = (typeof CASES)[number];

/** What may happen besides, where bytes are looked at. */
export const ODD_CASES = ['EMR drops', 'EMR redirects', 'EMR is busy', 'EMR talks nonsense'] as const;
export type OddCase = (typeof ODD_CASES)[number];

/** Cases in which there is a record. */
export const THERE: ReadonlySet<Case | OddCase> = new Set<Case | OddCase>([
  'other patient',
  'other patient, slow',
  'no consent',
  'refused by the EMR',
  'error of the EMR',
]);

/** One of a list is taken for each request. */
export interface Variant {
  readonly path: string;
  readonly body: string | undefined;
}

/** One method of asking, about one case. */
export interface Cell {
  readonly method: string;
  readonly case: Case | OddCase;
  readonly verb: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly variants: readonly Variant[];
}

interface Asking {
  readonly verb: string;
  readonly of: 'observation' | 'patient' | 'document';
  readonly path: (id: number) => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: (id: number) => string;
  /** Cases that are none here: the policy of the route does not know whose it is. */
  readonly without?: readonly (Case | OddCase)[];
}

const one = (id: number) => `/fhir/Observation/${id}`;
const whose: readonly Case[] = ['other patient', 'other patient, slow', 'no consent'];

function observation(id: number): string {
  return JSON.stringify({
    resourceType: 'Observation',
    id: String(id),
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: `Patient/${PATIENTS.own}` },
    valueQuantity: { value: 60, unit: '/min' },
  });
}

/** Every way of asking after a record, by name. */
export const METHODS: Readonly<Record<string, Asking>> = Object.freeze({
  GET: { verb: 'GET', of: 'observation', path: one },
  HEAD: { verb: 'HEAD', of: 'observation', path: one },
  OPTIONS: { verb: 'OPTIONS', of: 'observation', path: one },
  PUT: {
    verb: 'PUT',
    of: 'observation',
    path: one,
    headers: { 'content-type': 'application/fhir+json' },
    body: observation,
  },
  PATCH: {
    verb: 'PATCH',
    of: 'observation',
    path: one,
    headers: { 'content-type': 'application/json-patch+json' },
    body: () => '[{"op":"replace","path":"/status","value":"amended"}]',
  },
  DELETE: { verb: 'DELETE', of: 'observation', path: one },
  'PUT If-Match': {
    verb: 'PUT',
    of: 'observation',
    path: one,
    headers: { 'content-type': 'application/fhir+json', 'if-match': 'W/"1"' },
    body: observation,
  },
  'POST _search': {
    verb: 'POST',
    of: 'observation',
    path: () => '/fhir/Observation/_search',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: (id) => `_id=${id}`,
  },
  'GET If-None-Match': {
    verb: 'GET',
    of: 'observation',
    path: one,
    headers: { 'if-none-match': 'W/"1"' },
  },
  'GET If-Modified-Since': {
    verb: 'GET',
    of: 'observation',
    path: one,
    headers: { 'if-modified-since': 'Sat, 01 Jun 2024 00:00:00 GMT' },
  },
  'GET Range': { verb: 'GET', of: 'observation', path: one, headers: { range: 'bytes=0-99' } },
  vread: { verb: 'GET', of: 'observation', path: (id) => `${one(id)}/_history/1` },
  history: { verb: 'GET', of: 'observation', path: (id) => `${one(id)}/_history` },
  $everything: { verb: 'GET', of: 'patient', path: (id) => `/fhir/Patient/${id}/$everything` },
  compartment: { verb: 'GET', of: 'patient', path: (id) => `/fhir/Patient/${id}/Observation` },
  file: {
    verb: 'GET',
    of: 'document',
    path: (id) => `/documents/${id}/content`,
    without: [...whose, ...ODD_CASES],
  },
});

const FATE: Readonly<Record<Exclude<Case | OddCase, 'absent' | 'other tenant'>, keyof typeof PATIENTS>> =
  Object.freeze({
    deleted: 'deleted',
    'other patient': 'other',
    'other patient, slow': 'slow',
    'no consent': 'unshared',
    'refused by the EMR': 'refused',
    'error of the EMR': 'broken',
    'EMR drops': 'dropped',
    'EMR redirects': 'redirected',
    'EMR is busy': 'busy',
    'EMR talks nonsense': 'garbled',
  });

/** Same number of digits as those that exist, or the length of the request would tell. */
const ABSENT = Array.from({ length: 40 }, (_, i) => 90_000 + i);

function idsOf(of: Asking['of'], which: Case | OddCase, here: Known, there: Known): readonly number[] {
  if (of === 'patient') {
    if (which === 'other tenant') return [];
    return which === 'absent' ? [88] : [PATIENTS[FATE[which]]];
  }
  const kind = of === 'document' ? 'documents' : 'observations';
  if (which === 'absent') return ABSENT;
  return which === 'other tenant' ? there[kind].own : here[kind][FATE[which]];
}

/** Every method asked about every case of it; about the odd ones too when asked to. */
export function cells(
  here: Known,
  there: Known,
  methods: readonly string[] = Object.keys(METHODS),
  cases: readonly (Case | OddCase)[] = CASES,
): Cell[] {
  return methods.flatMap((method) => {
    const asking = METHODS[method];
    if (asking === undefined) throw new Error(`there is no method ${method}`);
    return cases
      .filter((each) => asking.without?.includes(each) !== true)
      .flatMap((which) => {
        const ids = idsOf(asking.of, which, here, there);
        if (ids.length === 0) return [];
        return [
          {
            method,
            case: which,
            verb: asking.verb,
            headers: asking.headers ?? {},
            variants: ids.map((id) => ({ path: asking.path(id), body: asking.body?.(id) })),
          },
        ];
      });
  });
}

/** The same cells below another base. */
export function below(base: string, all: readonly Cell[]): Cell[] {
  return all.map((cell) => ({
    ...cell,
    variants: cell.variants.map((each) => ({ ...each, path: each.path.replace(/^\/fhir/, base) })),
  }));
}
