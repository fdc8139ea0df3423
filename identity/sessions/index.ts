export { browserWords } from './browser-words.ts';
export {
  clearCookie,
  foreignCookies,
  readCookies,
  setCookie,
  setsOwnCookie,
  withoutOwnCookies,
} from './cookies.ts';
export { isCrossSite, isNavigation } from './cross-site.ts';
export { HELD_FORM_LIMIT, HELD_MEDIA_TYPES, type HeldForm, HeldForms } from './held-forms.ts';
export { LogoutTokens } from './logout-tokens.ts';
export type { Session, SessionFacts } from './record.ts';
export { type Found, newSecret, type Opened, Sessions } from './sessions.ts';
export { type PendingSignIn, SignIns } from './sign-ins.ts';
