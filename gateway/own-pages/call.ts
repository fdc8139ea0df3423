import { timingSafeEqual } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { type Form, renderError, renderUnavailable, type Site } from '../../console/index.ts';
import type { SessionEvent } from '../../contracts/activity.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { CHANNELS, type SessionEventCount } from '../../contracts/events.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import { hashOf } from '../../identity/lengths.ts';
import { foreignCookies, readCookies, type Session } from '../../identity/sessions/index.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type AnswerOptions, type OwnAnswer, pageAnswer } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Browsers } from './browsers.ts';

const events = channel(CHANNELS.session);

type ErrorKind = Parameters<typeof renderError>[1]['kind'];

/** One request for a page of ours. */
export class Call {
  readonly x: Exchange;
  readonly browsers: Browsers;
  readonly site: Site;
  readonly cookies: ReturnType<typeof readCookies>;

  constructor(x: Exchange, browsers: Browsers) {
    this.x = x;
    this.browsers = browsers;
    this.site = browsers.site(x.tenant.id);
    this.cookies = readCookies(x.facts.headers.get('cookie'));
  }

  get method(): string {
    return this.x.facts.method;
  }

  /** The session that the cookie opens, whatever its stage. @throws ChartgateError `state-unavailable` */
  async session(): Promise<Session | undefined> {
    const { session } = this.cookies;
    if (session === undefined) return undefined;
    const found = await this.browsers.sessions.find(session, this.x.tenant.id);
    if (found.state === 'unavailable') throw new ChartgateError('state-unavailable', 'sessions');
    if (found.state !== 'live') return undefined;
    this.x.session = found.session;
    if (found.session.principal !== undefined) this.x.principal = found.session.principal;
    return found.session;
  }

  /** A query parameter that is there exactly once. */
  parameter(name: string): string | undefined {
    const values = this.x.facts.parameters.get(name);
    return values?.length === 1 ? values[0] : undefined;
  }

  /** A form of ours, which only a page that this session was shown can send back. */
  form(action: string, hidden: Readonly<Record<string, string>> = {}, secret = this.cookies.session): Form {
    return { action, csrf: csrfOf(secret ?? ''), hidden };
  }

  /** Whether the form came from a page that this session was shown. */
  isOurs(fields: Fields): boolean {
    const token = only(fields, 'csrf');
    const { session } = this.cookies;
    if (token === undefined || session === undefined) return false;
    const [given, expected] = [Buffer.from(hashOf(token)), Buffer.from(hashOf(csrfOf(session)))];
    return timingSafeEqual(given, expected);
  }

  /** Uniform for each kind; why is in the log by the request's id. */
  refuse(
    status: number,
    kind: ErrorKind,
    reason: ReasonCode,
    detail: string | undefined,
    options: AnswerOptions & { retryHref?: string } = {},
  ): OwnAnswer {
    this.x.failed(reason, detail);
    const { retryHref, ...rest } = options;
    const page = renderError(this.site, {
      kind,
      requestId: this.x.facts.id,
      retryHref,
      homeHref: '/',
    });
    return pageAnswer(status, page, { ...rest, reason });
  }

  unavailable(reason: ReasonCode, detail?: string, retryHref?: string): OwnAnswer {
    this.x.failed(reason, detail);
    const page = renderUnavailable(this.site, {
      kind: 'unavailable',
      requestId: this.x.facts.id,
      retrySeconds: 5,
      retryHref,
    });
    return pageAnswer(503, page, { reason, headers: ['retry-after', '5'] });
  }

  /** Durable before the answer. @throws ChartgateError `activity-log-unavailable` */
  async note(
    event: SessionEvent,
    who: { readonly issuer: string; readonly subject: string } | undefined,
    detail = '',
  ): Promise<void> {
    await this.x.services.activity.append({
      kind: 'session',
      event,
      request: this.x.facts.id,
      tenant: this.x.tenant.id,
      issuer: who?.issuer ?? '',
      subject: who?.subject ?? '',
      detail,
    });
    if (events.hasSubscribers)
      events.publish({ tenant: this.x.tenant.id, event, count: 1 } satisfies SessionEventCount);
  }

  /**
   * Ends what the EMR left in the browser: the next person to sign in there must not find themselves signed in to
   * the EMR as the one before. (`Clear-Site-Data` would do it for every host of the whole domain.)
   */
  forgetEmr(): readonly string[] {
    return foreignCookies(this.x.facts.headers.get('cookie')).map(
      (name) => `${name}=; Path=/; Secure; Max-Age=0`,
    );
  }
}

/** Follows from the cookie's secret, which does not follow from it. */
function csrfOf(secret: string): string {
  return hashOf('csrf', secret);
}
