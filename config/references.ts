import { dirname, resolve } from 'node:path';
import type { Secret } from '../contracts/settings.ts';
import { describeProblem, type FileAccess } from './files.ts';
import { secretOf } from './secret.ts';
import type { View } from './view.ts';

/** Bytes. Passwords and keys shared by two processes are far smaller. */
const SECRET_LIMIT = 4096;
/** Bytes of a secret that two processes share: 128 bits, were they random. */
export const SHORTEST_SHARED_SECRET = 16;
/** Bytes. Private keys, chains and bundles of authorities. */
const PEM_LIMIT = 1_048_576;
/** Bytes in `sun_path` of Linux's `sockaddr_un`, without its terminating NUL (unix(7)). */
const SOCKET_PATH_LIMIT = 107;

/** What stands at a reference that is at fault; never part of settings that are handed out. */
const NOTHING = Buffer.alloc(0);

/** Where references of a file lead, and what the world is like. */
export interface Surroundings {
  readonly files: FileAccess;
  /** Absolute path of the file that holds the references. */
  readonly file: string;
  /** Wall-clock milliseconds, to judge certificates by. */
  readonly now: number;
}

/** An absolute path; relative ones start at the folder of the file they stand in. */
export function absolutePath(view: View, around: Surroundings): string {
  const { text } = view;
  return text === undefined ? '' : resolve(dirname(around.file), text);
}

export function socketPath(view: View, around: Surroundings): string {
  const path = absolutePath(view, around);
  const length = Buffer.byteLength(path);
  if (length > SOCKET_PATH_LIMIT) {
    view.fault(
      `is too long for a Unix socket: ${length} bytes as an absolute path, at most ${SOCKET_PATH_LIMIT}`,
    );
  }
  return path;
}

/**
 * The secret of a `{ file: PATH }`.
 * @param shortest bytes below which it would be guessable
 */
export function readSecret(view: View, around: Surroundings, shortest: number = 1): Secret {
  const place = view.at('file');
  const content = readPrivate(place, around, SECRET_LIMIT);
  if (content === undefined) return secretOf(NOTHING);
  const secret = secretOf(content);
  const { length } = secret.reveal();
  if (length === 0) place.fault('the file is empty; it must hold the secret');
  else if (length < shortest) {
    place.fault(`the secret in the file is too short: ${length} bytes, at least ${shortest} are needed`);
  }
  return secret;
}

/** A file with a private key. */
export function readPrivateKey(view: View, around: Surroundings): Secret | undefined {
  const content = readPrivate(view, around, PEM_LIMIT);
  return content === undefined ? undefined : secretOf(content);
}

/** A public file: a certificate, an authority, a public key. */
export function readPublic(view: View, around: Surroundings): Buffer | undefined {
  return read(view, around, PEM_LIMIT)?.bytes;
}

function readPrivate(view: View, around: Surroundings, limit: number): Buffer | undefined {
  const content = read(view, around, limit);
  if (content === undefined) return undefined;
  if ((content.mode & 0o077) !== 0) {
    const mode = content.mode.toString(8).padStart(4, '0');
    view.fault(
      `the file's mode is ${mode}: its group or others can get at the secret; allow its owner alone (chmod 600)`,
    );
    return undefined;
  }
  return content.bytes;
}

function read(view: View, around: Surroundings, limit: number): { bytes: Buffer; mode: number } | undefined {
  if (view.text === undefined) return undefined;
  const result = around.files.read(absolutePath(view, around), limit);
  if (result.ok) return result;
  view.fault(describeProblem(result.problem, limit, dirname(around.file)));
  return undefined;
}
