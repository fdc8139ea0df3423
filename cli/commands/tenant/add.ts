import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tenantText, warningsOf, withChange } from '../../../config/index.ts';
import { ChartgateError, ConfigurationError } from '../../../contracts/errors.ts';
import { readSettings } from '../../../gateway/process/runtime.ts';
import { EXIT } from '../../output.ts';
import { type Finding, lookAt } from './checks.ts';
import { lookAtDatabase, type SqlOptions } from './database.ts';
import { type Draft, type DraftOptions, draftOf } from './draft.ts';
import { fileOf, type Opened, opened, putAway, putFile, tenantIn } from './place.ts';
import { failUnlessReached, haveTaken } from './running.ts';
import { printFindings } from './shown.ts';

export interface AddOptions extends DraftOptions, SqlOptions {
  readonly config: string;
  readonly replace?: true;
  readonly dryRun?: true;
  readonly despiteFailures?: true;
  readonly json?: true;
}

/** Checks everything, writes the tenant's file, has the running gateway take it, says what is left to do. */
export async function runAdd(named: string | undefined, options: AddOptions): Promise<void> {
  const from = opened(options.config);
  const draft = await draftOf(named, options, from.settings);
  const path = fileOf(from.folder, draft.id);
  const former = from.folder.files.get(path);
  if (options.replace !== true && from.settings.tenants.some(({ id }) => id === draft.id))
    throw new ChartgateError('usage', `There is a tenant "${draft.id}" already; see --replace.`);
  const settings = settingsWith(from, draft);
  const tenant = tenantIn({ settings }, draft.id);
  const known = new Set(warningsOf(from.settings).map(({ message }) => message));
  const warnings = warningsOf(settings).filter(
    ({ code, message }) =>
      !known.has(message) && code !== 'certificate-lacks-host' && code !== 'certificate-expires-soon',
  );
  const findings: readonly Finding[] = [
    ...(await lookAt(tenant, settings)),
    ...(wantsDatabase(options) ? await lookAtDatabase(options) : []),
    ...warnings.map(
      ({ code, message }): Finding => ({ mark: 'todo', about: 'settings', sentence: `${message} (${code})` }),
    ),
  ];
  const failed = findings.some(({ mark }) => mark === 'failed');
  const report = { tenant: draft.id, hosts: tenant.hosts, findings };
  if (options.dryRun === true || (failed && options.despiteFailures !== true)) {
    const sentence = failed
      ? 'Nothing was written: see what failed; --despite-failures writes it all the same.'
      : 'Nothing was written, as asked (--dry-run).';
    print(options, { ...report, written: null, served: false }, findings, [sentence]);
    process.exitCode = failed ? EXIT.finding : EXIT.ok;
    return;
  }
  const before = former === undefined ? undefined : readFileSync(path);
  putFile(from.folder, draft.id, draft.content, former !== undefined);
  const taken = await haveTaken(from.settings.activityLog.directory, [draft.id]);
  if (taken.refused) {
    // As it was: a file that the gateway does not take would keep it from starting.
    const kept = putAway(from.folder, draft.id);
    if (before !== undefined) putFile(from.folder, draft.id, before, false);
    throw new ChartgateError(
      'configuration-invalid',
      `The running gateway refused it, and goes on as before; what was written is in ${kept}:\n${taken.sentence}`,
    );
  }
  failUnlessReached(taken);
  const { served, sentence, milliseconds } = taken;
  print(
    options,
    {
      ...report,
      written: path,
      served,
      gateway: sentence,
      ...(milliseconds === undefined ? {} : { milliseconds }),
    },
    findings,
    [`${path} was written; ${sentence}.`],
  );
}

/** @throws ConfigurationError that names the file which was given */
function settingsWith({ sources, settings, folder }: Opened, draft: Draft) {
  const shown = join(folder.shown, `${draft.id}.yaml`);
  const source = tenantText(draft.content, fileOf(folder, draft.id), shown);
  try {
    const tenants = withChange(folder, { changed: [source], gone: [] });
    return readSettings({ ...sources, tenants }, settings);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(
      error.faults.map((fault) => (fault.file === shown ? { ...fault, file: draft.shown } : fault)),
    );
  }
}

function wantsDatabase(options: SqlOptions): boolean {
  return options.sqlSchema !== undefined || options.sqlUser !== undefined;
}

function print(
  options: AddOptions,
  json: object,
  findings: readonly Finding[],
  sentences: readonly string[],
): void {
  if (options.json === true) console.log(JSON.stringify(json));
  else printFindings(findings, sentences);
}
