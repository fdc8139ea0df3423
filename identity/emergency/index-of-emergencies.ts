import { type Emergency, isEmergencyInForce } from '../../contracts/emergency.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import type { StoredDocument } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';
import type { Kept } from '../sharing/follower.ts';
import { emergencyOf } from './model.ts';

/** Emergency accesses that have not ended, by tenant and person. */
export class EmergencyIndex implements Kept {
  readonly #tenants = new Map<string, Map<string, Map<string, Emergency>>>();
  readonly #places = new Map<string, Emergency>();

  get size(): number {
    return this.#places.size;
  }

  put(id: string, document: StoredDocument | undefined): void {
    const former = this.#places.get(id);
    if (former !== undefined) this.#drop(former);
    const read = document === undefined ? undefined : emergencyOf(document);
    if (read === undefined || read.ended !== undefined) return;
    // The sealed words stay where they are.
    const { words: _, ...emergency } = read;
    const key = hashOf(emergency.issuer, emergency.subject);
    let people = this.#tenants.get(emergency.tenant);
    if (people === undefined) {
      people = new Map();
      this.#tenants.set(emergency.tenant, people);
    }
    const own = people.get(key) ?? new Map<string, Emergency>();
    people.set(key, own);
    own.set(id, emergency);
    this.#places.set(id, emergency);
  }

  sweep(at: number): void {
    for (const emergency of [...this.#places.values()]) if (emergency.until <= at) this.#drop(emergency);
  }

  /** The one in force that goes with this person's credential. @param at seconds since the epoch */
  of(principal: AuthenticatedPrincipal, at: number): Emergency | undefined {
    const own = this.#tenants.get(principal.tenant)?.get(principal.limitKey);
    if (own === undefined) return undefined;
    for (const emergency of own.values()) {
      const { credential } = emergency;
      if (credential.kind !== principal.kind || credential.clientId !== principal.clientId) continue;
      if (isEmergencyInForce(emergency, at)) return emergency;
    }
    return undefined;
  }

  #drop(emergency: Emergency): void {
    const { id, tenant, issuer, subject } = emergency;
    this.#places.delete(id);
    const people = this.#tenants.get(tenant);
    const key = hashOf(issuer, subject);
    const own = people?.get(key);
    own?.delete(id);
    if (own?.size === 0) people?.delete(key);
    if (people?.size === 0) this.#tenants.delete(tenant);
  }
}
