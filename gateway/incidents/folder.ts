import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ChartgateError } from '../../contracts/errors.ts';
import { type SealedIncident, sealedIn } from './record.ts';

/** `incidents.TIME.RANDOM.sealed`: sorts by when it was begun. Each writer has files of its own. */
const FILE = /^incidents\.([0-9a-z]{9})\.[0-9a-f]{8}\.sealed$/;

export function newFileName(now: number): string {
  return `incidents.${now.toString(36).padStart(9, '0')}.${randomBytes(4).toString('hex')}.sealed`;
}

export interface IncidentFile {
  readonly path: string;
  readonly bytes: number;
  /** When it was last written, wall-clock milliseconds. */
  readonly writtenAt: number;
}

/** The oldest first. @throws ChartgateError `state-unavailable` when the folder cannot be read */
export async function incidentFiles(directory: string): Promise<readonly IncidentFile[]> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch {
    throw new ChartgateError('state-unavailable', `The folder of incidents cannot be read: ${directory}`);
  }
  const files = await Promise.all(
    names
      .filter((name) => FILE.test(name))
      .sort()
      .map(async (name): Promise<IncidentFile | undefined> => {
        const path = join(directory, name);
        try {
          const { size, mtimeMs } = await stat(path);
          return { path, bytes: size, writtenAt: mtimeMs };
        } catch {
          // Another worker has just removed it.
          return undefined;
        }
      }),
  );
  return files.filter((file) => file !== undefined);
}

/** Removes files of which every incident is too old, and the oldest ones of more than are to be kept. */
export async function prune(
  directory: string,
  bounds: {
    readonly keepMs: number;
    readonly maxBytes: number;
    readonly now: number;
    readonly but?: string | undefined;
  },
): Promise<void> {
  const files = await incidentFiles(directory);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of files) {
    const old = file.writtenAt + bounds.keepMs < bounds.now;
    if (!old && bytes <= bounds.maxBytes) continue;
    if (file.path === bounds.but) continue;
    bytes -= file.bytes;
    await unlink(file.path).catch(() => {
      // Another worker was quicker.
    });
  }
}

/** Incidents that are kept, the newest file first, still sealed; those that are too old are none any more. */
export async function* keptIncidents(
  directory: string,
  bounds: { readonly keepMs: number; readonly now: number },
): AsyncGenerator<SealedIncident> {
  for (const { path } of (await incidentFiles(directory)).toReversed()) {
    let content: Buffer;
    try {
      content = await readFile(path);
    } catch {
      continue;
    }
    const found = [...sealedIn(content)].filter(({ time }) => time + bounds.keepMs >= bounds.now);
    yield* found.toReversed();
  }
}
