import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { CHANNELS, type SessionEventCount } from '../../contracts/events.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { SessionSettings } from '../../contracts/settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { hashId } from '../state/hash.ts';
import type { Sealer } from '../state/seal.ts';
import {
  fromDocument,
  issuerSessionKey,
  type KeptFacts,
  personKey,
  type Session,
  type SessionFacts,
  toDocument,
} from './record.ts';

/** Milliseconds for which what was found is believed without asking again: how long a session ended elsewhere lives on. */
const BELIEVED_MS = 1000;
const MAX_CACHED = 10_000;
/** Milliseconds that a session has in which only the first factor was given. */
const FACTOR_MS = 10 * 60_000;
/** Sessions of one person that are looked at; whoever has more ends them all. */
const MAX_OF_PERSON = 200;
/** Tries against others who change the same session. */
const TRIES = 5;

export type Found =
  | { readonly state: 'live'; readonly session: Session }
  | { readonly state: 'none' }
  /** It is live, and another tenant's: nobody's here. */
  | { readonly state: 'elsewhere' }
  | { readonly state: 'unavailable' };

const changes = channel(CHANNELS.session);

function tell(change: NonNullable<SessionEventCount['change']>, tenant: string, count = 1): void {
  if (count > 0 && changes.hasSubscribers)
    changes.publish({ tenant, change, count } satisfies SessionEventCount);
}

const NONE: Found = Object.freeze({ state: 'none' });
const ELSEWHERE: Found = Object.freeze({ state: 'elsewhere' });
const UNAVAILABLE: Found = Object.freeze({ state: 'unavailable' });

export interface Opened {
  /** For the cookie; known to nobody else, and kept nowhere. */
  readonly secret: string;
  readonly session: Session;
}

/** 256 random bits, base64url. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * Sessions of people at browsers, kept in the state store by the hash of what their cookie holds (OWASP ASVS
 * 5.0, V7). What is found is believed for a second; what is ended here ends here at once.
 */
export class Sessions {
  readonly #store: StateStore;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #settings: SessionSettings;
  readonly #cache = new LRUCache<string, { readonly session: Session; readonly until: number }>({
    max: MAX_CACHED,
  });
  readonly #asking = new Map<string, Promise<Found>>();

  constructor(options: { store: StateStore; sealer: Sealer; clock: Clock; settings: SessionSettings }) {
    this.#store = options.store;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#settings = options.settings;
  }

  /**
   * The live session that the cookie opens at this tenant. Answers at once for one that was found within the
   * last second. Never rejects.
   */
  find(secret: string, tenant: TenantId): Found | Promise<Found> {
    const id = hashId(secret);
    const cached = this.#cache.get(id);
    if (cached !== undefined && this.#clock.monotonic() < cached.until)
      return this.#judge(cached.session, tenant);
    const asking = this.#asking.get(id) ?? this.#ask(id);
    return asking.then((found) => (found.state === 'live' ? this.#judge(found.session, tenant) : found));
  }

  /** As `find` without the cookie, for what goes on for long: whether a session that was found is still live. */
  async isLive(session: Session): Promise<boolean> {
    const found = await this.#ask(session.id);
    return (
      found.state === 'live' && found.session.person === session.person && found.session.stage === 'open'
    );
  }

  /** @param idToken for signing out at the issuer; kept sealed */
  async open(facts: SessionFacts, idToken: string | undefined): Promise<Opened> {
    const now = this.#clock.wall();
    const secret = newSecret();
    const id = hashId(secret);
    const kept: KeptFacts = {
      ...facts,
      openedAt: now,
      seenAt: now,
      absoluteUntil: now + (facts.stage === 'factor' ? FACTOR_MS : this.#settings.absoluteMs),
      idToken:
        idToken === undefined
          ? undefined
          : this.#sealer.seal(idToken, { kind: 'session', id, field: 'idToken' }),
    };
    const document = toDocument(kept, this.#settings.idleMs);
    if (!(await this.#store.insert('session', id, document))) {
      throw new ChartgateError('state-unavailable', 'a new session could not be kept');
    }
    tell('opened', facts.tenant);
    return { secret, session: await this.#read(id) };
  }

  /**
   * The same session under a new name, with other facts: after a second factor and after step-up, so that whoever
   * knew the name before knows nothing afterwards. The old one is gone. @returns undefined when it was ended meanwhile
   */
  async renew(
    session: Session,
    change: Partial<
      Pick<SessionFacts, 'stage' | 'at' | 'methods' | 'acr' | 'factorAt' | 'scopes' | 'roles' | 'patient'>
    >,
  ): Promise<Opened | undefined> {
    const now = this.#clock.wall();
    const secret = newSecret();
    const id = hashId(secret);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const document = await this.#store.get('session', session.id);
      const current = document === undefined ? undefined : fromDocument(document);
      if (current === undefined || current.expiresAt <= now) return undefined;
      const idToken = this.idTokenOf(current);
      const kept: KeptFacts = {
        ...factsOf(current),
        ...change,
        openedAt: current.openedAt,
        seenAt: now,
        absoluteUntil:
          current.stage === 'factor' && change.stage === 'open'
            ? current.openedAt + this.#settings.absoluteMs
            : current.absoluteUntil,
        idToken:
          idToken === undefined
            ? undefined
            : this.#sealer.seal(idToken, { kind: 'session', id, field: 'idToken' }),
      };
      const done = await this.#store.commit([
        { do: 'remove', kind: 'session', id: current.id, version: current.version },
        { do: 'insert', kind: 'session', id, document: toDocument(kept, this.#settings.idleMs) },
      ]);
      if (!done) continue;
      this.#forget(session.id);
      return { secret, session: await this.#read(id) };
    }
    throw new ChartgateError('state-unavailable', 'a session could not be renewed');
  }

  /** Ends it earlier than it would have: never later. @param until wall-clock milliseconds */
  async shorten(session: Session, until: number): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const document = await this.#store.get('session', session.id);
      const current = document === undefined ? undefined : fromDocument(document);
      if (current === undefined || current.absoluteUntil <= until) return;
      const facts = {
        ...factsOf(current),
        ...timesOf(current),
        seenAt: current.seenAt,
        absoluteUntil: until,
      };
      const shorter = toDocument(facts, this.#settings.idleMs);
      const done = await this.#store.replace('session', current.id, current.version, shorter);
      this.#forget(session.id);
      if (done) return;
    }
    throw new ChartgateError('state-unavailable', 'a session could not be shortened');
  }

  /** Ends it here at once, elsewhere within a second. @param why for whoever counts */
  async end(
    { id, tenant }: Pick<Session, 'id' | 'tenant'>,
    why: 'signed-out' | 'replaced' | 'ended-by-person' | 'ended-by-issuer' = 'signed-out',
  ): Promise<boolean> {
    const ended = await this.#store.remove('session', id);
    this.#forget(id);
    if (ended) tell(why, tenant);
    return ended;
  }

  /** Every live session of the same person at the same tenant, the newest first. */
  async ofPerson(session: Session): Promise<readonly Session[]> {
    const documents = await this.#store.find('session', 'principal', session.person, {
      limit: MAX_OF_PERSON,
    });
    return documents
      .flatMap((document) => fromDocument(document) ?? [])
      .filter((each) => each.tenant === session.tenant)
      .sort((a, b) => b.seenAt - a.seenAt);
  }

  /** Ends those of `ofPerson` that are chosen; never one of somebody else. @returns how many */
  async endOthers(session: Session, chosen: (other: Session) => boolean): Promise<number> {
    let ended = 0;
    for (;;) {
      const others = (await this.ofPerson(session)).filter((each) => each.id !== session.id && chosen(each));
      const before = ended;
      for (const each of others) if (await this.end(each, 'ended-by-person')) ended += 1;
      if (others.length < MAX_OF_PERSON - 1 || ended === before) return ended;
    }
  }

  /**
   * What the issuer ends, at every tenant: one session of its own, or every one of a person.
   * @param what `before`: seconds since the epoch; sessions that were opened later stay @returns how many
   */
  async endByIssuer(
    issuer: string,
    what: { sid?: string | undefined; subject?: string | undefined; before?: number | undefined },
  ): Promise<number> {
    const [index, value] =
      what.sid !== undefined
        ? ['issuerSession', issuerSessionKey(issuer, what.sid)]
        : ['principal', personKey(issuer, what.subject ?? '')];
    if (what.before === undefined) {
      const ended = await this.#store.removeAll('session', index, value);
      this.#cache.clear();
      this.#asking.clear();
      tell('ended-by-issuer', '', ended);
      return ended;
    }
    let ended = 0;
    const latest = (what.before + 1) * 1000;
    for (let after: string | undefined; ; ) {
      const page = await this.#store.find('session', index, value, {
        limit: MAX_OF_PERSON,
        ...(after === undefined ? {} : { after }),
      });
      for (const document of page) {
        const session = fromDocument(document);
        // What cannot be read cannot be shown to be younger.
        if ((session?.openedAt ?? 0) >= latest) continue;
        const gone = session ?? { id: document.id, tenant: '' as TenantId };
        if (await this.end(gone, 'ended-by-issuer')) ended += 1;
      }
      after = page.at(-1)?.id;
      if (page.length < MAX_OF_PERSON) return ended;
    }
  }

  /** The ID token, for signing out at the issuer; undefined when there is none or it cannot be unsealed any more. */
  idTokenOf(session: Session): string | undefined {
    if (session.idToken === undefined) return undefined;
    try {
      return this.#sealer
        .open(session.idToken, { kind: 'session', id: session.id, field: 'idToken' })
        .toString('utf8');
    } catch {
      return undefined;
    }
  }

  #forget(id: string): void {
    this.#cache.delete(id);
    this.#asking.delete(id);
  }

  #ask(id: string): Promise<Found> {
    const known = this.#asking.get(id);
    if (known !== undefined) return known;
    const begun = this.#clock.monotonic();
    const asking = this.#store
      .get('session', id)
      .then((document): Found => {
        const session = document === undefined ? undefined : fromDocument(document);
        if (session === undefined) {
          this.#cache.delete(id);
          return NONE;
        }
        // Ended here while it was being asked for: what was read then is not believed.
        if (this.#asking.get(id) !== asking) return NONE;
        this.#cache.set(id, { session, until: begun + BELIEVED_MS });
        this.#touch(session);
        return { state: 'live', session };
      })
      .catch(() => UNAVAILABLE)
      .finally(() => {
        if (this.#asking.get(id) === asking) this.#asking.delete(id);
      });
    this.#asking.set(id, asking);
    return asking;
  }

  /** The store gives nothing that has expired; what is cached may have since, and a cookie of another tenant is nobody's. */
  #judge(session: Session, tenant: TenantId): Found {
    const now = this.#clock.wall();
    if (session.expiresAt <= now || session.absoluteUntil <= now) return NONE;
    return session.tenant === tenant ? { state: 'live', session } : ELSEWHERE;
  }

  /**
   * Puts the idle limit off, not at each request but when a tenth of it is over: so a session may end up to a
   * tenth early and never late. If somebody else changed it meanwhile, they did the same or ended it.
   */
  #touch(session: Session): void {
    const now = this.#clock.wall();
    if (session.stage !== 'open' || now - session.seenAt < this.#settings.idleMs / 10) return;
    const document = toDocument(
      { ...factsOf(session), ...timesOf(session), seenAt: now },
      this.#settings.idleMs,
    );
    this.#store.replace('session', session.id, session.version, document).catch(() => {
      // A store that cannot be written says so at the next look-up.
    });
  }

  async #read(id: string): Promise<Session> {
    const document = await this.#store.get('session', id);
    const session = document === undefined ? undefined : fromDocument(document);
    if (session === undefined)
      throw new ChartgateError('state-unavailable', 'a new session was not found again');
    return session;
  }
}

function factsOf(session: Session): SessionFacts {
  const { tenant, issuerId, issuer, subject, clientId, scopes, roles, patient, stage } = session;
  const { at, methods, acr, factorAt, sid, browser } = session;
  return {
    tenant,
    issuerId,
    issuer,
    subject,
    clientId,
    scopes,
    roles: roles ?? [],
    patient,
    stage,
    at,
    methods,
    acr,
    factorAt,
    sid,
    browser,
  };
}

function timesOf({
  openedAt,
  absoluteUntil,
  idToken,
}: Session): Pick<KeptFacts, 'openedAt' | 'absoluteUntil' | 'idToken'> {
  return { openedAt, absoluteUntil, idToken };
}
