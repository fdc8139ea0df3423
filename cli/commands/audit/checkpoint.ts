import { originOf, readVerifier, verifierText } from '../../../integrity-checker/seal/index.ts';
import { lastCheckpoint } from '../../../integrity-checker/seal/verify/index.ts';
import { print, readInput } from '../audit-sql/server.ts';

/** Prints the note, and the empty line that lets several be appended to one file. */
export async function runCheckpoint(path: string): Promise<void> {
  await print(`${await lastCheckpoint(path)}\n`);
}

export async function runKey(options: {
  readonly publicKey: string;
  readonly database: string;
}): Promise<void> {
  const verifier = readVerifier(readInput(options.publicKey).toString('utf8'), originOf(options.database));
  await print(`${verifierText(verifier)}\n`);
}
