import type { IssuerProcessSettings } from '../contracts/issuer-settings.ts';
import { type IssuerWiring, stderrLog } from '../identity/issuer/index.ts';
import { issuerAdmin } from './issuer-admin.ts';
import { createIssuerPages } from './issuer-pages.ts';

/** What the embedded issuer's process is given besides its settings. @throws `configuration-invalid` (brand) */
export function issuerWiring(settings: IssuerProcessSettings): IssuerWiring {
  return {
    pages: createIssuerPages(settings.brand, settings.issuer),
    admin: (accounts) => issuerAdmin(accounts, settings.issuer, stderrLog),
  };
}
