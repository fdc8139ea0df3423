import type { BrandSettings } from '../../../../contracts/brand.ts';

export const LOGO = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="12" fill="#1d6f5c"/>' +
    '<path d="M8 30c6-8 10-8 16 0s10 8 16 0" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/>' +
    '<path d="M8 20c6-8 10-8 16 0s10 8 16 0" fill="none" stroke="#bfe3d9" stroke-width="4" stroke-linecap="round"/></svg>',
);

/** A hospital that does not exist. */
export const RIVERSIDE: BrandSettings = {
  name: 'Riverside Clinic',
  colour: '#1d6f5c',
  logo: { bytes: LOGO },
  support: {
    text: 'Service desk, weekdays 7 to 19',
    telephone: '+1 555 0100',
    email: 'help@riverside.example',
  },
};
