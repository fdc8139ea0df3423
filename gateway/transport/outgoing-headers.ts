import { isForeign } from '../../contracts/principal.ts';
import type { Secret } from '../../contracts/secret.ts';
import { withoutOwnCookies } from '../../identity/sessions/index.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Outgoing } from '../pipeline/outgoing.ts';
import { withoutTold } from './outgoing-target.ts';

/** Request headers of the client that are for the gateway, not for the EMR. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(['authorization', 'dpop', 'sec-websocket-extensions']);

/**
 * The header list that the back end gets, as name, value, name, value. The client's survivors first; then
 * what only the gateway says, which nothing of the client's can precede, replace or take away.
 */
export function outgoingHeaders(x: Exchange, outgoing: Outgoing = x.outgoing): string[] {
  const { facts, tenant } = x;
  const identity = tenant.settings.identityHeader?.toLowerCase();
  const told = tenant.settings.tellBackend;
  const toldHeader = told?.header?.name;
  const list: string[] = ['host', facts.authority];
  const { headers: others, body } = outgoing;
  for (const [name, value] of facts.headers) {
    if (NOT_FORWARDED.has(name) || name === identity || name === toldHeader) continue;
    if (others !== undefined && Object.hasOwn(others, name)) continue;
    if (name !== 'cookie') list.push(name, value);
    else {
      const own = withoutOwnCookies(value);
      const cookies = own === undefined || told === undefined ? own : withoutTold(own, told);
      if (cookies !== undefined) list.push(name, cookies);
    }
  }
  for (const name in others) {
    const value = others[name];
    if (value !== undefined && name !== toldHeader && maySay(name, identity)) list.push(name, value);
  }
  if (body !== undefined) {
    if (body.length > 0) list.push('content-length', String(body.length));
  } else if (facts.body.kind === 'length') list.push('content-length', String(facts.body.bytes));
  list.push('x-forwarded-for', facts.peer, 'x-forwarded-proto', 'https', 'x-forwarded-host', facts.authority);
  // RFC 9110 §7.6.3: a gateway says so towards its back end.
  list.push('via', facts.protocol === 'HTTP/2' ? '2.0 chartgate' : '1.1 chartgate', 'x-request-id', facts.id);
  // With requests of somebody alone: it is a credential that opens the EMR to whoever sends it.
  const { backendAuthorization } = tenant.settings;
  if (backendAuthorization !== undefined && x.principal.kind !== 'anonymous')
    list.push('authorization', textOf(backendAuthorization));
  if (told?.header !== undefined) list.push(told.header.name, told.header.value);
  // What a partner calls somebody may be what somebody else is called here.
  if (identity !== undefined && x.principal.kind !== 'anonymous' && !isForeign(x.principal))
    list.push(identity, headerSafe(x.principal.subject));
  return list;
}

const texts = new WeakMap<Secret, string>();

/** Made once: a header has to be text. */
function textOf(secret: Secret): string {
  let text = texts.get(secret);
  if (text === undefined) {
    text = secret.reveal().toString('latin1');
    texts.set(secret, text);
  }
  return text;
}

/** Whether an obligation may set this field: never what frames the request, or what only the gateway says. */
export function maySay(name: string, identity: string | undefined): boolean {
  return (
    !NOT_FORWARDED.has(name) &&
    name !== identity &&
    !/^(?:host|connection|transfer-encoding|content-length|via|x-.*|cookie|upgrade|te|trailer)$/.test(name)
  );
}

/**
 * A subject may hold anything (RFC 7519 §4.1.2); a header may not. What is not plainly safe is
 * percent-encoded; since a plain one holds no `%`, two subjects never become the same header.
 */
function headerSafe(subject: string): string {
  return /^[A-Za-z0-9._~@|:+/=-]{1,255}$/.test(subject) ? subject : encodeURIComponent(subject);
}
