import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readSecretFile } from '../../../audit-sql/connect.ts';
import {
  approveBaseline,
  type Change,
  describeChanges,
  inspectBaseline,
  takeBaseline,
  type UnverifiedBaseline,
} from '../../../audit-sql/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { ServerOptions } from './options.ts';
import { onServer, print, printJson, writeOutput } from './server.ts';

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ChartgateError('usage', `The file ${file} cannot be read.`, { cause: error });
  }
}

/** What would change if the baseline took the place of the file named; undefined when none is. */
function changesFrom(former: string | undefined, next: UnverifiedBaseline): readonly Change[] | undefined {
  return former === undefined
    ? undefined
    : describeChanges(inspectBaseline(read(former)).snapshot, next.snapshot);
}

function line({ change, what, detail }: Change): string {
  return `${change.padEnd(8)} ${what}${detail === '' ? '' : `: ${detail}`}`;
}

/** What somebody who signs should have read. Nothing in the file was verified. */
function described(baseline: UnverifiedBaseline, changes: readonly Change[] | undefined): string {
  const { snapshot, takenAt, digest, signers } = baseline;
  const own = snapshot.tables.filter(({ schema }) => schema === snapshot.emrSchema).length;
  const lines = [
    `Taken ${takenAt} of the schema ${snapshot.emrSchema}, audited in ${snapshot.auditSchema}; digest ${digest}.`,
    `${own} tables and views, ${snapshot.triggers.length} triggers, ${snapshot.privileges.length} dangerous privileges.`,
    `Signed with: ${signers.map((key) => `${key.slice(0, 16)}…`).join(', ')}.`,
  ];
  if (changes !== undefined) {
    lines.push(
      changes.length === 0
        ? 'It changes nothing.'
        : `It changes ${changes.length} thing${changes.length === 1 ? '' : 's'}:`,
      ...changes.map((one) => `  ${line(one)}`),
    );
  }
  return `${lines.join('\n')}\n`;
}

export async function runBaseline(
  options: ServerOptions & {
    readonly privateKey: string;
    readonly out: string;
    readonly compare?: string;
  },
): Promise<void> {
  const key = readSecretFile(options.privateKey);
  const bytes = await onServer(options, (connection, names) => takeBaseline(connection, names, key));
  const taken = inspectBaseline(bytes);
  const changes = changesFrom(options.compare, taken);
  writeOutput(options.out, bytes);
  if (options.json === true) {
    await printJson({
      file: options.out,
      bytes: bytes.length,
      digest: taken.digest,
      ...(changes === undefined ? {} : { changes }),
    });
    return;
  }
  await print(
    `${described(taken, changes)}${options.out}: the baseline of ${options.schema} with one signature; another administrator adds the second with "approve".\n`,
  );
}

/** Shows what a baseline holds and, with a key, adds a signature to it. */
export async function runApprove(
  file: string,
  options: { readonly privateKey?: string; readonly compare?: string; readonly json?: boolean },
): Promise<void> {
  const bytes = read(file);
  const before = inspectBaseline(bytes);
  const changes = changesFrom(options.compare, before);
  // Said before anything is signed, so that it is on the screen even if the key turns out wrong.
  if (options.json !== true) await print(described(before, changes));
  if (options.privateKey !== undefined) {
    writeOutput(file, approveBaseline(bytes, readSecretFile(options.privateKey)));
  }
  const { digest, signers } = options.privateKey === undefined ? before : inspectBaseline(read(file));
  if (options.json === true) {
    await printJson({ file, digest, signers, ...(changes === undefined ? {} : { changes }) });
    return;
  }
  await print(
    options.privateKey === undefined
      ? 'Nothing was signed; give --private-key to approve it.\n'
      : `${file}: approved; it has ${signers.length} signatures.\n`,
  );
}

export async function runKeygen(options: {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly json?: boolean;
}): Promise<void> {
  const pair = generateKeyPairSync('ed25519');
  writeOutput(options.privateKey, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
    flag: 'wx',
  });
  writeOutput(options.publicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }), {
    mode: 0o644,
    flag: 'wx',
  });
  if (options.json === true) {
    await printJson({ privateKey: options.privateKey, publicKey: options.publicKey });
    return;
  }
  await print(
    `${options.privateKey}: keep it away from the gateway and the checker.\n` +
      `${options.publicKey}: for baselineKeys in the checker's configuration.\n`,
  );
}
