/** How the pages that people see look: one per tenant, and one for the embedded issuer. */
export interface BrandSettings {
  /** What patients and staff know the place as; 1 to 80 characters. */
  readonly name: string;
  /** `#rrggbb`, for buttons and links. Text on it, and shades that can be read, are chosen by contrast. */
  readonly colour?: string | undefined;
  /** PNG or SVG, at most 64 KiB. */
  readonly logo?: { readonly bytes: Uint8Array } | undefined;
  /** Whom to ask; shown below every page. */
  readonly support?: SupportContact | undefined;
  /** IANA name, such as `Europe/Berlin`, of the times that pages show; UTC without. */
  readonly timeZone?: string | undefined;
}

export interface SupportContact {
  /** Such as "IT service desk, weekdays 7 to 19". */
  readonly text?: string | undefined;
  readonly telephone?: string | undefined;
  readonly email?: string | undefined;
  /** https only. */
  readonly url?: string | undefined;
}

/** Bytes of a logo. */
export const LOGO_LIMIT = 65_536;
/** Plain enough that it means the same in a `mailto:` URL (RFC 6068). */
export const MAIL_PATTERN = '^[A-Za-z0-9.+_-]{1,64}@[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63}){1,8}$';
export const TELEPHONE_PATTERN = '^\\+?[0-9][0-9 ()./-]{2,30}$';
export const COLOUR_PATTERN = '^#[0-9A-Fa-f]{6}$';
export const SITE_PATTERN = '^https://[A-Za-z0-9][A-Za-z0-9.-]*(:[1-9][0-9]{0,4})?(/[!-~]*)?$';
