export { BACKEND_OUTCOMES, type Backend, type BackendOutcome, type BackendTls } from './backend.ts';
export { outcomeOfError } from './failure.ts';
export {
  type BackendStats,
  createTenantRouter,
  type Tenant,
  type TenantRoute,
  type TenantRouter,
  type TenantRouterOptions,
} from './router.ts';
