import type { RouteDocument } from './settings.ts';

/** A ready set of rules for a known kind of back end, which a policy extends. */
export interface PolicyPack {
  /** As in `extends`: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** What it is for, for people. */
  readonly title: string;
  /**
   * Versions of the back end that the rules were made for: exact, or ending in `.*`. A policy must name one of
   * them. Empty: the pack is for no version in particular, and none may be named.
   */
  readonly versions: readonly string[];
  /** Where the routes lie when the policy does not say: `/fhir`; empty for the root. Their paths begin with it. */
  readonly base: string;
  readonly routes: readonly RouteDocument[];
}

/** How a policy names a pack. */
export interface PackReference {
  readonly pack: string;
  readonly version?: string;
  /** Takes the place of the pack's own base in every path: `/apis/default/fhir`, or `/` for the root. */
  readonly base?: string;
}

/** A pack by its name; undefined when there is none of that name. */
export type PackLookup = (name: string) => PolicyPack | undefined;
