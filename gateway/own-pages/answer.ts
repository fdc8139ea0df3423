import type { Page } from '../../console/index.ts';
import type { Outcome } from '../../contracts/activity.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import { OWN_ANSWER_HEADERS, TRANSPORT_SECURITY } from '../answer/security-headers.ts';

/** An answer that the gateway writes itself, with what the log is to say of it. */
export interface OwnAnswer {
  readonly status: number;
  /** Name, value, name, value … without length and request id. */
  readonly headers: readonly string[];
  readonly body: Buffer | undefined;
  readonly outcome: Outcome;
  readonly reason: ReasonCode;
}

export interface AnswerOptions {
  readonly outcome?: Outcome;
  readonly reason?: ReasonCode;
  /** Values of `Set-Cookie`. */
  readonly cookies?: readonly string[];
  /** Further headers, name, value … */
  readonly headers?: readonly string[];
}

/** A page of the console. */
export function pageAnswer(status: number, page: Page, options: AnswerOptions = {}): OwnAnswer {
  const headers = [...TRANSPORT_SECURITY];
  for (const [name, value] of Object.entries(page.headers)) {
    if (!TRANSPORT_SECURITY.includes(name)) headers.push(name, value);
  }
  return answer(status, headers, Buffer.from(page.html), options);
}

/**
 * Sends the browser on. After a POST always with 303, so that what was posted is not posted there again
 * (RFC 9110 §15.4.4).
 */
export function redirect(method: string, location: string, options: AnswerOptions = {}): OwnAnswer {
  const status = method === 'GET' || method === 'HEAD' ? 302 : 303;
  return answer(status, [...OWN_ANSWER_HEADERS, 'location', location], undefined, options);
}

/** For machines: JSON that tells an error, or nothing at all. */
export function jsonAnswer(status: number, json: object | undefined, options: AnswerOptions = {}): OwnAnswer {
  const body = json === undefined ? undefined : Buffer.from(`${JSON.stringify(json)}\n`);
  const type = body === undefined ? [] : ['content-type', 'application/json; charset=utf-8'];
  return answer(status, [...type, ...OWN_ANSWER_HEADERS], body, options);
}

/** A file of the pages. */
export function assetAnswer(asset: {
  readonly body: Buffer | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}): OwnAnswer {
  const headers = [...TRANSPORT_SECURITY];
  for (const [name, value] of Object.entries(asset.headers)) {
    if (name !== 'content-length' && !TRANSPORT_SECURITY.includes(name)) headers.push(name, value);
  }
  return answer(200, headers, Buffer.from(asset.body), {});
}

function answer(
  status: number,
  headers: readonly string[],
  body: Buffer | undefined,
  options: AnswerOptions,
): OwnAnswer {
  const cookies = (options.cookies ?? []).flatMap((cookie) => ['set-cookie', cookie]);
  return Object.freeze({
    status,
    headers: Object.freeze([...headers, ...(options.headers ?? []), ...cookies]),
    body,
    outcome: options.outcome ?? (status >= 500 ? 'failed' : status >= 400 ? 'denied' : 'permitted'),
    reason: options.reason ?? 'own-page',
  });
}
