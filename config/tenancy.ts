import { DAYS, type HoursDocument } from '../contracts/conditions.ts';
import type {
  MaintenanceSettings,
  OwnRowsSettings,
  RowMark,
  TellBackendSettings,
  TenantSettings,
} from '../contracts/settings.ts';
import { readPublic, type Surroundings } from './references.ts';
import type { View } from './view.ts';

/** How a tenant is kept apart from others, and when it is open. */
export type Tenancy = Pick<TenantSettings, 'tellBackend' | 'ownRows' | 'open' | 'maintenance'>;

/** @param reserved header names, in lower case, with a meaning of their own */
export function tenancyOf(view: View, around: Surroundings, reserved: ReadonlySet<string>): Tenancy {
  return {
    tellBackend: tellBackendOf(view.at('tellBackend'), view.at('identityHeader'), reserved),
    ownRows: ownRowsOf(view.at('ownRows')),
    open: view.at('open').exists ? view.at('open').items.map(hoursOf) : undefined,
    maintenance: maintenanceOf(view.at('maintenance'), around),
  };
}

function tellBackendOf(
  view: View,
  identity: View,
  reserved: ReadonlySet<string>,
): TellBackendSettings | undefined {
  if (!view.exists) return undefined;
  const name = view.at('header').at('name');
  const lower = name.text?.toLowerCase();
  if (lower !== undefined && (reserved.has(lower) || lower.startsWith('sec-'))) {
    name.fault('has a meaning of its own in HTTP or for the gateway; choose another, such as X-Clinic');
  } else if (lower !== undefined && lower === identity.text?.toLowerCase()) {
    name.fault('is the "identityHeader" already; choose another');
  }
  const header = pairOf(view.at('header'));
  return {
    // In lower case, as every name on the way is compared.
    header: header === undefined ? undefined : { ...header, name: header.name.toLowerCase() },
    query: pairOf(view.at('query')),
    pathPrefix: view.at('pathPrefix').text,
  };
}

function pairOf(view: View): { readonly name: string; readonly value: string } | undefined {
  if (!view.exists) return undefined;
  return { name: view.at('name').text ?? '', value: view.at('value').text ?? '' };
}

/** They describe the server, or what went wrong, and no record. */
const NOBODYS: readonly string[] = ['CapabilityStatement', 'OperationOutcome'];

function ownRowsOf(view: View): OwnRowsSettings | undefined {
  if (!view.exists) return undefined;
  return {
    marks: view.at('marks').items.flatMap((mark) => markOf(mark) ?? []),
    shared: [...NOBODYS, ...view.at('shared').texts],
  };
}

function markOf(view: View): RowMark | undefined {
  const [system, code] = [view.at('system'), view.at('code')];
  const [pointer, value] = [view.at('pointer'), view.at('value')];
  const isTag = system.exists && code.exists && !pointer.exists && !value.exists;
  const isField = pointer.exists && value.exists && !system.exists && !code.exists;
  if (!isTag && !isField) {
    view.fault('needs either "system" and "code", or "pointer" and "value"');
    return undefined;
  }
  if (isTag) return { by: 'tag', system: system.text ?? '', code: code.text ?? '' };
  const path = (pointer.text ?? '').slice(1).split('/');
  return {
    by: 'pointer',
    path: path.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
    value: value.text ?? '',
  };
}

function hoursOf(view: View): HoursDocument {
  const zone = view.at('zone');
  if (zone.text !== undefined && !isZone(zone.text))
    zone.fault('is not an IANA time zone that is known here; write one such as America/Chicago');
  const [from, to] = [view.at('from'), view.at('to')];
  if (from.text === '24:00') from.fault('must be a time such as 08:00; 24:00 is an end');
  if (to.text !== undefined && to.text === (from.text ?? '00:00'))
    to.fault('is the same time as "from", so that it would never be open');
  for (const date of view.at('except').items) {
    if (date.text !== undefined && !isDate(date.text)) date.fault('is no date of the calendar');
  }
  const days = view.at('days').texts.flatMap((day) => DAYS.find((known) => known === day) ?? []);
  return {
    zone: zone.text ?? '',
    ...(view.at('days').exists ? { days } : {}),
    ...(from.text === undefined ? {} : { from: from.text }),
    ...(to.text === undefined ? {} : { to: to.text }),
    ...(view.at('except').exists ? { except: view.at('except').texts } : {}),
  };
}

function isZone(zone: string): boolean {
  // Offsets such as +01:00 are accepted by Intl, and know no summer.
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function maintenanceOf(view: View, around: Surroundings): MaintenanceSettings | undefined {
  if (!view.exists) return undefined;
  return {
    message: view.at('message').text ?? '',
    page: readPublic(view.at('page'), around),
    retryAfterSeconds: (view.at('retryAfter').milliseconds ?? 0) / 1000,
  };
}
