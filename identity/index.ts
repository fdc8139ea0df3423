export {
  type AuthenticatorOptions,
  createAuthenticator,
  type IssuerReadiness,
  type TokenAuthenticator,
} from './authenticator.ts';
