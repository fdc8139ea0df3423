import type { BackendSettings, TellBackendSettings, TenantSettings } from '../contracts/settings.ts';
import type { PlacedTenant, ViewOf } from './tenants-together.ts';

/** What two back ends have to differ in to be two. */
export function addressOf({ origin, unixSocket }: Pick<BackendSettings, 'origin' | 'unixSocket'>): string {
  // No origin holds a space.
  return unixSocket === undefined ? origin : `${origin} ${unixSocket}`;
}

/** The forms in which tenants of one back end are told apart. */
const FORMS = ['header', 'query', 'pathPrefix'] as const;

/**
 * Tenants whose back ends are the same: where one of them is told apart by `tellBackend`, all are, in the same way, and
 * none by what another one is told by.
 * @param groups tenants that share a back end
 */
export function judgeNeighbours(groups: Iterable<readonly PlacedTenant[]>, viewOf: ViewOf): void {
  for (const neighbours of groups) {
    const model = neighbours.find(({ settings }) => settings.tellBackend !== undefined);
    if (neighbours.length > 1 && model?.settings.tellBackend !== undefined)
      judgeTogether(neighbours, model.settings, model.settings.tellBackend, viewOf);
  }
}

function judgeTogether(
  neighbours: readonly PlacedTenant[],
  model: TenantSettings,
  said: TellBackendSettings,
  viewOf: ViewOf,
): void {
  const wanted = formOf(said);
  /** Of each value that tells, whose it is: by all of the forms together. */
  const told = new Map<string, PlacedTenant>();
  const prefixes: Prefix[] = [];
  for (const neighbour of neighbours) {
    const { tellBackend } = neighbour.settings;
    if (tellBackend === undefined || formOf(tellBackend) !== wanted) {
      viewOf(neighbour)
        .at(tellBackend === undefined ? 'backends' : 'tellBackend')
        .fault(
          `shares a back end with tenant "${model.id}", which says ${FORMS.filter((form) => said[form] !== undefined).join(' and ')} in "tellBackend"; every tenant of that back end has to say it in the same way`,
        );
      continue;
    }
    const { header, query, pathPrefix } = tellBackend;
    // Old systems often compare without regard to case.
    const values = [header?.value, query?.value, pathPrefix].map((value) => value?.toLowerCase() ?? null);
    const other = told.get(JSON.stringify(values));
    if (other !== undefined) {
      viewOf(neighbour)
        .at('tellBackend')
        .fault(
          `says the same as that of tenant "${other.settings.id}", with which it shares a back end; the EMR could not tell them apart`,
        );
      continue;
    }
    told.set(JSON.stringify(values), neighbour);
    if (pathPrefix !== undefined) prefixes.push({ prefix: `${pathPrefix.toLowerCase()}/`, neighbour });
  }
  refuseNested(prefixes, viewOf);
}

interface Prefix {
  readonly prefix: string;
  readonly neighbour: PlacedTenant;
}

/** Sorted, whatever lies below a prefix follows it before anything else does. */
function refuseNested(prefixes: Prefix[], viewOf: ViewOf): void {
  prefixes.sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
  let above: Prefix | undefined;
  for (const each of prefixes) {
    if (above === undefined || each.prefix === above.prefix || !each.prefix.startsWith(above.prefix)) {
      above = each;
      continue;
    }
    viewOf(each.neighbour)
      .at('tellBackend')
      .at('pathPrefix')
      .fault(`lies below that of tenant "${above.neighbour.settings.id}", whose requests could reach it`);
  }
}

function formOf({ header, query, pathPrefix }: TellBackendSettings): string {
  return JSON.stringify([header?.name ?? null, query?.name ?? null, pathPrefix !== undefined]);
}

/** What is allowed of back ends and of tenants that share a database, and should be looked at. */
export function tenancyWarnings(
  tenants: readonly TenantSettings[],
): readonly { readonly code: 'backend-plain-http' | 'rows-unmarked'; readonly message: string }[] {
  const sharing = new Map<string, number>();
  for (const { database } of tenants) sharing.set(database, (sharing.get(database) ?? 0) + 1);
  return tenants.flatMap(({ id, backends, database, ownRows }) => [
    ...backends.flatMap(({ origin, plainHttpBeyondLoopback }) =>
      plainHttpBeyondLoopback === true
        ? [
            {
              code: 'backend-plain-http' as const,
              message: `tenant ${id}: ${origin} is reached in plain HTTP; whoever is on the way reads and changes records`,
            },
          ]
        : [],
    ),
    ...(ownRows === undefined && (sharing.get(database) ?? 0) > 1
      ? [
          {
            code: 'rows-unmarked' as const,
            message: `tenant ${id}: shares the database ${database} with other tenants and has no "ownRows"; nothing but its EMR keeps their rows apart`,
          },
        ]
      : []),
  ]);
}
