import type { ReasonCode } from '../../contracts/reasons.ts';
import { bodyForm, MEDIA_TYPE } from '../answer/bodies.ts';
import { OWN_ANSWER_HEADERS } from '../answer/security-headers.ts';
import type { OwnAnswer } from '../own-pages/answer.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { openingHours } from './hours.ts';

/** Seconds after which it is worth asking a place that does not say when it opens. */
const ASK_AGAIN = 3600;

/** Styles and pictures that are in the page itself, and nothing else: what an operator copies there is not trusted. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface Closed {
  readonly reason: ReasonCode;
  readonly heading: string;
  readonly text: string;
  readonly retryAfterSeconds: number;
  /** A page of the operator's, for browsers. */
  readonly page?: Buffer | undefined;
}

/** The answer of a tenant that is not served now; undefined: it is. */
export function whyClosed(x: Exchange): OwnAnswer | undefined {
  const { settings } = x.tenant;
  const now = Math.floor(x.facts.receivedAt / 1000);
  const closed =
    settings.paused === true
      ? PAUSED
      : settings.maintenance !== undefined
        ? {
            reason: 'tenant-maintenance' as const,
            heading: 'Under maintenance',
            text: settings.maintenance.message,
            retryAfterSeconds: settings.maintenance.retryAfterSeconds,
            page: settings.maintenance.page,
          }
        : outOfHours(x, now);
  return closed === undefined ? undefined : answerOf(x, closed);
}

const PAUSED: Closed = Object.freeze({
  reason: 'tenant-paused',
  heading: 'Not available at the moment',
  text: 'This service has been paused.',
  retryAfterSeconds: ASK_AGAIN,
});

function outOfHours(x: Exchange, now: number): Closed | undefined {
  const { open } = x.tenant.settings;
  if (open === undefined) return undefined;
  const hours = openingHours(open);
  if (hours.isOpen(now)) return undefined;
  const at = hours.opensAt(now);
  return {
    reason: 'tenant-closed',
    heading: 'Closed now',
    text:
      at === undefined ? 'It is closed until further notice.' : `It opens on ${placeTime(at, hours.zone)}.`,
    retryAfterSeconds: at === undefined ? ASK_AGAIN : at - now,
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** `Monday, 23 November 2026 at 08:00 (Europe/Berlin)`. */
function placeTime(at: number, zone: string): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'full', timeStyle: 'short' });
    formats.set(zone, format);
  }
  return `${format.format(at * 1000)} (${zone})`;
}

function answerOf(x: Exchange, closed: Closed): OwnAnswer {
  const form = bodyForm(x.facts.headers.get('accept'));
  const { name } = x.tenant.settings.brand ?? {};
  const title = name === undefined ? closed.heading : `${name}: ${closed.heading}`;
  const isPage = form === 'html' && closed.page !== undefined;
  return Object.freeze({
    status: 503,
    headers: Object.freeze([
      'content-type',
      MEDIA_TYPE[form],
      'retry-after',
      String(closed.retryAfterSeconds),
      ...(isPage ? withPolicy(OWN_ANSWER_HEADERS) : OWN_ANSWER_HEADERS),
    ]),
    body: isPage ? closed.page : Buffer.from(BODIES[form](title, closed.text)),
    outcome: 'denied',
    reason: closed.reason,
  });
}

function withPolicy(headers: readonly string[]): readonly string[] {
  const list = [...headers];
  const at = list.indexOf('content-security-policy');
  if (at < 0) list.push('content-security-policy', PAGE_POLICY);
  else list[at + 1] = PAGE_POLICY;
  return list;
}

type Writer = (title: string, text: string) => string;

const json: Writer = (title, text) =>
  `${JSON.stringify({
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'transient', details: { text: title }, diagnostics: text }],
  })}\n`;

const BODIES: Readonly<Record<keyof typeof MEDIA_TYPE, Writer>> = Object.freeze({
  'fhir-json': json,
  json,
  'fhir-xml': (title, text) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="transient"/><details><text value="${escaped(title)}"/></details><diagnostics value="${escaped(text)}"/></issue></OperationOutcome>\n`,
  html: (title, text) =>
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${escaped(title)}</title></head><body><main><h1>${escaped(title)}</h1><p>${escaped(text)}</p></main></body></html>\n`,
  text: (title, text) => `${title}\n${text}\n`,
});

/** For text and attributes of HTML and XML. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
