export type { Asset } from './assets.ts';
export type { Page } from './page.ts';
export * from './pages/index.ts';
export { describeScopes } from './scopes.ts';
export { typesOfGroups } from './sharing-groups.ts';
export { createSite, type Site, type SiteSettings } from './site.ts';
