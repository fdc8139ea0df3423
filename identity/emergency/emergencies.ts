import { randomUUID } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import { type Emergency, type EmergencyVerdict, isEmergencyInForce } from '../../contracts/emergency.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import { type AuthenticatedPrincipal, isForeign } from '../../contracts/principal.ts';
import type { EmergencySettings } from '../../contracts/settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';
import { commitShared } from '../sharing/feed.ts';
import type { Sealer } from '../state/seal.ts';
import { emergencyDocument, emergencyOf } from './model.ts';

/** Characters of a typed reason. */
export const REASON_LENGTH = Object.freeze({ least: 10, most: 500 });
const NOTE_MOST = 500;
const CLOCK_DIFFERENCE = 60;

/** Why it was not begun. */
export type EmergencyRefusal = 'not-entitled' | 'factor-stale' | 'reason' | 'in-force';
export type Begun =
  | { readonly ok: true; readonly emergency: Emergency }
  | { readonly ok: false; readonly why: EmergencyRefusal };

/** With its words unsealed, for those who review. */
export interface ShownEmergency extends Emergency {
  /** Undefined when it does not open with the keys that are given. */
  readonly reason: string | undefined;
  readonly notes: readonly string[];
}

export interface Reviewer {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string | undefined;
}

export type Reviewed =
  | { readonly ok: true; readonly emergency: Emergency }
  | { readonly ok: false; readonly why: 'not-found' | 'own' | 'in-force' | 'note' };

/** Whether somebody may break the glass at all. */
export function isEntitled(principal: AuthenticatedPrincipal, settings: EmergencySettings): boolean {
  if (isForeign(principal)) return false;
  return (
    settings.roles.some((role) => principal.roles?.has(role) === true) ||
    settings.holders.some((scope) => principal.scopes.has(scope))
  );
}

/**
 * Emergency access (45 CFR 164.312(a)(2)(ii)). Nothing of it is removed. Every method rejects with `state-unavailable`
 * where the store cannot be asked or written; nothing is begun then.
 */
export class Emergencies {
  readonly #store: StateStore;
  readonly #sealer: Sealer;
  readonly #clock: Clock;

  constructor(options: { readonly store: StateStore; readonly sealer: Sealer; readonly clock: Clock }) {
    this.#store = options.store;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
  }

  async begin(principal: AuthenticatedPrincipal, settings: EmergencySettings, typed: string): Promise<Begun> {
    const at = this.#now();
    if (!isEntitled(principal, settings)) return { ok: false, why: 'not-entitled' };
    if (!isFresh(principal, settings, at)) return { ok: false, why: 'factor-stale' };
    const reason = wordsOf(typed, REASON_LENGTH.least, REASON_LENGTH.most);
    if (reason === undefined) return { ok: false, why: 'reason' };
    const { tenant, issuer, subject, kind, clientId } = principal;
    const id = randomUUID();
    const emergency: Emergency = Object.freeze({
      id,
      tenant,
      issuer,
      subject,
      credential: Object.freeze({ kind, clientId }),
      scopes: Object.freeze([...settings.scopes]),
      begunAt: at,
      until: Math.min(at + Math.floor(settings.durationMs / 1000), Math.floor(principal.expiresAt)),
      ended: undefined,
      reviews: Object.freeze([]),
    });
    const document = emergencyDocument(emergency, {
      reason: this.#sealer.seal(reason, { kind: 'emergency', id, field: 'reason' }),
      notes: [],
    });
    const refused = await commitShared<'in-force'>(this.#store, this.#clock, async () => {
      const own = await this.#find('principal', hashOf(issuer, subject));
      const other = own.find(
        (each) =>
          each.tenant === tenant &&
          each.credential.kind === kind &&
          each.credential.clientId === clientId &&
          isEmergencyInForce(each, at),
      );
      if (other !== undefined) return { refused: 'in-force' };
      return { kind: 'emergency', id, operations: [{ do: 'insert', kind: 'emergency', id, document }] };
    });
    return refused === undefined ? { ok: true, emergency } : { ok: false, why: refused.refused };
  }

  /** Ends it early. @param may whose it may be @returns undefined where there is none, or it has ended */
  async end(
    id: string,
    tenant: TenantId,
    by: 'holder' | 'reviewer',
    may: (emergency: Emergency) => boolean = () => true,
    note = false,
  ): Promise<Emergency | undefined> {
    let after: Emergency | undefined;
    await commitShared<undefined>(this.#store, this.#clock, async () => {
      const found = await this.#read(id, tenant);
      const at = this.#now();
      if (found === undefined || !may(found.emergency) || !isEmergencyInForce(found.emergency, at))
        return { refused: undefined };
      after = Object.freeze({ ...found.emergency, ended: Object.freeze({ at, by }) });
      return this.#replacing(after, found, note ? 'emergency-ended' : undefined);
    });
    return after;
  }

  /** A reviewer's verdict, signed with who and when. Nobody reviews their own; what goes on is ended first. */
  async review(
    id: string,
    tenant: TenantId,
    reviewer: Reviewer,
    verdict: EmergencyVerdict,
    typed = '',
    note = false,
  ): Promise<Reviewed> {
    const words = typed.trim() === '' ? '' : wordsOf(typed, 1, NOTE_MOST);
    if (words === undefined) return { ok: false, why: 'note' };
    let after: Emergency | undefined;
    const refused = await commitShared<Extract<Reviewed, { ok: false }>['why']>(
      this.#store,
      this.#clock,
      async () => {
        const found = await this.#read(id, tenant);
        if (found === undefined) return { refused: 'not-found' };
        const { emergency, words: sealed } = found;
        const at = this.#now();
        if (reviewer.issuer === emergency.issuer && reviewer.subject === emergency.subject)
          return { refused: 'own' };
        if (isEmergencyInForce(emergency, at)) return { refused: 'in-force' };
        const field = `note ${emergency.reviews.length}`;
        after = Object.freeze({
          ...emergency,
          reviews: Object.freeze([...emergency.reviews, Object.freeze({ ...reviewer, verdict, at })]),
        });
        const notes = [
          ...sealed.notes,
          words === '' ? '' : this.#sealer.seal(words, { kind: 'emergency', id, field }),
        ];
        return this.#replacing(
          after,
          { ...found, words: { ...sealed, notes } },
          note ? 'emergency-reviewed' : undefined,
        );
      },
    );
    if (refused !== undefined) return { ok: false, why: refused.refused };
    return after === undefined ? { ok: false, why: 'not-found' } : { ok: true, emergency: after };
  }

  /** The newest first. */
  async list(tenant: TenantId | undefined): Promise<readonly ShownEmergency[]> {
    const found = tenant === undefined ? await this.#everything() : await this.#find('tenant', tenant);
    return found
      .map((each) => this.#shown(each))
      .toSorted((a, b) => b.begunAt - a.begunAt || (a.id < b.id ? -1 : 1));
  }

  async show(id: string, tenant: TenantId): Promise<ShownEmergency | undefined> {
    const found = await this.#read(id, tenant);
    return found === undefined ? undefined : this.#shown({ ...found.emergency, words: found.words });
  }

  #replacing(
    emergency: Emergency,
    found: Pick<Found, 'version' | 'words'>,
    event: 'emergency-ended' | 'emergency-reviewed' | undefined,
  ) {
    const { id, tenant } = emergency;
    const document = emergencyDocument(emergency, found.words);
    return {
      kind: 'emergency' as const,
      id,
      operations: [
        { do: 'replace' as const, kind: 'emergency' as const, id, version: found.version, document },
      ],
      note: event === undefined ? undefined : { event, tenant, record: id },
    };
  }

  #shown({ words, ...emergency }: NonNullable<ReturnType<typeof emergencyOf>>): ShownEmergency {
    const { id } = emergency;
    return Object.freeze({
      ...emergency,
      reason: this.#open(words.reason, id, 'reason'),
      notes: words.notes.map((note, index) =>
        note === '' ? '' : (this.#open(note, id, `note ${index}`) ?? ''),
      ),
    });
  }

  #open(sealed: string, id: string, field: string): string | undefined {
    try {
      return this.#sealer.open(sealed, { kind: 'emergency', id, field }).toString('utf8');
    } catch {
      return undefined;
    }
  }

  async #read(id: string, tenant: TenantId): Promise<Found | undefined> {
    const document = /^[0-9a-f-]{36}$/.test(id) ? await this.#store.get('emergency', id) : undefined;
    const read = document === undefined ? undefined : emergencyOf(document);
    if (document === undefined || read === undefined || read.tenant !== tenant) return undefined;
    const { words, ...emergency } = read;
    return { emergency: Object.freeze(emergency), words, version: document.version };
  }

  async #find(index: string, value: string) {
    const found: NonNullable<ReturnType<typeof emergencyOf>>[] = [];
    for (let after: string | undefined; ; ) {
      const options = { limit: 1000, ...(after === undefined ? {} : { after }) };
      const page = await this.#store.find('emergency', index, value, options);
      found.push(...page.flatMap((document) => emergencyOf(document) ?? []));
      after = page.at(-1)?.id;
      if (page.length < options.limit || after === undefined) return found;
    }
  }

  async #everything() {
    const found: NonNullable<ReturnType<typeof emergencyOf>>[] = [];
    for (let after: string | undefined; ; ) {
      const options = { limit: 1000, ...(after === undefined ? {} : { after }) };
      const page = await this.#store.list('emergency', options);
      found.push(...page.flatMap((document) => emergencyOf(document) ?? []));
      after = page.at(-1)?.id;
      if (page.length < options.limit || after === undefined) return found;
    }
  }

  #now(): number {
    return Math.floor(this.#clock.wall() / 1000);
  }
}

interface Found {
  readonly emergency: Emergency;
  readonly words: { readonly reason: string; readonly notes: readonly string[] };
  readonly version: number;
}

function isFresh(principal: AuthenticatedPrincipal, settings: EmergencySettings, now: number): boolean {
  if (settings.factorMaxAge === undefined) return true;
  const at = principal.authentication?.factorAt;
  if (at === undefined || !Number.isFinite(at)) return false;
  return now - at <= settings.factorMaxAge && now - at >= -CLOCK_DIFFERENCE;
}

/** One or more lines of words; undefined where there are too few characters, too many, or ones that are none. */
function wordsOf(typed: string, least: number, most: number): string | undefined {
  const words = typed.replaceAll('\r\n', '\n').trim();
  if (/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(words) || !words.isWellFormed()) return undefined;
  const { length } = [...words];
  return length < least || length > most ? undefined : words;
}
