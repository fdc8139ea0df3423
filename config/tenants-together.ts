import type { ClientCertificateSettings, TenantSettings } from '../contracts/settings.ts';
import { judgeTenantSharing } from './gateway-sharing.ts';
import { type JudgedIssuer, judgeTenantSignIn } from './gateway-sign-in.ts';
import { addressOf } from './neighbours.ts';
import type { TenantSource } from './tenant-files.ts';
import type { View } from './view.ts';

/** A tenant and where it stands: in a file of its own, or at a position in the main file's list. */
export interface PlacedTenant {
  readonly settings: TenantSettings;
  readonly source?: TenantSource | undefined;
  readonly position?: number | undefined;
}

/** Its place in the text; asked for only when there is a fault to be placed. */
export type ViewOf = (tenant: PlacedTenant) => View;

/** What of the other settings tenants are judged by. */
export interface Around {
  readonly issuers: ReadonlyMap<string, JudgedIssuer>;
  /** Whether there is a `state`. */
  readonly state: boolean;
}

/** What a look at one tenant and the other settings shows. To be asked first: what is at fault is looked into no further. */
export function judgeTenant(view: View, around: Around, isTenant: (id: string) => boolean): void {
  judgeTenantSignIn(view, around);
  judgeTenantSharing(view, around, isTenant);
  const flag = view.at('apiClients').at('acceptSecretPerRequestInsecurely');
  if (flag.flag === true && !around.state) flag.fault('needs "state", in which the clients are kept');
}

type Kind = 'id' | 'host' | 'audience';

interface Asked {
  /** How many tenants have the name, at one port or another. */
  tenants: number;
  readonly wanted: ClientCertificateSettings | undefined;
}

/**
 * What belongs to one tenant alone, and to which: what only a look at all tenants together shows. One that changes is
 * taken out and put in again, whatever the number of the others.
 */
export class TenantIndex {
  readonly #taken: Readonly<Record<Kind, Map<string, PlacedTenant>>> = {
    id: new Map(),
    host: new Map(),
    audience: new Map(),
  };
  /** A handshake names a host and no port: two tenants of one name must ask for the same certificates. */
  readonly #names = new Map<string, Asked>();
  readonly #partnered = new Set<PlacedTenant>();
  /** By back end. */
  readonly #behind = new Map<string, Set<PlacedTenant>>();
  /** Tenants with `tellBackend`: most installations have none, and then nobody's neighbours matter. */
  #telling = 0;

  hasId(id: string): boolean {
    return this.#taken.id.has(id);
  }

  hasHost(host: string): boolean {
    return this.#taken.host.has(host);
  }

  /** Those that name others as partners. */
  get partnered(): Iterable<PlacedTenant> {
    return this.#partnered;
  }

  /** Tenants that share a back end, of all or of these back ends; none while no tenant has `tellBackend`. */
  *neighbours(of?: Iterable<TenantSettings>): Iterable<readonly PlacedTenant[]> {
    if (this.#telling === 0) return;
    const addresses =
      of === undefined
        ? this.#behind.keys()
        : new Set([...of].flatMap(({ backends }) => backends.map(addressOf)));
    for (const address of addresses) yield [...(this.#behind.get(address) ?? [])];
  }

  /** Puts it in, but for what another has already: that is a fault of this one. */
  add(tenant: PlacedTenant, viewOf: ViewOf): void {
    const { settings } = tenant;
    this.#claim('id', settings.id, tenant, viewOf);
    for (const host of settings.hosts) {
      this.#claim('host', host, tenant, viewOf);
      this.#ask(host, tenant, viewOf);
    }
    this.#claim('audience', settings.audience, tenant, viewOf);
    if (settings.audiences !== undefined)
      for (const each of settings.audiences.values()) this.#claim('audience', each, tenant, viewOf);
    if ((settings.sharing?.partners.length ?? 0) > 0) this.#partnered.add(tenant);
    if (settings.tellBackend !== undefined) this.#telling += 1;
    for (const backend of settings.backends) {
      const address = addressOf(backend);
      const others = this.#behind.get(address);
      if (others === undefined) this.#behind.set(address, new Set([tenant]));
      else others.add(tenant);
    }
  }

  remove(tenant: PlacedTenant): void {
    const { settings } = tenant;
    const release = (kind: Kind, text: string) => {
      if (this.#taken[kind].get(text) === tenant) this.#taken[kind].delete(text);
    };
    release('id', settings.id);
    release('audience', settings.audience);
    for (const each of settings.audiences?.values() ?? []) release('audience', each);
    for (const host of settings.hosts) {
      release('host', host);
      const asked = this.#names.get(nameOf(host));
      if (asked === undefined) continue;
      asked.tenants -= 1;
      if (asked.tenants === 0) this.#names.delete(nameOf(host));
    }
    this.#partnered.delete(tenant);
    if (settings.tellBackend !== undefined) this.#telling -= 1;
    for (const backend of settings.backends) {
      const address = addressOf(backend);
      const others = this.#behind.get(address);
      others?.delete(tenant);
      if (others?.size === 0) this.#behind.delete(address);
    }
  }

  #claim(kind: Kind, text: string, tenant: PlacedTenant, viewOf: ViewOf): void {
    if (text === '') return;
    const taken = this.#taken[kind];
    const earlier = taken.get(text);
    if (earlier === undefined) {
      taken.set(text, tenant);
      return;
    }
    const [first] = placesOf(kind, text, viewOf(earlier));
    const places = placesOf(kind, text, viewOf(tenant));
    for (const place of earlier === tenant ? places.slice(1) : places) {
      const where =
        first === undefined || first.file !== place.file
          ? `${first?.file}, line ${first?.line}`
          : `line ${first.line}`;
      place.fault(`${REPEATED[kind].what} (${where})${REPEATED[kind].why}`);
    }
  }

  #ask(host: string, tenant: PlacedTenant, viewOf: ViewOf): void {
    const name = nameOf(host);
    const wanted = tenant.settings.clientCertificates;
    const asked = this.#names.get(name);
    if (asked === undefined) {
      this.#names.set(name, { tenants: 1, wanted });
      return;
    }
    asked.tenants += 1;
    if (asked.wanted === wanted) return;
    for (const place of placesOf('host', host, viewOf(tenant)))
      place.fault(
        'differs by its port alone from the host of another tenant with other "clientCertificates": the handshake could not tell them apart',
      );
  }
}

const REPEATED: Readonly<Record<Kind, { readonly what: string; readonly why: string }>> = {
  id: { what: 'is the id of another tenant already', why: '' },
  host: { what: 'is listed already', why: '; a host belongs to one tenant, once' },
  audience: { what: 'is an audience already', why: '; a token for one would be good for both' },
};

function placesOf(kind: Kind, text: string, view: View): readonly View[] {
  const places =
    kind === 'host'
      ? view.at('hosts').items
      : kind === 'id'
        ? [view.at('id')]
        : [view.at('audience'), ...view.at('audiences').entries.map(([, further]) => further)];
  return places.filter((place) => place.text === text);
}

/** Without the port; no regular expression, since there may be tens of thousands. */
function nameOf(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon < 0 ? host : host.slice(0, colon);
}
