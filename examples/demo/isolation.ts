import { chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Numeric OS accounts of the demo; they need no entry in the machine's user list. */
const GATEWAY = { uid: 64_110, gid: 64_110 } as const;
const CHECKER = { uid: 64_111, gid: 64_111 } as const;
const ISSUER = { uid: 64_112, gid: 64_112 } as const;

export interface OsAccount {
  readonly uid: number;
  readonly gid: number;
}

export interface Isolation {
  /** Gateway, checker and embedded issuer have an OS user each, none of them the one that started the demo. */
  readonly separate: boolean;
  /** For the person in front of the terminal. */
  readonly detail: string;
  readonly gateway: OsAccount | undefined;
  readonly checker: OsAccount | undefined;
  /** Of the embedded issuer, where there is one. */
  readonly issuer: OsAccount | undefined;
}

/** An OS user each when started by root and they could read what they need; otherwise says why not. */
export function chooseIsolation(root: string, directory: string): Isolation {
  const reduced = (detail: string): Isolation => ({
    separate: false,
    detail,
    gateway: undefined,
    checker: undefined,
    issuer: undefined,
  });
  if (process.getuid?.() !== 0) {
    return reduced('Reduced isolation: not started by root, so all processes share one OS user.');
  }
  for (const start of [root, directory]) {
    for (let folder = start; ; folder = dirname(folder)) {
      if ((statSync(folder).mode & 0o001) === 0) {
        return reduced(
          `Reduced isolation: other OS users cannot enter ${folder}, so all processes share one.`,
        );
      }
      if (folder === dirname(folder)) break;
    }
  }
  return {
    separate: true,
    detail: `OS users: gateway ${GATEWAY.uid}, checker ${CHECKER.uid}, embedded issuer ${ISSUER.uid}.`,
    gateway: GATEWAY,
    checker: CHECKER,
    issuer: ISSUER,
  };
}

/** Gives a file or folder away; nothing to do where isolation is reduced. */
export function give(path: string, owner: OsAccount | undefined, group: OsAccount | undefined = owner): void {
  if (owner !== undefined && group !== undefined) chownSync(path, owner.uid, group.gid);
}
