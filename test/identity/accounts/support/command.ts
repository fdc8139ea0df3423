import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const MAIN = new URL('../../../../cli/main.ts', import.meta.url).pathname;

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly json: Record<string, never> & {
    codes: { text: string; login: string }[];
    request: { id: string };
  };
}

/** A folder with the settings of an issuer, for commands; nothing runs. */
export interface CommandFolder {
  readonly config: string;
  /** @param input of the command */
  run(words: readonly string[], input?: string, more?: readonly string[]): Promise<Ran>;
  remove(): void;
}

export function commandFolder(more = ''): CommandFolder {
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-user-'));
  const config = join(folder, 'issuer.yaml');
  for (const name of ['gateway-secret', 'state-key']) {
    writeFileSync(join(folder, name), randomBytes(32).toString('hex'), { mode: 0o600 });
  }
  writeFileSync(
    config,
    `issuer: https://id.clinic.example
issuerSocket: issuer.sock
gatewaySecret: { file: gateway-secret }
state: { file: state.sqlite, keys: [{ file: state-key }] }
lockout: { failures: 5, sourceFailures: 50 }
tenants: [{ id: clinic, name: Clinic, audience: 'https://clinic.example' }]
${more}`,
  );
  const run = (words: readonly string[], input = '', options: readonly string[] = ['--json']) =>
    new Promise<Ran>((resolve, reject) => {
      const child = spawn(process.execPath, [MAIN, ...words, '--config', config, ...options]);
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk) => {
        out += chunk;
      });
      child.stderr.on('data', (chunk) => {
        err += chunk;
      });
      child.on('error', reject);
      child.on('close', (code) => {
        const json = out.startsWith('{') ? JSON.parse(out) : {};
        resolve({ code: code ?? -1, out, err, json });
      });
      child.stdin.end(input);
    });
  return { config, run, remove: () => rmSync(folder, { recursive: true }) };
}
