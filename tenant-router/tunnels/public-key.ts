import { createHash } from 'node:crypto';
import { ChartgateError } from '../../contracts/errors.ts';

/** Algorithms whose keys are taken: no DSA, no NIST curves, RSA only of a length that is still considered safe. */
const TAKEN: ReadonlySet<string> = new Set(['ssh-ed25519', 'ssh-rsa', 'sk-ssh-ed25519@openssh.com']);
const RSA_BITS = 3072;

export interface PublicKey {
  /** Type and base64, as in `authorized_keys`. */
  readonly text: string;
  readonly fingerprint: string;
}

/**
 * One OpenSSH public key, as `ssh-keygen` writes it (RFC 4253 §6.6). Whatever else stands on the line is left out:
 * options in front of a key would otherwise become options of the tunnel.
 * @throws ChartgateError `usage`
 */
export function parsePublicKey(text: string, what = 'the public key'): PublicKey {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length !== 1)
    throw wrong(what, 'must be one line, as ssh-keygen writes it into a file ending in .pub');
  const [type = '', base64 = ''] = (lines[0] ?? '').trim().split(/\s+/);
  if (!TAKEN.has(type)) {
    throw wrong(
      what,
      `must begin with one of ${[...TAKEN].join(', ')}; make one with: ssh-keygen -t ed25519`,
    );
  }
  const blob = Buffer.from(base64, 'base64');
  if (base64 === '' || blob.toString('base64') !== base64) throw wrong(what, 'is not proper base64');
  const fields = fieldsOf(blob);
  if (fields === undefined || fields[0]?.toString('latin1') !== type) {
    throw wrong(what, 'does not hold a key of the type that it names');
  }
  if (type === 'ssh-ed25519' && (fields.length !== 2 || fields[1]?.length !== 32)) {
    throw wrong(what, 'is no Ed25519 key');
  }
  if (type === 'ssh-rsa' && bitsOf(fields[2]) < RSA_BITS) {
    throw wrong(what, `is an RSA key of fewer than ${RSA_BITS} bits; make one with: ssh-keygen -t ed25519`);
  }
  const digest = createHash('sha256').update(blob).digest('base64').replaceAll('=', '');
  return Object.freeze({ text: `${type} ${base64}`, fingerprint: `SHA256:${digest}` });
}

function wrong(what: string, message: string): ChartgateError {
  return new ChartgateError('usage', `${what} ${message}.`);
}

/** Length-prefixed fields (RFC 4251 §5); undefined when they do not fill the blob exactly. */
function fieldsOf(blob: Buffer): readonly Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < blob.length) {
    if (at + 4 > blob.length) return undefined;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function bitsOf(number: Buffer | undefined): number {
  if (number === undefined) return 0;
  const first = number.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (number.length - first) * 8 - Math.clz32(number[first] ?? 0) + 24;
}
