import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChartgateError } from '../../../contracts/errors.ts';
import { parseTenantId, type TenantId } from '../../../contracts/identifiers.ts';
import { type PublicKey, parsePublicKey } from '../../../tenant-router/tunnels/index.ts';

export function print(result: object): void {
  console.log(JSON.stringify(result));
}

export function tenantOf(text: string): TenantId {
  const id = parseTenantId(text);
  if (id === undefined) {
    throw new ChartgateError(
      'usage',
      'A tenant is lower-case letters, digits and hyphens, beginning with a letter.',
    );
  }
  return id;
}

export function hostAndPort(text: string, option: string): { readonly host: string; readonly port: number } {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253}):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535 || match[1].startsWith('-')) {
    throw new ChartgateError('usage', `${option} must be a host and a port, such as 127.0.0.1:443.`);
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

export function publicKey(file: string | undefined, out: string, tenant: TenantId): PublicKey {
  if (file !== undefined) return parsePublicKey(readFileSync(file, 'utf8'), file);
  const path = join(out, 'key');
  generateKey(path, `tunnel of ${tenant}`);
  return parsePublicKey(readFileSync(`${path}.pub`, 'utf8'));
}

export function generateKey(path: string, comment: string): void {
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (made.error !== undefined || made.status !== 0) {
    throw new ChartgateError(
      'backend-unavailable',
      'ssh-keygen could not make a key: install OpenSSH (openssh-client, openssh-server).',
    );
  }
}

/**
 * Makes the server's host key, unless a former `init` that failed left one.
 * @returns its fingerprint
 */
export function hostKeyIn(directory: string): string {
  const path = join(directory, 'host_key');
  if (!existsSync(path)) generateKey(path, 'chartgate tunnel host key');
  if (!existsSync(`${path}.pub`)) writeFileSync(`${path}.pub`, publicHalf(path));
  const { fingerprint } = parsePublicKey(readFileSync(`${path}.pub`, 'utf8'), 'the host key');
  if (fingerprint !== currentHostKey(directory)) {
    throw new ChartgateError(
      'usage',
      `${path}: is not the key of ${path}.pub; remove both, and run this again.`,
    );
  }
  return fingerprint;
}

function publicHalf(path: string): string {
  return execFileSync('ssh-keygen', ['-y', '-f', path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

export function currentHostKey(directory: string): string | undefined {
  try {
    // Out of the private key, which is what the server uses, and not out of the file beside it.
    return parsePublicKey(publicHalf(join(directory, 'host_key'))).fingerprint;
  } catch {
    return undefined;
  }
}

interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** @throws ChartgateError `usage` for a user that does not exist */
export function userIds(user: string): UserIds {
  const [uid = '', gid = ''] = ['-u', '-g'].map((which) => {
    const { status, stdout } = spawnSync('id', [which, user], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : '';
  });
  if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) {
    throw new ChartgateError(
      'usage',
      `There is no user "${user}" here: run systemd-sysusers (deploy/systemd has the file), or name another: --user.`,
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** Root makes it for the user whose server it is. */
export function giveTo(directory: string, { uid, gid }: UserIds): void {
  for (const path of [
    directory,
    ...['host_key', 'host_key.pub', 'sshd_config'].map((name) => join(directory, name)),
  ]) {
    if (statSync(path).uid !== uid) chownSync(path, uid, gid);
  }
}
