import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type FileAccess, type FileProblem, realFiles } from './files.ts';
import { type PolicyReference, REFERENCE_LIMIT, referencesIn } from './payload.ts';
import { readTenantFolder, type TenantFolder } from './tenant-files.ts';
import { readYaml, YAML_LIMIT } from './yaml-text.ts';

/** A YAML file's content, or why there is none. */
export interface SourceFile {
  /** Absolute. */
  readonly file: string;
  /** As a person named it, for messages. */
  readonly shown: string;
  readonly content: Uint8Array | FileProblem;
  /** Of a policy: the files that it names. */
  readonly references?: readonly PolicyReference[];
}

/**
 * Everything of a gateway's configuration that a reload must not see in two versions: plain data that
 * can be sent to another process or thread. Secrets, keys and certificates are not in it; each process
 * reads those itself.
 */
export interface Sources {
  readonly gateway: SourceFile;
  /** By the name under `policies`. */
  readonly policies: readonly { readonly name: string; readonly source: SourceFile }[];
  /** Files of `tenantsFolder`; undefined where the settings name no folder. */
  readonly tenants?: TenantFolder | undefined;
}

/** Reads one YAML file. Never throws: what went wrong is part of the source and reported by who uses it. */
export function readSource(
  shown: string,
  files: FileAccess = realFiles,
  file: string = resolve(shown),
): SourceFile {
  const result = files.read(file, YAML_LIMIT);
  return { file, shown, content: result.ok ? new Uint8Array(result.bytes) : result.problem };
}

/** Reads a policy file and the files that it names. Never throws, see `readSource`. */
export function readPolicySource(
  shown: string,
  files: FileAccess = realFiles,
  file: string = resolve(shown),
): SourceFile {
  const source = readSource(shown, files, file);
  if (typeof source.content === 'string') return source;
  const references = referencesIn(readYaml(source.content).text?.data).map((name): PolicyReference => {
    const result = files.read(resolve(dirname(file), name), REFERENCE_LIMIT);
    return { name, content: result.ok ? new Uint8Array(result.bytes) : result.problem };
  });
  return references.length === 0 ? source : { ...source, references };
}

/**
 * Reads `gateway.yaml`, the policy files it names, the files those name, and the files of tenants. Never throws, see
 * `readSource`.
 * @param before of which tenants are kept whose files hold the same
 */
export function readGatewaySources(shown: string, files: FileAccess = realFiles, before?: Sources): Sources {
  const gateway = readSource(shown, files);
  const data: unknown =
    typeof gateway.content === 'string' ? undefined : readYaml(gateway.content).text?.data;
  const policies = referencesOf(data).map(([name, reference]) => {
    const beside = isAbsolute(reference) ? reference : join(dirname(shown), reference);
    return { name, source: readPolicySource(beside, files, resolve(dirname(gateway.file), reference)) };
  });
  const folder = folderOf(data);
  if (folder === undefined) return { gateway, policies };
  return { gateway, policies, tenants: readTenantFolder(folder, gateway, files, before?.tenants) };
}

function folderOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('tenantsFolder' in data)) return undefined;
  const { tenantsFolder } = data;
  return typeof tenantsFolder === 'string' && tenantsFolder !== '' ? tenantsFolder : undefined;
}

/** The entries of `policies` that look like ones; the others have a fault when the settings are made. */
function referencesOf(data: unknown): readonly (readonly [string, string])[] {
  if (typeof data !== 'object' || data === null || !('policies' in data)) return [];
  const { policies } = data;
  if (typeof policies !== 'object' || policies === null || Array.isArray(policies)) return [];
  return Object.entries(policies).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
  );
}
