import type { Content, JsonObject } from '../../../contracts/content.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import type { RouteFhir } from '../../../contracts/policy.ts';
import { fault, named, type PayloadFault } from '../finding.ts';
import { addressFault, batchFault, queryFault } from './bundle.ts';
import { patchFault } from './patch.ts';
import { operationFault, searchFault } from './search.ts';
import { type FhirTarget, isFault, targetOf } from './target.ts';
import { fhirValidator } from './validator.ts';
import { readFhirXml } from './xml.ts';

export interface FhirChecks {
  head(facts: RequestFacts): PayloadFault | undefined;
  content(facts: RequestFacts, content: Content): PayloadFault | undefined;
}

/** Interactions whose query says how to answer and nothing else. */
const PLAIN: ReadonlySet<string> = new Set([
  'read',
  'vread',
  'create',
  'update',
  'patch',
  'delete',
  'batch',
  'capabilities',
]);
const SEARCHES: ReadonlySet<string> = new Set([
  'search-type',
  'search-post',
  'search-system',
  'compartment-search',
  'update-conditional',
  'patch-conditional',
  'delete-conditional',
]);
const UNSUPPORTED: PayloadFault = fault('', 'fhir-media-type', 'unsupported-media');
const NOTHING: readonly (readonly [string, readonly string[]])[] = [];

/**
 * Judges requests of a FHIR route: the ids and types of their paths, search parameters by their types, resources by
 * the version's definitions and by the address they are sent to.
 *
 * @param more search parameters that the back end has besides the published ones, with their types
 */
export function fhirChecks(fhir: RouteFhir, more: ReadonlyMap<string, string>): FhirChecks {
  const validator = fhirValidator(fhir.version);
  const { definitions } = validator;

  const whole = (resource: JsonObject): PayloadFault | undefined => validator.validate(resource);

  const resourceFault = (facts: RequestFacts, resource: JsonObject): PayloadFault | undefined => {
    const target = targetOf(fhir, facts.path.segments);
    if (isFault(target)) return target;
    const { interaction, type, id } = target;
    const invalid = whole(resource);
    if (invalid !== undefined) return invalid;
    switch (interaction) {
      case 'create':
      case 'update-conditional':
        return addressFault(resource, type ?? '', undefined, '');
      case 'update':
        return addressFault(resource, type ?? '', id ?? '', '');
      case 'patch':
      case 'patch-conditional':
        // FHIRPath Patch (R4 §3.1.0.5) comes as parameters.
        return addressFault(resource, 'Parameters', undefined, '');
      case 'batch':
        return batchFault(resource, definitions, more);
      case 'operation':
        return undefined;
      default:
        return fault('', 'fhir-body-unexpected');
    }
  };

  return {
    head(facts) {
      const target = targetOf(fhir, facts.path.segments);
      if (isFault(target)) return target;
      const { interaction, type } = target;
      if (facts.body.kind !== 'none' && !isStructured(facts.mediaType) && !isBinary(target))
        return UNSUPPORTED;
      const condition = interaction === 'create' ? facts.headers.get('if-none-exist') : undefined;
      if (condition !== undefined) {
        const found = queryFault(condition, type, named('header', 'if-none-exist'), definitions, more);
        if (found !== undefined) return found;
      }
      if (facts.parameters.size === 0) return undefined;
      if (interaction === 'graphql') return undefined;
      if (interaction === 'operation') return operationFault(facts.parameters, 'query');
      if (SEARCHES.has(interaction)) return searchFault(facts.parameters, type, definitions, more, 'query');
      if (PLAIN.has(interaction) || interaction.startsWith('history')) {
        return searchFault(resultsOnly(facts.parameters), undefined, definitions, NO_MORE, 'query');
      }
      return fault('', 'fhir-path');
    },
    content(facts, content) {
      const { interaction } = fhir;
      if (content.kind === 'json') {
        if (interaction === 'graphql') return undefined;
        const isPatch = content.mediaType === 'application/json-patch+json';
        if (isPatch || Array.isArray(content.value)) {
          return interaction.startsWith('patch') && isPatch ? patchFault(content.value) : UNSUPPORTED;
        }
        if (typeof content.value !== 'object' || content.value === null) return fault('', 'fhir-type');
        return resourceFault(facts, content.value as JsonObject);
      }
      if (content.kind === 'xml') {
        const read = readFhirXml(content.text, definitions);
        return 'rule' in read ? read : resourceFault(facts, read.resource);
      }
      if (content.kind === 'form') {
        if (interaction === 'search-post') {
          const target = targetOf(fhir, facts.path.segments);
          return isFault(target)
            ? target
            : searchFault(content.fields, target.type, definitions, more, 'form');
        }
        return interaction.startsWith('operation:') ? operationFault(content.fields, 'form') : UNSUPPORTED;
      }
      const target = targetOf(fhir, facts.path.segments);
      if (isFault(target)) return target;
      return isBinary(target) && content.kind !== 'multipart' ? undefined : UNSUPPORTED;
    },
  };
}

/** Media types of bodies that are judged whole; the others are bytes that only a Binary may be (R4 §2.41.4). */
export function isStructured(mediaType: string | undefined): boolean {
  return mediaType === undefined || /json|xml|^text\/|form/.test(mediaType);
}

/** A Binary may be sent as what it is. */
function isBinary({ type, interaction }: FhirTarget): boolean {
  return type === 'Binary' && (interaction === 'create' || interaction === 'update');
}

const NO_MORE: ReadonlyMap<string, string> = new Map();
/** `_id` and the like are no parameters of a read. */
function resultsOnly(parameters: ReadonlyMap<string, readonly string[]>): typeof NOTHING {
  return [...parameters].map(([name, values]) =>
    /^_(?:id|text|content|tag|profile|security|source|query|has|lastUpdated)/.test(name)
      ? ['_unknown', values]
      : [name, values],
  );
}
