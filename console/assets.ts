import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Brand } from './brand.ts';

/** A file of the pages, ready to be sent with status 200. Frozen. */
export interface Asset {
  readonly body: Buffer;
  readonly type: string;
  /** All but the length; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

const NAMES = ['page', 'brand', 'icon', 'passkey', 'logo'] as const;
export type AssetName = (typeof NAMES)[number];

export interface Assets {
  /** Path, with the content's hash in its name; undefined where the brand has no logo. */
  path(name: Exclude<AssetName, 'logo'>): string;
  path(name: AssetName): string | undefined;
  /** By the whole path; undefined for any other. */
  find(path: string): Asset | undefined;
}

const EXTENSIONS: Readonly<Record<string, string>> = Object.freeze({
  'text/css; charset=utf-8': 'css',
  'text/javascript; charset=utf-8': 'js',
  'image/svg+xml': 'svg',
  'image/png': 'png',
});

// Beside this file both in the sources and in dist/.
const shipped = (name: string): Buffer => readFileSync(new URL(`./assets/${name}`, import.meta.url));

/** The files of one site. @param prefix path that they are served below, with a slash at both ends */
export function createAssets(prefix: string, brand: Brand): Assets {
  const byPath = new Map<string, Asset>();
  const paths = new Map<AssetName, string>();
  const add = (name: AssetName, body: Buffer, type: string): void => {
    // 96 bits: names that differ when contents do; nothing secret hangs on them.
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 24);
    const path = `${prefix}${name}.${hash}.${EXTENSIONS[type]}`;
    paths.set(name, path);
    byPath.set(path, asset(body, type));
  };
  add('page', shipped('page.css'), 'text/css; charset=utf-8');
  add('brand', Buffer.from(brand.css), 'text/css; charset=utf-8');
  add('icon', Buffer.from(brand.icon), 'image/svg+xml');
  add('passkey', shipped('passkey.mjs'), 'text/javascript; charset=utf-8');
  if (brand.logo !== undefined) add('logo', brand.logo.bytes, brand.logo.type);
  return Object.freeze({
    path: (name: AssetName) => paths.get(name) as string,
    find: (path: string) => byPath.get(path),
  });
}

function asset(body: Buffer, type: string): Asset {
  return Object.freeze({
    body,
    type,
    headers: Object.freeze({
      'content-type': type,
      // The name changes with the content.
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      // Whoever opens a logo by its address gets a picture, never a document that runs something.
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
    }),
  });
}
