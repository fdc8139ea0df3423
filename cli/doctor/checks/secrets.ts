import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { Secret } from '../../../contracts/secret.ts';
import { type Check, type Loaded, type Outcome, outcomes, type Part } from '../types.ts';
import { type Settings, stateOf } from './reach.ts';

/** Files of a folder, not those below folders in it, of a size that settings have. */
export function smallFiles(folder: string): readonly (readonly [path: string, bytes: Buffer])[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(folder, entry.name))
      .filter((path) => statSync(path).size <= 262_144)
      .map((path) => [path, readFileSync(path)] as const);
  } catch {
    return [];
  }
}

export function foldersOf(loaded: Loaded<unknown> | undefined): readonly string[] {
  return loaded === undefined ? [] : [...new Set(loaded.files.map((file) => dirname(file)))];
}

/** The folders of gateway and issuer hold no copy of a password that is the checker's. */
export const databaseSecretKept: Check = ({ checker, parts }) => {
  const { ok, failed, skipped } = outcomes('database-secret-kept');
  const others = parts.filter(({ name, loaded }) => name !== 'checker' && loaded !== undefined);
  if (checker === undefined || others.length === 0) return [skipped('', 'it takes both settings files')];
  const passwords = checker.settings.databases.map(({ id, password }) => [id, password.reveal()] as const);
  const folders = new Set(others.flatMap(({ loaded }) => foldersOf(loaded)));
  const found = [...folders]
    .flatMap(smallFiles)
    .flatMap(([path, bytes]) =>
      passwords
        .filter(([, password]) => password.length > 0 && bytes.includes(password))
        .map(([id]) =>
          failed(
            path,
            `it holds the checker's password for database ${id}`,
            `remove it from ${path}, and change the password`,
          ),
        ),
    );
  const whose = others.map(({ name }) => `the ${name}'s`).join(' or ');
  return found.length > 0 ? found : [ok('', `no file in ${whose} folders holds a password of the checker's`)];
};

/** A secret that guards a store, with the process that it belongs to. */
interface Guard {
  readonly part: Part['name'];
  readonly what: string;
  readonly secret: Secret;
}

function guardsOf({ name, loaded }: Part): readonly Guard[] {
  if (loaded === undefined || name === 'checker') return [];
  const { settings } = loaded;
  const password = settings.state?.kind === 'mysql' ? [settings.state.password] : [];
  return [
    ...(settings.stateKeys ?? []).map((secret) => ({ part: name, what: 'sealing key', secret })),
    ...password.map((secret) => ({ part: name, what: 'password for its state', secret })),
    ...('incidents' in settings ? (settings.incidents?.keys ?? []) : []).map((secret) => ({
      part: name,
      what: 'key of incidents',
      secret,
    })),
  ];
}

/**
 * A key beside its store goes into the same backup, and then the backup alone is enough to sign in with. And what
 * seals one process's store must be known to no other.
 */
export const sealingKeys: Check = ({ parts }) => {
  const { ok, failed } = outcomes('sealing-keys');
  const guards = parts.flatMap(guardsOf);
  if (guards.length === 0) return [];
  const found: Outcome[] = [];
  for (const part of parts) {
    if (part.loaded === undefined) continue;
    const own = guards.filter((guard) => guard.part === part.name);
    const others = guards.filter((guard) => guard.part !== part.name);
    for (const [path, bytes] of filesAround(part.loaded)) {
      for (const { part: owner, what, secret } of others) {
        if (!bytes.includes(secret.reveal())) continue;
        found.push(
          failed(
            path,
            `the ${part.name} holds the ${owner}'s ${what}`,
            `make a new one for the ${owner} (chartgate state reseal), and remove this one`,
          ),
        );
      }
      const kept = placeOfState(part.loaded.settings);
      if (kept === undefined || !path.startsWith(`${kept}${sep}`)) continue;
      if (!own.some(({ secret }) => bytes.includes(secret.reveal()))) continue;
      found.push(
        failed(
          path,
          'it is the sealing key, in the folder of what it seals: one copy of that folder holds both',
          `move it out of ${kept}, to the settings`,
        ),
      );
    }
  }
  return found.length > 0 ? found : [ok('', 'none lies beside its store or with another process')];
};

function placeOfState(settings: Settings): string | undefined {
  const state = stateOf(settings);
  return state?.kind === 'sqlite' ? dirname(state.file) : undefined;
}

/** Every file that a process reads, what lies beside those, and beside its store. */
function filesAround(loaded: Loaded<Settings>): ReadonlyMap<string, Buffer> {
  const kept = placeOfState(loaded.settings);
  const folders = new Set([...foldersOf(loaded), ...(kept === undefined ? [] : [kept])]);
  return new Map([...folders].flatMap(smallFiles));
}
