import type { ClientCertificateSettings, TenantSettings } from '../contracts/settings.ts';
import { judgeTenantSharing } from './gateway-sharing.ts';
import { type JudgedIssuer, judgeTenantSignIn } from './gateway-sign-in.ts';
import { judgeNeighbours } from './neighbours.ts';
import type { View } from './view.ts';

/** A tenant and, should it be at fault, where it stands. */
export interface PlacedTenant {
  readonly settings: TenantSettings;
  /** Its place in the text; asked for only when there is a fault to be placed. */
  view(): View;
}

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

/**
 * What only a look at all tenants together shows. A handful of plain lookups for each, so that ten thousand that did
 * not change are no reason to wait.
 */
export function judgeTenants(tenants: readonly PlacedTenant[]): void {
  const ids = new Map<string, PlacedTenant>();
  const hosts = new Map<string, PlacedTenant>();
  const audiences = new Map<string, PlacedTenant>();
  const names = new Map<string, ClientCertificateSettings | undefined>();
  for (const tenant of tenants) {
    const { id, audience, audiences: further } = tenant.settings;
    claim(ids, id, tenant, (view) => [view.at('id')], 'is the id of another tenant already', '');
    for (const [position, host] of tenant.settings.hosts.entries()) {
      const earlier = hosts.get(host);
      const again = tenant.settings.hosts.indexOf(host) < position ? tenant : earlier;
      if (again === undefined) hosts.set(host, tenant);
      else {
        const places = tenant
          .view()
          .at('hosts')
          .items.filter((place) => place.text === host);
        refuse(
          again,
          again === tenant ? places.slice(1) : places,
          hostOf(host),
          'is listed already',
          '; a host belongs to one tenant, once',
        );
      }
      splitHost(names, host, tenant);
    }
    for (const each of further === undefined ? [audience] : [audience, ...further.values()])
      claim(
        audiences,
        each,
        tenant,
        (view) => [view.at('audience'), ...view.at('audiences').entries.map(([, entry]) => entry)],
        'is an audience already',
        '; a token for one would be good for both',
      );
  }
  judgeNeighbours(tenants);
}

type PlacesOf = (view: View) => readonly View[];

/** Takes a text for one tenant, or says who has it. */
function claim(
  taken: Map<string, PlacedTenant>,
  text: string,
  tenant: PlacedTenant,
  placesOf: PlacesOf,
  what: string,
  why: string,
): void {
  if (text === '') return;
  const earlier = taken.get(text);
  if (earlier === undefined) {
    taken.set(text, tenant);
    return;
  }
  const places = placesOf(tenant.view()).filter((place) => place.text === text);
  refuse(
    earlier,
    earlier === tenant ? places.slice(1) : places,
    (view) => placesOf(view).filter((place) => place.text === text),
    what,
    why,
  );
}

function hostOf(host: string): PlacesOf {
  return (view) => view.at('hosts').items.filter((place) => place.text === host);
}

function refuse(
  earlier: PlacedTenant,
  places: readonly View[],
  earlierPlaces: PlacesOf,
  what: string,
  why: string,
): void {
  const [first] = earlierPlaces(earlier.view());
  for (const place of places) {
    const where =
      first === undefined
        ? ''
        : first.file === place.file
          ? ` (line ${first.line})`
          : ` (${first.file}, line ${first.line})`;
    place.fault(`${what}${where}${why}`);
  }
}

/** A handshake names a host and no port: two tenants of one name must ask for the same certificates. */
function splitHost(
  names: Map<string, ClientCertificateSettings | undefined>,
  host: string,
  tenant: PlacedTenant,
): void {
  const name = host.replace(/:\d+$/, '');
  const wanted = tenant.settings.clientCertificates;
  if (!names.has(name)) {
    names.set(name, wanted);
    return;
  }
  if (names.get(name) === wanted) return;
  for (const place of hostOf(host)(tenant.view()))
    place.fault(
      'differs by its port alone from the host of another tenant with other "clientCertificates": the handshake could not tell them apart',
    );
}
