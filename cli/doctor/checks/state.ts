import { ChartgateError } from '../../../contracts/errors.ts';
import type { StateSettings } from '../../../contracts/state.ts';
import { inspectState, type StateFinding, type StateReport } from '../../../identity/state/upkeep.ts';
import { inspectAs } from '../state-look.ts';
import { type Check, NOT_ROOT, type Outcome, outcomes, type Result } from '../types.ts';
import { stateOf } from './reach.ts';

/** What each finding is worth; complete, so that a new one must be judged. */
const WORTH: Readonly<Record<StateFinding['code'], Extract<Result, 'failed' | 'warn'>>> = {
  'migration-needed': 'failed',
  damaged: 'failed',
  'values-without-documents': 'failed',
  // A newer program's, before it was put back: nothing is lost.
  'kinds-unknown': 'warn',
  'not-durable': 'failed',
  'clock-differs': 'failed',
};

/** Every store as its own process would find it. */
export const stateStores: Check = async ({ parts, root }) => {
  const { ok, failed, skipped } = outcomes('state-stores');
  const told: Outcome[] = [];
  for (const { name, loaded, side } of parts) {
    const state = loaded === undefined ? undefined : stateOf(loaded.settings);
    if (loaded === undefined || state === undefined) continue;
    if (state.kind === 'sqlite' && (!root || side.account === undefined)) {
      told.push(skipped(name, NOT_ROOT));
      continue;
    }
    const remedy = `chartgate state check --config ${loaded.settings.file}`;
    let report: StateReport;
    try {
      report = await look(state, side.account);
    } catch (error) {
      if (!(error instanceof ChartgateError)) throw error;
      told.push(failed(name, error.message, remedy));
      continue;
    }
    const { engine, schema, findings, documents } = report;
    told.push(
      ...findings.map(({ code, sentence }) => outcomes('state-stores')[WORTH[code]](name, sentence, remedy)),
    );
    if (findings.length > 0) continue;
    const kept = Object.values(documents).reduce((sum, each) => sum + each, 0);
    const place = state.kind === 'sqlite' ? state.file : state.database;
    told.push(ok(name, `${place}: ${engine}, schema ${schema}, ${kept} documents, no damage`));
  }
  return told;
};

/** A SQLite store is refused to anybody but its owner, root too: the files that come into being would be root's. */
function look(
  state: StateSettings,
  account: Parameters<typeof inspectAs>[0] | undefined,
): Promise<StateReport> {
  if (state.kind === 'sqlite' && account !== undefined)
    return Promise.resolve(inspectAs(account, state.file));
  return inspectState(state);
}
