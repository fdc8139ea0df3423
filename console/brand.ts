import { judgeLogo, type LogoType } from '../config/logo.ts';
import type { BrandSettings, SupportContact } from '../contracts/brand.ts';
import { ChartgateError } from '../contracts/errors.ts';
import { type Colour, colourText, inkOn, parseColour, readable } from './colour.ts';
import { MAIL, mailUrl, type SafeUrl, siteUrl, TELEPHONE, telephoneUrl } from './url.ts';

/** A brand that was checked; made only by `compileBrand`. Frozen. */
export interface Brand {
  readonly name: string;
  readonly logo: { readonly bytes: Buffer; readonly type: LogoType } | undefined;
  /** `:root` variables for light and dark; the only style sheet that depends on the brand. */
  readonly css: string;
  /** A small picture for the browser's tab, in the brand's colour. */
  readonly icon: string;
  readonly support: readonly SupportLine[];
}

export interface SupportLine {
  readonly text: string;
  readonly url: SafeUrl | undefined;
}

const DEFAULT: BrandSettings = Object.freeze({ name: 'Chartgate' });
const DEFAULT_COLOUR = '#0f5f7a';

/** The grounds of assets/page.css on which the brand's colour is text or a line: keep the two files alike. */
const LIGHT: readonly Colour[] = grounds(['#f4f6f8', '#ffffff']);
const DARK: readonly Colour[] = grounds(['#11161c', '#1a2129']);

/** @throws `configuration-invalid`, with every fault in one message */
export function compileBrand(settings: BrandSettings = DEFAULT): Brand {
  const faults: string[] = [];
  const name = settings.name.trim();
  if (name === '' || [...name].length > 80 || !name.isWellFormed() || /\p{Cc}|\p{Bidi_Control}/u.test(name)) {
    faults.push('The name of a brand has 1 to 80 characters and no control characters.');
  }
  const colour = parseColour(settings.colour ?? DEFAULT_COLOUR);
  if (colour === undefined) faults.push('The colour of a brand is written as #rrggbb, such as #0f5f7a.');
  const logo = settings.logo === undefined ? undefined : judgeLogo(settings.logo.bytes);
  if (logo !== undefined && !logo.ok) faults.push(logo.why);
  const support = supportLines(settings.support ?? {}, faults);
  if (faults.length > 0 || colour === undefined) {
    throw new ChartgateError('configuration-invalid', faults.join(' '));
  }
  return Object.freeze({
    name,
    logo:
      settings.logo === undefined || logo?.ok !== true
        ? undefined
        : Object.freeze({ bytes: Buffer.from(settings.logo.bytes), type: logo.type }),
    css: variables(colour),
    icon: icon(colour),
    support,
  });
}

function grounds(texts: readonly string[]): readonly Colour[] {
  return texts.flatMap((text) => parseColour(text) ?? []);
}

function supportLines(contact: SupportContact, faults: string[]): readonly SupportLine[] {
  const lines: SupportLine[] = [];
  const { text, telephone, email, url } = contact;
  if (text !== undefined) {
    if (text.trim() === '' || text.length > 200) faults.push('A support text has 1 to 200 characters.');
    else lines.push({ text: text.trim(), url: undefined });
  }
  if (telephone !== undefined) {
    if (TELEPHONE.test(telephone)) lines.push({ text: telephone, url: telephoneUrl(telephone) });
    else faults.push('A support telephone number is written with digits, spaces and a leading +.');
  }
  if (email !== undefined) {
    if (MAIL.test(email)) lines.push({ text: email, url: mailUrl(email) });
    else faults.push('A support e-mail address is one plain address, such as help@clinic.example.');
  }
  if (url !== undefined) {
    try {
      lines.push({ text: url.replace(/^https:\/\//, '').replace(/\/$/, ''), url: siteUrl(url) });
    } catch {
      faults.push('A support address is an https URL, such as https://clinic.example/help.');
    }
  }
  return Object.freeze(lines.map((line) => Object.freeze(line)));
}

/**
 * A brand's colour fills buttons as it is, with text that reads on it. As text, line or focus ring it is
 * darkened or lightened until it has 4.5 to 1 against the grounds of its scheme (WCAG 2.2, 1.4.3 and 1.4.11).
 */
function variables(colour: Colour): string {
  const scheme = (on: readonly Colour[]): string => {
    const fill = on === DARK ? readable(colour, DARK, 3) : colour;
    const text = readable(colour, on, 4.5);
    return `--accent:${colourText(fill)};--accent-ink:${colourText(inkOn(fill))};--accent-text:${colourText(text)}`;
  };
  return `:root{${scheme(LIGHT)}}@media (prefers-color-scheme:dark){:root{${scheme(DARK)}}}\n`;
}

/** A letter would need escaping and a font; a plain shield needs neither. */
function icon(colour: Colour): string {
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">' +
    `<path fill="${colourText(colour)}" d="M16 2 4 6v9c0 7.2 4.9 12.6 12 15 7.1-2.4 12-7.8 12-15V6z"/>` +
    `<path fill="${colourText(inkOn(colour))}" d="M14 9h4v5h5v4h-5v5h-4v-5H9v-4h5z"/></svg>\n`
  );
}
