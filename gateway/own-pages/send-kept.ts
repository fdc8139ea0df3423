import { ChartgateError } from '../../contracts/errors.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { HeldForm } from '../../identity/sessions/index.ts';
import type { Ending } from '../pipeline/ending.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { OwnAnswer } from './answer.ts';
import { only, readBody } from './body.ts';
import type { Browsers } from './browsers.ts';
import { Call } from './call.ts';
import { takeForm } from './continue.ts';
import { CONTINUE, PAGES } from './paths.ts';

/** Bytes; the confirmation holds one token. */
const CONFIRMATION = 1024;

/**
 * A request whose query says that a kept form is to be sent here. When it is the confirmation of our own page, the
 * form takes its place, and goes through every stage that follows as if it had come now. Anything else is the EMR's,
 * such as a form of a page that stands at this address since: it goes on without that parameter.
 * @returns undefined to go on
 */
export async function sendKept(x: Exchange, browsers: Browsers): Promise<Ending | undefined> {
  const c = new Call(x, browsers);
  x.facts = withoutParameter(x.facts);
  try {
    const confirmation = await confirmationIn(c);
    if (confirmation === undefined) return undefined;
    // A page that an earlier session was shown: never the EMR's, which would take it for an empty form.
    if (!c.isOurs(confirmation))
      return ended(c.refuse(403, 'expired', 'session-cross-site', 'form', { retryHref: PAGES.continued }));
    const taken = await takeForm(c);
    if ('no' in taken) return ended(taken.no);
    const { form } = taken;
    x.facts = withBody(x.facts, form);
    x.client.replaceBody(form.body);
    x.kept = form;
    return undefined;
  } catch (error) {
    if (error instanceof ChartgateError && error.code === 'activity-log-unavailable')
      return ended(c.unavailable('activity-log-unavailable'));
    if (error instanceof ChartgateError && error.code.startsWith('state-'))
      return ended(c.unavailable('session-state-unavailable', error.code));
    throw error;
  }
}

/** Keeps it once more when it did not get as far as the EMR: nothing is lost because something was down. */
export async function keepAgain(x: Exchange, browsers: Browsers): Promise<void> {
  const secret = new Call(x, browsers).cookies.form;
  if (x.kept === undefined || secret === undefined) return;
  try {
    await browsers.heldForms.holdAs(secret, x.kept);
  } catch {
    // The state is down: the answer is an error already, and the browser can still go back.
  }
}

/** The fields of a form that only our own page has. */
async function confirmationIn(c: Call): Promise<URLSearchParams | undefined> {
  const { x } = c;
  const { body, headers, method, mediaType } = x.facts;
  // Whoever presents a credential is judged by that alone, and never sends what was kept for a session.
  if (headers.has('authorization')) return undefined;
  if (method !== 'POST' || mediaType !== 'application/x-www-form-urlencoded') return undefined;
  if (body.kind !== 'length' || body.bytes > CONFIRMATION) return undefined;
  const bytes = await readBody(x, CONFIRMATION);
  if (!Buffer.isBuffer(bytes)) return undefined;
  const fields = new URLSearchParams(bytes.toString('latin1'));
  if (fields.size === 2 && only(fields, CONTINUE) === 'yes' && fields.has('csrf')) return fields;
  x.client.replaceBody(bytes);
  return undefined;
}

function withoutParameter(facts: RequestFacts): RequestFacts {
  const parameters = new Map(facts.parameters);
  parameters.delete(CONTINUE);
  const query = facts.query
    .split('&')
    .filter((part) => part.split('=', 1)[0] !== CONTINUE)
    .join('&');
  return Object.freeze({ ...facts, query, parameters });
}

function withBody(facts: RequestFacts, form: HeldForm): RequestFacts {
  const headers = new Map(facts.headers);
  // That of our page says nothing to the EMR.
  headers.delete('referer');
  headers.set('content-type', form.contentType);
  return Object.freeze({
    ...facts,
    headers,
    body: Object.freeze({ kind: 'length', bytes: form.body.length }),
    mediaType: form.mediaType,
  });
}

function ended(own: OwnAnswer): Ending {
  return { kind: 'own-page', reason: own.reason, own };
}
