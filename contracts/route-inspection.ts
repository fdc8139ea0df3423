import type { PayloadDemand } from './payload.ts';

/** Rules by which a request is found to carry an injection. Identifiers are stable: settings and records name them. */
export const INJECTION_RULES = [
  // SQL
  'sql-grammar',
  'sql-union',
  'sql-statement',
  'sql-tautology',
  'sql-comment',
  'sql-function',
  'sql-schema',
  'sql-quote',
  'sql-operator',
  'sql-json',
  'sql-number',
  // NoSQL and object graphs
  'nosql-operator',
  'object-prototype',
  'orm-lookup',
  // script and markup
  'script-grammar',
  'script-markup',
  'script-handler',
  'script-scheme',
  'script-code',
  'script-encoding',
  'markup-declaration',
  // commands
  'command-chain',
  'command-word',
  'command-expansion',
  'command-evasion',
  'command-windows',
  'command-protocol',
  'command-function',
  // files and places
  'path-traversal',
  'path-file',
  'path-upload',
  'remote-address',
  'remote-internal',
  'remote-scheme',
  // languages that evaluate what they are given
  'template-expression',
  'php-code',
  'php-function',
  'php-setting',
  'php-object',
  'java-class',
  'java-lookup',
  'java-object',
  'node-code',
  'perl-code',
  // headers
  'header-break',
] as const;
export type InjectionRule = (typeof INJECTION_RULES)[number];

/** One place of a route's requests in which one rule does not count. */
export interface InjectionException {
  /**
   * As a finding names it: `query:NAME`, `form:NAME`, `part:NAME`, `file:NAME`, `header:NAME`, `cookie:NAME`,
   * `path:N`, or a pointer into the body, in which `*` stands for one step.
   */
  readonly place: string;
  readonly rule: InjectionRule;
}

/** What a route says about the search for injections. */
export interface InjectionDemand {
  /** `report`: findings are recorded and counted, and the request goes on. */
  readonly mode: 'block' | 'report';
  readonly except: readonly InjectionException[];
  /**
   * Places, as in an exception, in which people write prose: a note, a reason, a letter. Read like clinical text in
   * FHIR resources, where only what cannot be prose counts.
   */
  readonly prose: readonly string[];
}

/** How a route's requests are looked into. What it does not say is searched for injections, and blocked. */
export interface RouteInspection {
  readonly injection?: InjectionDemand | undefined;
  /** Besides what FHIR demands on a FHIR route. */
  readonly payload?: PayloadDemand | undefined;
}
