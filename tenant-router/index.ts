export type { Backend, BackendTls } from './backend.ts';
export { BACKEND_OUTCOMES, type BackendOutcome, outcomeOfError } from './outcome.ts';
export {
  type BackendStats,
  createTenantRouter,
  type Tenant,
  type TenantRoute,
  type TenantRouter,
  type TenantRouterOptions,
} from './router.ts';
