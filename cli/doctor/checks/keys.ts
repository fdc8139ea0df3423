import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openBaseline } from '../../../audit-sql/fingerprint/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import { type Check, outcomes } from '../types.ts';
import { foldersOf, smallFiles } from './secrets.ts';

/** Every private key that lies where the processes read, compared with the one that signs baselines. */
export const signingKeyAway: Check = ({ gateway, checker, issuer }) => {
  const { ok, failed, skipped } = outcomes('signing-key-away');
  if (checker === undefined) return [skipped('', "it takes the checker's settings")];
  const signers = new Set(
    checker.settings.databases.flatMap(({ baselineTrust }) =>
      baselineTrust.keys.map((key) => spki(() => createPublicKey(key))),
    ),
  );
  const folders = new Set([...foldersOf(checker), ...foldersOf(gateway), ...foldersOf(issuer)]);
  const found = [...folders].flatMap(smallFiles).flatMap(([path, bytes]) => {
    if (!bytes.includes('PRIVATE KEY-----')) return [];
    const key = spki(() => createPublicKey(createPrivateKey(bytes)));
    return key !== '' && signers.has(key)
      ? [
          failed(
            path,
            'it is the private key that approves baselines; whoever reads it can approve a database without triggers',
            'move it to the administrator, off this host',
          ),
        ]
      : [];
  });
  return found.length > 0
    ? found
    : [
        ok(
          '',
          "no private key in the processes' folders is one that signs baselines; elsewhere on this host was not searched",
        ),
      ];
};

function spki(key: () => ReturnType<typeof createPublicKey>): string {
  try {
    return key().export({ type: 'spki', format: 'der' }).toString('hex');
  } catch {
    return '';
  }
}

/** Signature and form of each baseline, as the checker itself will judge them. */
export const baseline: Check = ({ checker }) => {
  const { ok, failed, warn, skipped } = outcomes('baseline');
  if (checker === undefined) return [skipped('', "it takes the checker's settings")];
  return checker.settings.databases.map(({ id, baseline: file, baselineTrust }) => {
    const remedy =
      'chartgate audit-sql baseline … and approve …, by two administrators who hold a key each; then copy the file here';
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      return failed(id, `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, remedy);
    }
    try {
      const opened = openBaseline(bytes, baselineTrust);
      const signed = `${opened.signers.length} signatures right, taken ${opened.takenAt}, digest ${opened.digest.slice(0, 16)}…`;
      return baselineTrust.required > 1
        ? ok(id, signed)
        : warn(
            id,
            `${signed}; one administrator alone can approve a change`,
            'list a second administrator in baselineKeys and remove singleAdministratorBaseline',
          );
    } catch (error) {
      if (!(error instanceof ChartgateError)) throw error;
      return failed(id, error.message, remedy);
    }
  });
};
