import { GATEWAY_SCHEMA } from '../../../config/shape/gateway.ts';
import { POLICY_SCHEMA } from '../../../config/shape/policy.ts';

/** What messages list as allowed, in the schema's order: which keys there are is not what those tests are about. */
export const GATEWAY_KEYS = Object.keys(GATEWAY_SCHEMA.properties ?? {}).join(', ');
export const ROUTE_KEYS = Object.keys(POLICY_SCHEMA.properties?.routes?.items?.properties ?? {}).join(', ');
