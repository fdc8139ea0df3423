import { randomUUID } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import { type Consent, type ConsentAct, consentStateAt } from '../../contracts/consent-record.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { StateStore } from '../../contracts/state.ts';
import { commitShared } from '../sharing/feed.ts';
import { type ConsentFault, type ConsentRules, judgeConsent, type WantedConsent } from './inputs.ts';
import { consentDocument, consentOf, recordKey } from './model.ts';

/** Consents of one patient that may be in force at a time. */
export const MOST_IN_FORCE = 200;
/** Consents of one patient that are kept, those that have ended among them. */
const MOST_KEPT = 5000;

export type Granted =
  | { readonly ok: true; readonly consent: Consent }
  | { readonly ok: false; readonly faults: readonly ConsentFault[] };

export type Withdrawn =
  | { readonly ok: true; readonly consent: Consent; readonly already: boolean }
  | { readonly ok: false };

/**
 * Consents of patients. Nothing is ever removed: what was permitted, by whom and when stays to be seen. Every method
 * rejects with `state-unavailable` where the store cannot be asked or written; nothing is changed then.
 */
export class Consents {
  readonly #store: StateStore;
  readonly #clock: Clock;

  constructor(store: StateStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @param by on whose word; its time is now */
  async grant(wanted: WantedConsent, rules: ConsentRules, by: Omit<ConsentAct, 'at'>): Promise<Granted> {
    const at = Math.floor(this.#clock.wall() / 1000);
    const judged = judgeConsent(wanted, rules, at);
    if (!judged.ok) return judged;
    const { patient } = judged.consent;
    const kept = await this.ofPatient(rules.tenant, patient);
    const live = kept.filter((consent) => ['in-force', 'not-yet'].includes(consentStateAt(consent, at)));
    if (live.length >= MOST_IN_FORCE || kept.length >= MOST_KEPT)
      return {
        ok: false,
        faults: [{ at: 'patient', message: 'has too many consents; withdraw those that are not needed' }],
      };
    const consent: Consent = Object.freeze({
      id: randomUUID(),
      tenant: rules.tenant,
      ...judged.consent,
      granted: Object.freeze({ ...by, at }),
      withdrawn: undefined,
    });
    await commitShared(this.#store, this.#clock, async () => ({
      kind: 'consent',
      id: consent.id,
      operations: [{ do: 'insert', kind: 'consent', id: consent.id, document: consentDocument(consent) }],
      note:
        by.basis === 'host'
          ? { event: 'consent-granted', tenant: rules.tenant, record: consent.id }
          : undefined,
    }));
    return { ok: true, consent };
  }

  /**
   * Acts on every worker within a second of the answer.
   * @param may whose consents may be touched; any other is not there
   */
  async withdraw(
    id: string,
    tenant: TenantId,
    by: Omit<ConsentAct, 'at'>,
    may: (consent: Consent) => boolean = () => true,
  ): Promise<Withdrawn> {
    let after: Consent | undefined;
    const refused = await commitShared<Consent | undefined>(this.#store, this.#clock, async () => {
      const document = isId(id) ? await this.#store.get('consent', id) : undefined;
      const consent = document === undefined ? undefined : consentOf(document);
      if (document === undefined || consent === undefined || consent.tenant !== tenant || !may(consent))
        return { refused: undefined };
      if (consent.withdrawn !== undefined) return { refused: consent };
      const at = Math.floor(this.#clock.wall() / 1000);
      after = Object.freeze({ ...consent, withdrawn: Object.freeze({ ...by, at }) });
      const { version } = document;
      return {
        kind: 'consent',
        id,
        operations: [{ do: 'replace', kind: 'consent', id, version, document: consentDocument(after) }],
        note: by.basis === 'host' ? { event: 'consent-withdrawn', tenant, record: id } : undefined,
      };
    });
    const consent = refused === undefined ? after : refused.refused;
    return consent === undefined ? { ok: false } : { ok: true, consent, already: refused !== undefined };
  }

  /** Undefined where there is none at this tenant. */
  async show(id: string, tenant: TenantId): Promise<Consent | undefined> {
    const document = isId(id) ? await this.#store.get('consent', id) : undefined;
    const consent = document === undefined ? undefined : consentOf(document);
    return consent?.tenant === tenant ? consent : undefined;
  }

  /** All of a patient's, the newest first. */
  async ofPatient(tenant: TenantId, patient: string): Promise<readonly Consent[]> {
    return this.#all('record', recordKey(tenant, patient), (consent) => consent.patient === patient);
  }

  /** All of a tenant's, the newest first; for the host's commands. */
  async ofTenant(tenant: TenantId): Promise<readonly Consent[]> {
    return this.#all('tenant', tenant, () => true);
  }

  async #all(
    index: string,
    value: string,
    wanted: (consent: Consent) => boolean,
  ): Promise<readonly Consent[]> {
    const found: Consent[] = [];
    for (let after: string | undefined; ; ) {
      const options = { limit: 1000, ...(after === undefined ? {} : { after }) };
      const page = await this.#store.find('consent', index, value, options);
      found.push(...page.flatMap((document) => consentOf(document) ?? []).filter(wanted));
      after = page.at(-1)?.id;
      if (page.length < options.limit || after === undefined) break;
    }
    return found.toSorted((a, b) => b.granted.at - a.granted.at || (a.id < b.id ? -1 : 1));
  }
}

function isId(text: string): boolean {
  return /^[0-9a-f-]{36}$/.test(text);
}
