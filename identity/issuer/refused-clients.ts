import type { ProviderContext } from 'oidc-provider';
import type { Clients } from './clients.ts';

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. Undefined for what is no such thing. */
function basicOf(header: string | undefined): { readonly id: string; readonly secret: string } | undefined {
  const encoded = /^basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  try {
    const [id = '', secret = ''] = [text.slice(0, colon), text.slice(colon + 1)].map((part) =>
      decodeURIComponent(part.replaceAll('+', ' ')),
    );
    return { id, secret };
  } catch {
    return undefined;
  }
}

/**
 * Whether there is a client is not to be told by how long its refusal takes: where no secret was compared (there is no
 * such client, it is not active, it has another way to prove itself), as much is done as if one had been.
 */
export function equalRefusals(clients: Clients): {
  /** The secret of this request was looked at. */
  readonly compared: (context: object) => void;
  readonly middleware: (context: ProviderContext, next: () => Promise<void>) => Promise<void>;
} {
  const seen = new WeakSet<object>();
  return {
    compared: (context) => seen.add(context),
    async middleware(context, next) {
      await next();
      if (context.status !== 401 || seen.has(context)) return;
      const shown = basicOf(context.headers.authorization);
      if (shown !== undefined) await clients.pretend(shown.id, shown.secret, context.ip);
    },
  };
}
