import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, parseDocument } from 'yaml';
import { tenantText, withChange } from '../../../config/index.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { TenantId } from '../../../contracts/identifiers.ts';
import { readSettings } from '../../../gateway/process/runtime.ts';
import {
  fileOf,
  type Opened,
  opened,
  ownFile,
  putAway,
  putBack,
  putFile,
  tenantId,
  tenantIn,
} from './place.ts';
import { askGateway, failUnlessReached, haveTaken, type Taken } from './running.ts';

export interface ChangeOptions {
  readonly config: string;
  readonly json?: true;
}

/** Whoever asks for it is told that it is closed, or no longer. */
export async function runPause(named: string, paused: boolean, options: ChangeOptions): Promise<void> {
  const id = tenantId(named);
  const from = opened(options.config);
  const file = ownFile(from, id);
  const before = readFileSync(file);
  if ((tenantIn(from, id).paused === true) === paused) {
    // The file says so; whether the running gateway knows is another question.
    const known = await haveTaken(from.settings.activityLog.directory, [id]);
    if (known.refused) throw refused(known);
    failUnlessReached(known);
    print(
      options,
      { tenant: id, paused, changed: false, ...told(known) },
      `The file says already that ${id} is ${paused ? 'paused' : 'served'}; ${known.sentence}.`,
    );
    return;
  }
  const content = new Uint8Array(Buffer.from(withPaused(before.toString('utf8'), paused)));
  const changed = [tenantText(content, file, file)];
  readSettings({ ...from.sources, tenants: withChange(from.folder, { changed, gone: [] }) }, from.settings);
  putFile(from.folder, id, content, true);
  const taken = await haveTaken(from.settings.activityLog.directory, [id]);
  if (taken.refused) {
    putFile(from.folder, id, before, true);
    throw refused(taken);
  }
  failUnlessReached(taken);
  const what = paused ? 'paused: whoever asks for it gets a 503 that says so' : 'served again';
  const sentence = taken.unreached
    ? `The file says now that ${id} is ${paused ? 'paused' : 'served'}, but ${taken.sentence}.`
    : `${id} is ${what}; ${taken.sentence}.`;
  print(options, { tenant: id, paused, changed: true, ...told(taken) }, sentence);
}

/** The text with one line more or less; everything else stays as somebody wrote it. */
function withPaused(text: string, paused: boolean): string {
  const { contents } = parseDocument(text);
  const pair = isMap(contents)
    ? contents.items.find(({ key }) => isScalar(key) && key.value === 'paused')
    : undefined;
  const [from, to] = [rangeOf(pair?.key)?.[0], rangeOf(pair?.value)?.[2]];
  const without = from === undefined || to === undefined ? text : text.slice(0, from) + text.slice(to);
  return paused ? `${without}${without.endsWith('\n') ? '' : '\n'}paused: true\n` : without;
}

function rangeOf(node: unknown): readonly number[] | undefined {
  return isNode(node) ? (node.range ?? undefined) : undefined;
}

/** No longer a tenant; its file is kept under another name. */
export async function runRemove(named: string, options: ChangeOptions): Promise<void> {
  const id = tenantId(named);
  const from = opened(options.config);
  ownFile(from, id);
  // Others may have it as a partner, and a gateway that would not start is no help.
  const gone = [fileOf(from.folder, id)];
  readSettings({ ...from.sources, tenants: withChange(from.folder, { changed: [], gone }) }, from.settings);
  const kept = putAway(from.folder, id);
  const taken = await haveTaken(from.settings.activityLog.directory, [id]);
  if (taken.refused) {
    putBack(from.folder, id, kept);
    throw refused(taken);
  }
  failUnlessReached(taken);
  const left = [
    'take its hosts out of DNS and of the certificate',
    "its database out of the checker's settings, unless others have it",
    'its tunnel (chartgate tunnel revoke)',
  ];
  print(
    options,
    { tenant: id, kept, ...told(taken), todo: left },
    `${taken.unreached ? `The file of ${id} was taken away, but` : `${id} was removed;`} ${taken.sentence}.\nIts file is kept: ${kept}\nStill to do: ${left.join('; ')}.`,
  );
}

/** Files that somebody changed by hand: the running gateway reads those, and nothing else. */
export async function runTake(named: readonly string[], options: ChangeOptions): Promise<void> {
  const ids = named.map(tenantId);
  const from = opened(options.config);
  const directory = from.settings.activityLog.directory;
  await mustBeKnown(from, ids, directory);
  const taken = await haveTaken(directory, ids);
  if (taken.refused) throw refused(taken);
  if (!taken.served) throw new ChartgateError('backend-unavailable', taken.sentence);
  print(options, { tenants: ids, ...told(taken) }, `${taken.sentence}.`);
}

/** A mistyped id would be taken for one whose file is gone, and nothing would be done. */
async function mustBeKnown(from: Opened, ids: readonly TenantId[], directory: string): Promise<void> {
  const unknown = ids.filter((id) => !from.folder.files.has(fileOf(from.folder, id)));
  // One of the main file: that is not read again.
  for (const id of unknown) if (from.settings.tenants.some((each) => each.id === id)) ownFile(from, id);
  if (unknown.length === 0) return;
  const reached = await askGateway(directory, { do: 'status' });
  const answer = reached.state === 'answered' && reached.answer.ok ? reached.answer : undefined;
  if (answer?.do !== 'status') return;
  const served = new Set(answer.tenants.map(({ id }) => id));
  const nobody = unknown.filter((id) => !served.has(id));
  if (nobody.length > 0)
    throw new ChartgateError(
      'usage',
      `There is no file for "${nobody.join('", "')}" in ${from.folder.folder}, and the running gateway serves none of that name.`,
    );
}

function told({ served, sentence, milliseconds }: Taken): object {
  return { served, gateway: sentence, ...(milliseconds === undefined ? {} : { milliseconds }) };
}

function refused({ sentence }: Taken): ChartgateError {
  return new ChartgateError(
    'configuration-invalid',
    `The running gateway refused it, and goes on as before; the files are as they were:\n${sentence}`,
  );
}

function print(options: ChangeOptions, json: object, text: string): void {
  console.log(options.json === true ? JSON.stringify(json) : text);
}
