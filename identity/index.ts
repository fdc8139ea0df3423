export {
  type AuthenticatorOptions,
  createAuthenticator,
  type IssuerReadiness,
  type OtherCallers,
  type TokenAuthenticator,
} from './authenticator.ts';
export { createOtherCallers, watchExpiry } from './clients/index.ts';
