export { createAuthenticator } from './authenticator.ts';
export { createOtherCallers, watchExpiry } from './clients/index.ts';
export type {
  AuthenticatorOptions,
  IssuerReadiness,
  OtherCallers,
  TokenAuthenticator,
} from './tokens/interface.ts';
