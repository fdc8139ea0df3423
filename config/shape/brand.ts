import { COLOUR_PATTERN, MAIL_PATTERN, SITE_PATTERN, TELEPHONE_PATTERN } from '../../contracts/brand.ts';
import type { Schema } from './schema.ts';
import { object, path } from './values.ts';

const SUPPORT = object(
  { title: 'Support', description: 'Whom people can ask; shown below every page.' },
  {
    text: {
      type: 'string',
      description: 'A line of text.',
      examples: ['Service desk, weekdays 7 to 19'],
      pattern: '^[^\\u0000-\\u001f\\u007f]{1,200}$',
      errorMessage: 'must be one line of 1 to 200 characters',
      'x-kind': 'text',
    },
    telephone: {
      type: 'string',
      description: 'Telephone number.',
      examples: ['+1 555 0100'],
      pattern: TELEPHONE_PATTERN,
      errorMessage: 'must be a telephone number of digits and spaces, such as "+1 555 0100"',
      'x-kind': 'telephone number',
    },
    email: {
      type: 'string',
      description: 'E-mail address.',
      examples: ['help@clinic.example'],
      pattern: MAIL_PATTERN,
      errorMessage: 'must be one plain address, such as help@clinic.example',
      'x-kind': 'e-mail address',
    },
    url: {
      type: 'string',
      description: 'Page with help, by https.',
      examples: ['https://clinic.example/help'],
      pattern: SITE_PATTERN,
      maxLength: 300,
      errorMessage: 'must be an https address, such as https://clinic.example/help',
      'x-kind': 'https address',
    },
  },
);

/** How pages look; of a tenant, or of the embedded issuer. */
export const BRAND: Schema = object(
  {
    title: 'Brand',
    description: 'How the pages that people see look. Without it: plain ones, named Chartgate.',
  },
  {
    name: {
      type: 'string',
      description: 'What patients and staff know the place as.',
      examples: ['Riverside Clinic'],
      pattern: '^[^\\u0000-\\u001f\\u007f]{1,80}$',
      errorMessage: 'must be one line of 1 to 80 characters',
      'x-kind': 'text',
    },
    colour: {
      type: 'string',
      description:
        'For buttons and links. The text on it, and the shades for links in light and dark, are chosen so that ' +
        'people with weak eyes can read them.',
      examples: ['#1d6f5c'],
      pattern: COLOUR_PATTERN,
      errorMessage: 'must be a colour as "#rrggbb", in quotes',
      'x-kind': 'colour',
    },
    logo: path({
      description:
        'PNG (at most 2048 pixels each way) or SVG (drawing only: no scripts, links or numeric character ' +
        'references), at most 64 KiB. It stands beside the name, 40 pixels high.',
      examples: ['brand/logo.svg'],
    }),
    support: SUPPORT,
    timeZone: {
      type: 'string',
      description: 'Time zone of the times on pages, by its IANA name; UTC unless given.',
      examples: ['America/Chicago'],
      pattern: '^[A-Za-z][A-Za-z0-9_+/-]{0,59}$',
      errorMessage: 'must be the name of a time zone, such as America/Chicago or UTC',
      'x-kind': 'time zone',
    },
  },
  ['name'],
);
