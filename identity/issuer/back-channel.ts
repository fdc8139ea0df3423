import { Agent, fetch as undiciFetch } from 'undici';

/** In the form that `oidc-provider` calls it. */
export type BackChannelFetch = (url: string, options: Readonly<Record<string, unknown>>) => Promise<Response>;

/** Milliseconds. */
const TIMEOUT = 2500;

/**
 * Sign-outs are told to relying parties over HTTPS (OpenID Connect Back-Channel Logout 1.0). Their addresses stand in
 * the settings, and may be private ones: the guard of `oidc-provider` against addresses that clients choose themselves
 * would refuse those.
 */
export function backChannelFetch(authority: Buffer | undefined): BackChannelFetch {
  const agent = new Agent({
    connect: {
      ...(authority === undefined ? {} : { ca: authority }),
      minVersion: 'TLSv1.2',
      timeout: TIMEOUT,
    },
    headersTimeout: TIMEOUT,
    bodyTimeout: TIMEOUT,
  });
  return async (url, { dispatcher: _, ...options }) => {
    if (new URL(url).protocol !== 'https:') throw new TypeError('only https is spoken');
    return undiciFetch(url, {
      ...(options as Parameters<typeof undiciFetch>[1]),
      redirect: 'manual',
      dispatcher: agent,
    }) as unknown as Promise<Response>;
  };
}
