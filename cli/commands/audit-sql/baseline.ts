import { generateKeyPairSync } from 'node:crypto';
import { readSecretFile } from '../../../audit-sql/connect.ts';
import { takeBaseline } from '../../../audit-sql/index.ts';
import type { ServerOptions } from './options.ts';
import { onServer, print, printJson, writeOutput } from './server.ts';

export async function runBaseline(
  options: ServerOptions & { readonly privateKey: string; readonly out: string },
): Promise<void> {
  const key = readSecretFile(options.privateKey);
  const bytes = await onServer(options, (connection, names) => takeBaseline(connection, names, key));
  writeOutput(options.out, bytes);
  if (options.json === true) await printJson({ file: options.out, bytes: bytes.length });
  else await print(`${options.out}: the signed baseline of ${options.schema}.\n`);
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
      `${options.publicKey}: for the checker's configuration.\n`,
  );
}
