import type { BrokenFile } from './broken.ts';

const AFTER = 'identityHeader: X-Forwarded-User';
const brand = (text: string): readonly [string, string] => [AFTER, `${AFTER}\n    brand: ${text}`];

/** Faults of a tenant's brand. */
export const BROKEN_BRAND: readonly BrokenFile[] = [
  {
    because: 'a brand without a name',
    change: brand('{ colour: "#1d6f5c" }'),
    faults: ['38:5: tenants[0].brand.name: is missing: What patients and staff know the place as'],
  },
  {
    because: 'a colour by its name, and a telephone number of words',
    change: brand('{ name: North, colour: teal, support: { telephone: call us } }'),
    faults: [
      '38:35: tenants[0].brand.colour: must be a colour as "#rrggbb", in quotes',
      '38:63: tenants[0].brand.support.telephone: must be a telephone number of digits and spaces, such as "+1 555 0100"',
    ],
  },
  {
    because: 'a time zone that does not exist',
    change: brand('{ name: North, timeZone: Mars/Base }'),
    faults: [
      '38:37: tenants[0].brand.timeZone: is not a time zone that is known here; write one such as America/Chicago or UTC',
    ],
  },
  {
    because: 'a logo that is no picture',
    change: brand('{ name: North, logo: not-pem.txt }'),
    faults: ['38:33: tenants[0].brand.logo: The logo is neither a PNG nor an SVG; those two are allowed.'],
  },
];
