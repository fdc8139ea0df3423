/** What each part may import: the table of docs/architecture.md, "Parts and what each may import". */

export interface PartRule {
  /** Other parts it may import; its own files always. */
  readonly parts: readonly string[];
  /** Modules of Node (without `node:`) it may import; undefined: any that is not denied. */
  readonly builtins?: readonly string[];
  /** Packages it may import; undefined: any of the manifest's that is not denied. */
  readonly packages?: readonly string[];
  /** Modules of Node and packages it must not import. */
  readonly denied?: readonly string[];
  /** Modules of Node and packages that only the files of one of its folders may import. */
  readonly onlyIn?: { readonly folder: string; readonly modules: readonly string[] };
  /** Parts, folders and modules that must not be reached through others at run time either. */
  readonly unreachable?: readonly string[];
  /** Ships with the package: no development dependency, nothing outside the product. */
  readonly product: boolean;
}

const SQL = ['mysql2', 'mysql', 'mariadb', 'sqlite'];
const HTTP = ['http', 'https', 'http2', 'undici', 'http-proxy'];
const SIBLINGS = [
  'config',
  'policies',
  'tenant-router',
  'identity',
  'inspection',
  'activity-log',
  'telemetry',
];
const PRODUCT = ['contracts', ...SIBLINGS, 'audit-sql', 'gateway', 'console', 'integrity-checker', 'cli'];

const sibling = (more: Partial<PartRule> = {}): PartRule => ({
  parts: ['contracts'],
  product: true,
  ...more,
});

export const PART_RULES: ReadonlyMap<string, PartRule> = new Map<string, PartRule>([
  ['contracts', { parts: [], builtins: ['buffer', 'crypto'], packages: [], product: true }],
  ['config', sibling({ denied: SQL })],
  // Pure: what it may use computes and does nothing else.
  ['policies', sibling({ builtins: ['buffer', 'crypto'], packages: [] })],
  ['tenant-router', sibling({ denied: SQL })],
  // Its own state is the one SQL that a process of the gateway speaks.
  ['identity', sibling({ onlyIn: { folder: 'identity/state', modules: SQL } })],
  // Looks into requests, and talks to nobody.
  ['inspection', sibling({ denied: [...SQL, ...HTTP, 'net'] })],
  ['activity-log', sibling({ denied: SQL })],
  ['telemetry', sibling({ denied: SQL })],
  ['audit-sql', sibling({ denied: HTTP })],
  [
    'integrity-checker',
    {
      parts: ['contracts', 'config', 'audit-sql', 'activity-log', 'telemetry'],
      denied: HTTP,
      unreachable: [
        'gateway',
        'policies',
        'identity',
        'tenant-router',
        'console',
        'audit-sql/writers',
        ...HTTP,
      ],
      product: true,
    },
  ],
  [
    'gateway',
    {
      parts: ['contracts', ...SIBLINGS, 'console'],
      denied: SQL,
      unreachable: ['integrity-checker', 'audit-sql'],
      product: true,
    },
  ],
  ['console', { parts: ['contracts', ...SIBLINGS], denied: SQL, product: true }],
  ['cli', { parts: PRODUCT, product: true }],
  ['scripts', { parts: PRODUCT, product: false }],
  ['examples', { parts: PRODUCT, product: false }],
  ['measure', { parts: [...PRODUCT, 'examples'], product: false }],
  ['test', { parts: [...PRODUCT, 'scripts', 'examples', 'measure'], product: false }],
]);
