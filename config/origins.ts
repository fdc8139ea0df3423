import type { Fault, PointedFault } from '../contracts/errors.ts';
import type { IssuerProcessSettings } from '../contracts/issuer-settings.ts';
import type { PolicyCasesDocument } from '../contracts/policy-cases.ts';
import type { CheckerSettings, GatewaySettings, PolicyDocument } from '../contracts/settings.ts';
import { stepsOf } from './pointer.ts';
import { asWritten } from './policy.ts';
import type { YamlText } from './yaml-text.ts';

/** What was made from a file, and can be traced back to its text. */
export type Traceable =
  | PolicyCasesDocument
  | PolicyDocument
  | GatewaySettings
  | CheckerSettings
  | IssuerProcessSettings;

export interface Origin {
  /** The file as the user named it. */
  readonly shown: string;
  readonly text: Pick<YamlText, 'position'>;
  /** Where a tenant of the gateway's settings stands that has a file of its own; undefined: in this one. */
  readonly tenant?: ((index: number) => Origin | undefined) | undefined;
}

const origins = new WeakMap<Traceable, Origin>();

export function remember(made: Traceable, origin: Origin): void {
  origins.set(made, origin);
}

/**
 * Where a place of a document stands in its file. `pointer` (RFC 6901) may use the document's names
 * (`hideDeadlineMs`) or the file's (`hideDeadline`). A place that is not written is found at its nearest
 * enclosing one; line and column are 0 when the document was not read from a file.
 */
export function locate(made: Traceable, pointer: string): { line: number; column: number; path: string } {
  const written = asWritten({ pointer, message: '' }).pointer;
  const position = origins.get(made)?.text.position(stepsOf(written));
  return position === undefined ? { line: 0, column: 0, path: written.slice(1) } : { ...position };
}

/** Turns faults that were found in a document into faults of its file. */
export function faultsOf(made: Traceable, pointed: readonly PointedFault[]): Fault[] {
  const file = origins.get(made)?.shown ?? made.file;
  return pointed
    .map((fault) => {
      const { message } = asWritten(fault);
      const own = ownFile(made, fault.pointer);
      if (own === undefined) return { file, ...locate(made, fault.pointer), message };
      return { file: own.origin.shown, ...own.origin.text.position(stepsOf(own.pointer)), message };
    })
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** A place of a tenant that stands in a file of its own, as that file has it. */
function ownFile(made: Traceable, pointer: string): { origin: Origin; pointer: string } | undefined {
  const [, index, rest = ''] = /^\/tenants\/(\d+)(\/.*)?$/.exec(pointer) ?? [];
  const origin = index === undefined ? undefined : origins.get(made)?.tenant?.(Number(index));
  return origin === undefined ? undefined : { origin, pointer: rest };
}
