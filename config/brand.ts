import type { BrandSettings, SupportContact } from '../contracts/brand.ts';
import { judgeLogo } from './logo.ts';
import { readPublic, type Surroundings } from './references.ts';
import type { View } from './view.ts';

/** The `brand` of a tenant or of the embedded issuer, its logo read and judged; undefined when there is none. */
export function brandOf(view: View, around: Surroundings): BrandSettings | undefined {
  if (!view.exists) return undefined;
  const timeZone = view.at('timeZone');
  if (timeZone.text !== undefined && !isTimeZone(timeZone.text)) {
    timeZone.fault('is not a time zone that is known here; write one such as America/Chicago or UTC');
  }
  return {
    name: view.at('name').text ?? '',
    colour: view.at('colour').text,
    logo: logoOf(view.at('logo'), around),
    support: supportOf(view.at('support')),
    timeZone: timeZone.text,
  };
}

function logoOf(view: View, around: Surroundings): BrandSettings['logo'] {
  const bytes = readPublic(view, around);
  if (bytes === undefined) return undefined;
  const judged = judgeLogo(bytes);
  if (!judged.ok) view.fault(judged.why);
  return { bytes };
}

function supportOf(view: View): SupportContact | undefined {
  if (!view.exists) return undefined;
  return {
    text: view.at('text').text,
    telephone: view.at('telephone').text,
    email: view.at('email').text,
    url: view.at('url').text,
  };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
