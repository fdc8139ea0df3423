import type { FileAccess } from '../../config/index.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { emrAround, emrUser } from './checks/around.ts';
import { clock, databaseTls, serverSettings, sqlAttempts, sqlGrants } from './checks/database.ts';
import {
  checkerFilesClosed,
  codeUnwritable,
  fileModes,
  gatewayFilesClosed,
  issuerFilesClosed,
  strangersKeptOut,
} from './checks/files.ts';
import { issuerAnswers } from './checks/issuer.ts';
import { baseline, signingKeyAway } from './checks/keys.ts';
import { databaseSecretKept, sealingKeys } from './checks/secrets.ts';
import { issuerSocket, socket, verdict } from './checks/socket.ts';
import { stateStores } from './checks/state.ts';
import { processesRun, processLimits, usersDiffer } from './checks/users.ts';
import { type Named, subjectOf } from './subject.ts';
import { CHECKS, type Check, type CheckName, type Options, type Outcome, outcomes } from './types.ts';

export type { Named } from './subject.ts';
export { CHECKS, type CheckName, type Options, type Outcome, type Result } from './types.ts';

/** Complete: a check without its function does not compile. `settings` is told by whoever reads them. */
const FUNCTIONS: Readonly<Record<Exclude<CheckName, 'settings'>, Check>> = {
  'processes-run': processesRun,
  'users-differ': usersDiffer,
  'process-limits': processLimits,
  'file-modes': fileModes,
  'checker-files-closed': checkerFilesClosed,
  'gateway-files-closed': gatewayFilesClosed,
  'issuer-files-closed': issuerFilesClosed,
  'strangers-kept-out': strangersKeptOut,
  'code-unwritable': codeUnwritable,
  'database-secret-kept': databaseSecretKept,
  'sealing-keys': sealingKeys,
  'signing-key-away': signingKeyAway,
  'state-stores': stateStores,
  socket,
  verdict,
  'issuer-socket': issuerSocket,
  'issuer-answers': issuerAnswers,
  baseline,
  'sql-grants': sqlGrants,
  'sql-attempts': sqlAttempts,
  'database-tls': databaseTls,
  clock,
  'server-settings': serverSettings,
  'emr-user': emrUser,
  'emr-around': emrAround,
};

/**
 * Makes every check, in order, one after the other. Of the machine it changes nothing.
 * @param loadGateway reads the gateway's settings with the rules of policies
 */
export async function examine(
  named: Named,
  options: Options,
  loadGateway: (file: string, files: FileAccess) => GatewaySettings,
): Promise<readonly Outcome[]> {
  const { subject, outcomes: told } = subjectOf(named, options, loadGateway);
  const all = [...told];
  for (const name of Object.keys(CHECKS) as CheckName[]) {
    if (name === 'settings' || !(options.only?.includes(name) ?? true)) continue;
    try {
      all.push(...(await FUNCTIONS[name](subject)));
    } catch (error) {
      const why =
        error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
      all.push(outcomes(name).failed('', `the check itself failed: ${why}`, 'please report it'));
    }
  }
  return all;
}
