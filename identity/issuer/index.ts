export type { ClientDirectory, KnownClient } from './clients.ts';
export type { Issuer, IssuerOptions } from './issuer.ts';
export { IssuerKeys, ROTATION, type RotateOptions } from './keys.ts';
export { type IssuerLog, stderrLog } from './log.ts';
export type { IssuerPages } from './pages.ts';
export { type IssuerWiring, openIssuer, rotateKeys, runIssuer } from './process.ts';
export { revokeSubject } from './revocations.ts';
export type { AdminAsked, AdminHandler } from './server.ts';
