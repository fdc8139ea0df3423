export type { LogoutOrder } from './logout-token.ts';
export { RelyingParty } from './relying-party.ts';
export type { SignedIn, SignInRefusal } from './types.ts';
