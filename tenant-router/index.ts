export type { Backend, Movable, Phase } from './backend.ts';
export { BACKEND_OUTCOMES, type BackendOutcome, type BackendReport, outcomeOfError } from './outcome.ts';
export {
  type BackendStats,
  createTenantRouter,
  type TenantRoute,
  type TenantRouter,
  type TenantRouterOptions,
} from './router.ts';
export type { Tenant } from './tenant.ts';
export type { BackendConnect } from './transport.ts';
