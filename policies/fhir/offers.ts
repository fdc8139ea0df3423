import type { FhirOffer } from '../../contracts/policy.ts';
import type { Pattern } from '../pattern.ts';
import type { FhirRule } from './rule.ts';

/** The part of a compiled rule that an offer comes from. */
interface Offering {
  readonly fhir: FhirRule | undefined;
  readonly pattern: Pattern;
  readonly captures: readonly { readonly position: number }[];
}

/** What the FHIR routes of a policy let be done; of bases that are not fixed, nothing can be said. */
export function offersOf(rules: readonly Offering[]): readonly FhirOffer[] {
  const offers = rules.flatMap((rule): readonly FhirOffer[] => {
    const { fhir, pattern } = rule;
    if (fhir === undefined) return [];
    const before = pattern.slice(0, fhir.baseLength);
    if (before.some((segment) => segment.kind !== 'literal')) return [];
    const base = before.map((segment) => (segment.kind === 'literal' ? `/${segment.text}` : '')).join('');
    const { version, interaction } = fhir;
    return [Object.freeze({ version, interaction, base, types: typesOf(fhir, rule) })];
  });
  return Object.freeze(offers);
}

function typesOf({ type }: FhirRule, { pattern, captures }: Offering): readonly string[] | undefined {
  if (type === undefined) return [];
  if (typeof type === 'string') return [type];
  const segment = pattern[captures[type]?.position ?? -1];
  return segment?.kind === 'oneOf' ? [...segment.values] : undefined;
}
