import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Fault } from '../contracts/errors.ts';
import { parseTenantId } from '../contracts/identifiers.ts';
import { FaultList, fileFault } from './fault-list.ts';
import { describeProblem, type FileAccess, type FileProblem } from './files.ts';
import type { Origin } from './origins.ts';
import { judgeOf } from './shape/judge.ts';
import { TENANT } from './shape/tenants.ts';
import type { SourceFile } from './sources.ts';
import { View } from './view.ts';
import { readYaml, YAML_LIMIT, type YamlText } from './yaml-text.ts';

/** A file with one tenant. */
export interface TenantSource extends SourceFile {
  /** What it says, judged by its schema and with its defaults; undefined: it has a fault. */
  readonly data?: unknown;
}

/** The files of `tenantsFolder`. Plain data, as all sources. */
export interface TenantFolder {
  /** Absolute. */
  readonly folder: string;
  /** As a person would name it. */
  readonly shown: string;
  /** Why the folder could not be read. */
  readonly problem?: FileProblem | undefined;
  /** By absolute path, in the order of the names. */
  readonly files: ReadonlyMap<string, TenantSource>;
}

/** What tells two folders apart: files that came or changed, and the paths of those that went. */
export interface TenantChange {
  readonly changed: readonly TenantSource[];
  readonly gone: readonly string[];
}

const judgeTenant = judgeOf({ ...TENANT, $id: 'urn:chartgate:schema:tenant' }, true);

/** `riverside.yaml`; other files beside them, such as those being written, are none of ours. */
const SUFFIX = '.yaml';
/** Names that somebody gave a tenant's file by mistake, so that it would silently not be served. */
const MISNAMED = /^[^.].*\.(?:yml|YAML|YML)$/;

/**
 * Reads every tenant's file of a folder. Never throws: what went wrong is part of the source.
 * @param before of which the sources are kept whose files hold the same
 */
export function readTenantFolder(
  named: string,
  gateway: SourceFile,
  files: FileAccess,
  before?: TenantFolder,
): TenantFolder {
  const folder = resolve(dirname(gateway.file), named);
  const shown = isAbsolute(named) ? named : join(dirname(gateway.shown), named);
  const listed = files.list?.(folder) ?? { ok: false, problem: 'unreadable' as const };
  if (!listed.ok) return { folder, shown, problem: listed.problem, files: new Map() };
  const names = listed.names.filter(
    (name) => (name.endsWith(SUFFIX) && !name.startsWith('.')) || MISNAMED.test(name),
  );
  const found = names
    .toSorted()
    .map((name) => readTenantFile(join(folder, name), join(shown, name), files, before))
    .map((source) => [source.file, source] as const);
  return { folder, shown, files: new Map(found) };
}

/** One tenant's file, judged by its schema. Never throws. */
export function readTenantFile(
  file: string,
  shown: string,
  files: FileAccess,
  before?: TenantFolder,
): TenantSource {
  const result = files.read(file, YAML_LIMIT);
  const content = result.ok ? new Uint8Array(result.bytes) : result.problem;
  const old = before?.files.get(file);
  return old !== undefined && same(old.content, content) ? old : judged({ file, shown, content });
}

function same(a: SourceFile['content'], b: SourceFile['content']): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return Buffer.compare(a, b) === 0;
}

/** A tenant's text that stands in no file yet. */
export function tenantText(content: Uint8Array, file: string, shown: string): TenantSource {
  return judged({ file, shown, content });
}

function judged(source: SourceFile): TenantSource {
  const opened = read(source);
  return opened.text !== undefined && opened.list.all.length === 0
    ? { ...source, data: opened.text.data }
    : source;
}

/** Faults of its form, all of them; none for a source that has `data`. */
export function formFaults(source: TenantSource): readonly Fault[] {
  return source.data === undefined ? read(source).list.all : [];
}

/** What further faults are looked for in. The text is read again only when one has to be placed. */
export function viewOf(source: TenantSource): { readonly view: View; readonly list: FaultList } {
  const list = new FaultList(source.shown, originOf(source).text);
  return { view: new View(source.data, list), list };
}

export function originOf(source: TenantSource): Origin {
  let text: YamlText | undefined;
  const position: YamlText['position'] = (steps, key) => {
    text ??= typeof source.content === 'string' ? undefined : readYaml(source.content).text;
    return text?.position(steps, key) ?? { line: 0, column: 0, path: '' };
  };
  return { shown: source.shown, text: { position } };
}

interface Read {
  readonly text: YamlText | undefined;
  readonly list: Pick<FaultList, 'all'>;
}

function read({ shown, file, content }: SourceFile): Read {
  const whole = (message: string): Read => ({ text: undefined, list: { all: [fileFault(shown, message)] } });
  if (typeof content === 'string') return whole(describeProblem(content, YAML_LIMIT));
  const name = basename(file, SUFFIX);
  if (!file.endsWith(SUFFIX) || parseTenantId(name) === undefined)
    return whole(`a tenant's file is named for its id: ID${SUFFIX}`);
  const { text, faults } = readYaml(content);
  if (text === undefined)
    return { text, list: { all: faults.map(({ pointer, ...fault }) => ({ file: shown, ...fault })) } };
  if (text.data === null && faults.length === 0)
    return whole('the file is empty or holds only comments; remove it, or write the tenant');
  const list = new FaultList(shown, text, faults);
  judgeTenant(text.data, list);
  const id = new View(text.data, list).at('id');
  if (id.text !== undefined && id.text !== name) id.fault(`must be the name of its file, "${name}"`);
  return { text, list };
}

/** The files of `now` that are not the very same of `before`. */
export function changeBetween(before: TenantFolder | undefined, now: TenantFolder | undefined): TenantChange {
  const [old, young] = [before?.files ?? NONE, now?.files ?? NONE];
  const changed = [...young.values()].filter((source) => old.get(source.file) !== source);
  const gone = [...old.keys()].filter((file) => !young.has(file));
  return { changed, gone };
}

const NONE: ReadonlyMap<string, TenantSource> = new Map();

/** The folder after a change; what did not change is the same object as before. */
export function withChange(before: TenantFolder, { changed, gone }: TenantChange): TenantFolder {
  const files = new Map(before.files);
  for (const file of gone) files.delete(file);
  for (const source of changed) files.set(source.file, source);
  return { ...before, files };
}
