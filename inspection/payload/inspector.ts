import type { Content } from '../../contracts/content.ts';
import { ChartgateError, type PointedFault } from '../../contracts/errors.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { InspectionFinding, Inspector } from '../../contracts/inspection.ts';
import type { PayloadDemand } from '../../contracts/payload.ts';
import { FHIR_VERSIONS, type FhirVersion, type Route } from '../../contracts/policy.ts';
import type { GatewaySettings, PolicyDocument } from '../../contracts/settings.ts';
import { type Checks, compileDemand, plainContentFault } from './demands.ts';
import { fhirChecks, isStructured } from './fhir/request.ts';
import { fhirValidator } from './fhir/validator.ts';
import { fault, findingOf, type PayloadFault } from './finding.ts';

/** What a route's requests are judged by, compiled once. */
interface RouteChecks {
  readonly fhir: Checks | undefined;
  readonly demand: Checks | undefined;
}

const BROKEN: PayloadFault = fault('', 'payload-unjudged');
const NOTHING: PayloadDemand = Object.freeze({});

/** By the demand itself, which is the same object in the document and in the compiled route. */
const demands = new WeakMap<PayloadDemand, ReturnType<typeof compileDemand>>();

function compiledDemand(demand: PayloadDemand): ReturnType<typeof compileDemand> {
  const known = demands.get(demand);
  if (known !== undefined) return known;
  const compiled = compileDemand(demand);
  demands.set(demand, compiled);
  return compiled;
}

/** What is wrong with the schemas and rules that a policy's routes name, with pointers into the document. */
export function payloadFaults(document: PolicyDocument): readonly PointedFault[] {
  const lists = [
    ['routes', document.routes],
    ['override', document.override ?? []],
  ] as const;
  return lists.flatMap(([list, routes]) =>
    routes.flatMap((route, index): PointedFault[] => {
      const payload = route.inspect?.payload;
      const compiled = payload === undefined ? undefined : compiledDemand(payload);
      if (compiled === undefined || compiled.ok) return [];
      const at = `/${list}/${index}/inspect/payload`;
      return compiled.faults.map(({ pointer, message }) => ({ pointer: `${at}${pointer}`, message }));
    }),
  );
}

/**
 * The inspector of payloads: FHIR by the version's definitions on FHIR routes, and what routes demand besides.
 * @throws ChartgateError where a schema of the settings cannot be compiled
 */
export function createPayloadInspector(settings: GatewaySettings): Inspector {
  for (const document of settings.policies.values()) {
    const [first] = payloadFaults(document);
    if (first !== undefined) {
      throw new ChartgateError(
        'configuration-invalid',
        `${document.file}: ${first.pointer}: ${first.message}`,
      );
    }
  }
  for (const version of versionsOf(settings)) {
    // What a first request would otherwise wait for; other types take some 10 ms each when they are first met.
    for (const type of ['Patient', 'Observation', 'Bundle']) fhirValidator(version).prepare(type);
  }
  const routes = new WeakMap<Route, RouteChecks>();

  const checksOf = (route: Route): RouteChecks => {
    const known = routes.get(route);
    if (known !== undefined) return known;
    const checks = compile(route);
    routes.set(route, checks);
    return checks;
  };

  return {
    head: (facts, match) => guarded(() => headFault(checksOf(match.route), facts)),
    content: (facts, match, content) => guarded(() => contentFault(checksOf(match.route), facts, content)),
    wants({ maxBodyBytes, fhir, inspect }, mediaType) {
      if (maxBodyBytes === 0) return false;
      return inspect?.payload !== undefined || (fhir !== undefined && isStructured(mediaType));
    },
    close() {},
  };
}

/** Versions of FHIR that policies speak of, by routes of their own or by a pack. */
function versionsOf(settings: GatewaySettings): ReadonlySet<FhirVersion> {
  const versions = new Set<FhirVersion>();
  for (const { routes, extends: packs } of settings.policies.values()) {
    for (const { fhir } of routes) if (fhir !== undefined) versions.add(fhir.version);
    for (const { pack } of packs ?? []) {
      const version = FHIR_VERSIONS.find((each) => pack === `fhir-${each.toLowerCase()}`);
      if (version !== undefined) versions.add(version);
    }
  }
  return versions;
}

function compile(route: Route): RouteChecks {
  const payload = route.inspect?.payload ?? NOTHING;
  const compiled = payload === NOTHING ? undefined : compiledDemand(payload);
  // Faults were reported when the settings were read; a demand that means nothing is never met.
  if (compiled?.ok === false)
    throw new ChartgateError('configuration-invalid', 'a payload demand has faults');
  const free = route.fhir === undefined || payload.acceptInvalidFhir === true;
  return {
    fhir: free || route.fhir === undefined ? undefined : fhirChecks(route.fhir, searchParameters(payload)),
    demand: compiled?.checks,
  };
}

function searchParameters({ searchParameters: more }: PayloadDemand): ReadonlyMap<string, string> {
  return new Map(Object.entries(more ?? {}));
}

function headFault(checks: RouteChecks, facts: RequestFacts): PayloadFault | undefined {
  return checks.fhir?.head(facts) ?? checks.demand?.head(facts);
}

function contentFault(checks: RouteChecks, facts: RequestFacts, content: Content): PayloadFault | undefined {
  const plain = checks.fhir === undefined ? plainContentFault(content) : undefined;
  return plain ?? checks.fhir?.content(facts, content) ?? checks.demand?.content(facts, content);
}

/** Whatever goes wrong is a finding: a payload that could not be judged is not sent on. */
function guarded(judge: () => PayloadFault | undefined): InspectionFinding | undefined {
  let found: PayloadFault | undefined;
  try {
    found = judge();
  } catch {
    found = BROKEN;
  }
  return found === undefined ? undefined : findingOf(found);
}
