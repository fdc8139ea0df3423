import type { ConditionDocument } from '../../contracts/conditions.ts';
import type { LimitDemand, Route, RouteLimits } from '../../contracts/policy.ts';
import type { RouteDocument } from '../../contracts/settings.ts';
import { conditionText, deniesOf, PACKS, rulesOf } from '../../policies/index.ts';
import { loadPolicy, printTable } from './load.ts';

/** `chartgate policy routes FILE` */
export function printRoutes(file: string, json: boolean): void {
  const { policy, parts } = loadPolicy(file);
  const rules = rulesOf(parts);
  const rows = rules.map((rule) => describe(rule.document, rule.route, rule.pack));
  const denies = deniesOf(parts).map(({ document, pack }) => ({
    id: document.id,
    effect: 'deny' as const,
    methods: implied(document),
    path: shownPath(document),
    upgrade: document.upgrade ?? null,
    for: standingOf(document) ?? 'everybody',
    pack: pack ?? null,
  }));
  if (json) {
    console.log(
      JSON.stringify(
        { digest: policy.digest, routes: rows, ...(denies.length > 0 ? { denies } : {}) },
        null,
        2,
      ),
    );
    return;
  }
  const table = rules.map(({ document, route, pack }) => {
    const row = describe(document, route, pack);
    return [
      row.id,
      row.methods.join(','),
      shownPath(document, 5),
      row.needs.join(' ') ||
        (document.fhir?.interaction === 'batch' ? 'what each entry needs' : 'nothing (anonymous)'),
      row.integrity.mode === 'bounded' ? `${row.integrity.maxAgeMs} ms` : row.integrity.mode,
      row.hide,
      alsoOf(row).join(', '),
    ];
  });
  printTable([['ROUTE', 'METHODS', 'PATH', 'NEEDS', 'INTEGRITY', 'HIDES', 'ALSO'], ...table]);
  if (denies.length > 0) {
    console.log('\nDenied, whatever permits it:\n');
    printTable([
      ['RULE', 'METHODS', 'PATH', 'FOR'],
      ...denies.map((row) => [row.id, row.methods.join(','), row.path, row.for]),
    ]);
  }
  const { roles } = parts;
  if (roles !== undefined) {
    console.log(`\nRoles: ${[...roles.names].join(', ')}.`);
    for (const apart of roles.separate) console.log(`Nobody holds two of: ${[...apart].join(', ')}.`);
  }
  console.log(`\n${rows.length} routes; whatever matches none of them is denied. Digest ${policy.digest}.`);
}

/** `chartgate policy packs` */
export function printPacks(json: boolean): void {
  const rows = PACKS.map(({ name, title, versions, base, routes }) => ({
    name,
    title,
    versions,
    base: base === '' ? '/' : base,
    routes: routes.length,
  }));
  if (json) {
    console.log(JSON.stringify({ packs: rows }, null, 2));
    return;
  }
  printTable([
    ['PACK', 'VERSIONS', 'BASE', 'ROUTES', 'FOR'],
    ...rows.map((row) => [
      row.name,
      row.versions.join(', ') || 'any',
      row.base,
      String(row.routes),
      row.title,
    ]),
  ]);
}

function alsoOf(row: ReturnType<typeof describe>): readonly string[] {
  const exceptions = row.inspect?.injection?.except.length ?? 0;
  const prose = row.inspect?.injection?.prose.length ?? 0;
  return [
    ...(row.introspection === 'always' ? ['introspected'] : []),
    ...(row.senderConstrained === 'none' ? [] : [`bound (${row.senderConstrained})`]),
    ...(row.audience === undefined ? [] : [`audience ${row.audience}`]),
    ...(row.clientCertificate === 'none' ? [] : ['client certificate']),
    ...(row.factorMaxAge === undefined ? [] : [`factor within ${row.factorMaxAge} s`]),
    ...(row.upgrade === undefined ? [] : [row.upgrade]),
    ...limitsOf(row.limits),
    ...(row.maxBodyBytes === 0 ? [] : [`body ${row.maxBodyBytes} B`]),
    ...(row.writes && row.upgrade === undefined ? ['writes'] : []),
    ...(row.sharing === 'consent' ? ['shared by consent'] : []),
    ...(row.inspect?.injection?.mode === 'report' ? ['injection only reported'] : []),
    ...(prose === 0 ? [] : [`${prose} places with prose`]),
    ...(exceptions === 0 ? [] : [`${exceptions} injection exceptions`]),
    ...(row.inspect?.payload === undefined
      ? []
      : [`payload: ${Object.keys(row.inspect.payload).join(', ')}`]),
    ...(row.pack === null ? [] : [`pack ${row.pack}`]),
  ];
}

/** `20 per 60 s` is for each principal. */
function limitsOf(limits: RouteLimits | undefined): readonly string[] {
  if (limits === undefined) return [];
  const of = (demands: readonly LimitDemand[], whom: string) =>
    demands.map(({ requests, windowSeconds }) => `${requests} per ${windowSeconds} s${whom}`);
  const { perPrincipal, perClient, perRoute } = limits.concurrency;
  const atOnce = (most: number | undefined, whom: string) =>
    most === undefined ? [] : [`${most} at once${whom}`];
  return [
    ...of(limits.perPrincipal, ''),
    ...of(limits.perClient, ' and client'),
    ...of(limits.perRoute, ' in all'),
    ...atOnce(perPrincipal, ''),
    ...atOnce(perClient, ' and client'),
    ...atOnce(perRoute, ' in all'),
  ];
}

/** What a route needs, for a person or a script. Sets become lists. */
function describe(written: RouteDocument, route: Route, pack: string | undefined) {
  return {
    ...route,
    methods: implied(written),
    path: shownPath(written),
    needs: needs(written, route),
    // Null where the gateway's setting decides.
    hideDeadlineMs: written.hideDeadlineMs ?? null,
    mediaTypes: [...route.mediaTypes],
    ...(route.allow === undefined ? {} : { allow: [...route.allow] }),
    ...(route.inspect === undefined ? {} : { inspect: inspectionOf(route.inspect) }),
    pack: pack ?? null,
  };
}

/** Files by their names: their texts would bury everything else. */
function inspectionOf({ injection, payload }: NonNullable<Route['inspect']>) {
  const named = Object.entries(payload ?? {}).map(([key, value]: [string, unknown]) => [
    key,
    withoutText(value),
  ]);
  return { injection, ...(payload === undefined ? {} : { payload: Object.fromEntries(named) }) };
}

function withoutText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutText);
  return typeof value === 'object' && value !== null && 'name' in value && 'text' in value
    ? value.name
    : value;
}

function implied({ methods, upgrade, effect }: RouteDocument): readonly string[] {
  const head = methods.includes('GET') && (upgrade === undefined || effect === 'deny') ? ['HEAD'] : [];
  return [...new Set([...methods, ...head])];
}

/** `/fhir/{resourceType: Patient|Observation}/{id}`. */
export function shownPath({ path, where = {} }: RouteDocument, most = Number.POSITIVE_INFINITY): string {
  return path.replace(/\{(\w+)\}/g, (capture, name: string) => {
    const values = Object.hasOwn(where, name) ? (where[name] ?? []) : undefined;
    if (values === undefined) return capture;
    const shown =
      values.length > most ? [...values.slice(0, most), `… ${values.length - most} more`] : values;
    return `{${name}: ${shown.join('|')}}`;
  });
}

/** Roles and conditions in one line; undefined when there are none. */
function standingOf({ roles, when }: RouteDocument): string | undefined {
  const conditions: ConditionDocument[] = [
    ...(roles === undefined ? [] : [{ roles }]),
    ...(when ? [when] : []),
  ];
  return conditions.length === 0 ? undefined : conditions.map(conditionText).join(' and ');
}

function needs(written: RouteDocument, { credential }: Route): readonly string[] {
  const { scopes = [], smart, patient } = written;
  const standing = standingOf(written);
  const besides = standing === undefined ? [] : [`[${standing}]`];
  if (credential === 'anonymous') return besides;
  if (smart === undefined) return [...scopes, ...besides];
  const named =
    patient === undefined
      ? 'within the compartment of'
      : `${patient.capture === undefined ? `?${patient.parameter}` : `{${patient.capture}}`} is`;
  const alternatives = smart.contexts.map((context) => {
    const scope = `${context}/${smart.resource}.${smart.permission}`;
    return context === 'patient' ? `${scope} (${named} the token's patient)` : scope;
  });
  return [...scopes, alternatives.join(' or '), ...besides];
}
