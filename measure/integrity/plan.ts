/** What `--only` can name, beside the engines. */
export const PARTS = [
  'catalogue',
  'alarms',
  'race',
  'credentials',
  'cost',
  'tenants',
  'faults',
  'sealing',
] as const;
export type PartName = (typeof PARTS)[number];

/** How much of each is tried. */
export interface Plan {
  readonly short: boolean;
  readonly checks: number;
  readonly race: { readonly drops: number; readonly writesPerSecond: number };
  readonly cost: { readonly rounds: number; readonly seconds: number; readonly perSecond: number };
  readonly tenants: { readonly count: number; readonly perSecond: number; readonly seconds: number };
  /** Of MySQL's, faults are a share: what differs is only the database's end of a connection. */
  readonly engines: readonly ('mariadb' | 'mysql')[];
}

export function planFor(short: boolean): Plan {
  return short
    ? {
        short,
        checks: 300,
        race: { drops: 3, writesPerSecond: 200 },
        cost: { rounds: 1, seconds: 1, perSecond: 1_000 },
        tenants: { count: 2, perSecond: 300, seconds: 1 },
        engines: ['mariadb', 'mysql'],
      }
    : {
        short,
        checks: 10_000,
        race: { drops: 200, writesPerSecond: 500 },
        cost: { rounds: 5, seconds: 6, perSecond: 2_000 },
        tenants: { count: 50, perSecond: 2_000, seconds: 10 },
        engines: ['mariadb', 'mysql'],
      };
}

/** What the project promises to have tried in the full run; a short one tries a sample. */
export const FLOORS = {
  tampers: 45,
  checks: 10_000,
  drops: 200,
  attempts: 40,
  faults: 300,
  tenants: 50,
} as const;
