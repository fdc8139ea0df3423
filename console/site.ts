import type { BrandSettings } from '../contracts/brand.ts';
import { ChartgateError } from '../contracts/errors.ts';
import { type Asset, type Assets, createAssets } from './assets.ts';
import { type Brand, compileBrand } from './brand.ts';
import type { PageSources } from './csp.ts';
import { type Language, TEXTS, type Texts } from './texts/index.ts';

/** What all pages of one tenant, or of the embedded issuer, share. Made once, at load. Frozen. */
export interface Site {
  readonly brand: Brand;
  readonly assets: Assets;
  readonly language: Language;
  readonly texts: Texts;
  readonly sources: PageSources | undefined;
  /** A file of the pages by its whole path. */
  asset(path: string): Asset | undefined;
  /** A moment for people, such as "22 November 2026 at 14:05 UTC". @param at wall-clock milliseconds */
  moment(at: number): string;
}

export interface SiteSettings {
  readonly brand?: BrandSettings | undefined;
  /** Path below which the files are served, such as `/.chartgate/assets/`. */
  readonly assetPath: string;
  /**
   * Every origin that the pages are reached at, such as `https://clinic.example`. With it the policy of a page allows
   * its own style sheets and script and no other file of the host: behind the same host stands the EMR, with
   * scripts that are not ours.
   */
  readonly origins?: readonly string[] | undefined;
  readonly language?: Language | undefined;
}

/** @throws `configuration-invalid` for a brand or a time zone that cannot be used */
export function createSite(settings: SiteSettings): Site {
  const brand = compileBrand(settings.brand);
  if (!/^\/(?:[a-z0-9.-]+\/)+$/.test(settings.assetPath)) {
    throw new ChartgateError('internal', 'The path of the assets begins and ends with a slash.');
  }
  const assets = createAssets(settings.assetPath, brand);
  const language = settings.language ?? 'en';
  const format = momentFormat(language, settings.brand?.timeZone ?? 'UTC');
  return Object.freeze({
    brand,
    assets,
    language,
    texts: TEXTS[language],
    sources: settings.origins === undefined ? undefined : sourcesOf(settings.origins, assets),
    asset: (path: string) => assets.find(path),
    moment: (at: number) => (Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? format.format(at) : '–'),
  });
}

function sourcesOf(origins: readonly string[], assets: Assets): PageSources {
  const at = (name: 'page' | 'brand' | 'passkey'): readonly string[] =>
    origins.map((origin) => {
      const parsed = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?$/.test(origin) ? URL.parse(origin) : null;
      if (parsed === null) {
        throw new ChartgateError(
          'internal',
          'An origin of the pages is written like https://clinic.example.',
        );
      }
      return `${parsed.origin}${assets.path(name)}`;
    });
  if (origins.length === 0) throw new ChartgateError('internal', 'Pages need an origin.');
  return Object.freeze({ styles: [...at('page'), ...at('brand')], scripts: at('passkey') });
}

function momentFormat(language: Language, timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
      timeZone,
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      timeZoneName: 'short',
    });
  } catch {
    throw new ChartgateError(
      'configuration-invalid',
      `The time zone "${timeZone.slice(0, 60)}" is not known; write one such as Europe/Berlin or UTC.`,
    );
  }
}
