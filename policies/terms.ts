import type { Route } from '../contracts/policy.ts';
import type { Access } from './access.ts';
import type { Condition } from './conditions/decide.ts';
import type { FhirRule } from './fhir/index.ts';

/**
 * What a rule's decisions depend on, besides the reason that it matched: thousands of tenants have rules that differ
 * in nothing but their ids and paths.
 */
export interface Terms {
  readonly access: Access;
  /** Undefined where the route is no FHIR route. */
  readonly fhir: FhirRule | undefined;
  /** Of its roles and `when`; undefined: nothing besides. */
  readonly condition: Condition | undefined;
  readonly demands: Pick<
    Route,
    'audience' | 'factorMaxAge' | 'clientCertificate' | 'senderConstrained' | 'sharing'
  >;
}
