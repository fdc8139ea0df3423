import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { dialectOf, type ServerDescription } from '../dialect.ts';
import { type Account, type AuditNames, sameAccount } from '../names.ts';
import { type Classified, classify } from './assign.ts';
import { type Surroundings, wantedGrants } from './derive.ts';
import { accountDifferences, everybodysDifferences } from './diff.ts';
import { type TellingHistogram, tellingHistograms } from './histograms.ts';
import { readPrivileges } from './live.ts';
import { readGrantObjects } from './objects.ts';
import { completePolicy } from './policy/complete.ts';
import { defaultPolicy } from './policy/parse.ts';
import type { PolicyRole, PrivilegePolicy } from './policy/types.ts';
import { accountText, areaOf, heldBy } from './reach.ts';
import { type ProtectReport, protectReports } from './reports.ts';
import type { AccountPlan, Difference, GrantObjects, LivePrivileges } from './types.ts';

/** What `protect` does, and what it only reports. Frozen; the same server and policy give the same plan. */
export interface ProtectPlan {
  /** Where the policy is from: a file, or `built-in`. */
  readonly policy: string;
  readonly accounts: readonly AccountPlan[];
  /** Revoked from PUBLIC and from users without a name. */
  readonly everybody: readonly Difference[];
  /** MySQL's histograms that show values to an account which may not read the column; they are dropped. */
  readonly histograms: readonly TellingHistogram[];
  /** What a person must know or decide. */
  readonly reports: readonly ProtectReport[];
}

export interface ProtectPlanOptions {
  readonly server: ServerDescription;
  readonly names: AuditNames;
  /** The built-in policy when undefined. */
  readonly policy?: PrivilegePolicy | undefined;
  /** Accounts with the role `emr`, besides those that the policy names. */
  readonly emrAccounts?: readonly Account[];
  /** The integrity checker's account; made when it is missing. */
  readonly checker?: Account | undefined;
}

/** The accounts named by hand must be there, and must not be the one that would lock itself out. */
function refuseAccounts(options: ProtectPlanOptions, live: LivePrivileges, classified: Classified): void {
  for (const account of options.emrAccounts ?? []) {
    if (live.accounts.some((one) => sameAccount(one.account, account) && !one.isRole)) continue;
    throw new ChartgateError('usage', `There is no account "${accountText(account)}" on this server.`);
  }
  const named = [...(options.emrAccounts ?? []), ...(options.checker === undefined ? [] : [options.checker])];
  for (const account of named) {
    if (classified.managed.some((one) => sameAccount(one.account, account))) continue;
    if (classified.missing.some((one) => sameAccount(one.account, account))) continue;
    if (classified.ambiguous.some((one) => sameAccount(one.account, account))) continue;
    throw new ChartgateError(
      'usage',
      `The account ${accountText(account)} cannot be protected: it is the administrator's, the server's or the audit's own, ` +
        'or the policy lists it under administrators or accepted.',
    );
  }
}

function missingChecker(account: Account, role: PolicyRole): Difference {
  return {
    account,
    change: 'create',
    scope: 'global',
    object: [],
    privilege: 'USAGE',
    why: `the role "${role.name}" names it; it is made locked and without a usable password`,
  };
}

/** Pure: the same facts and policy give the same plan. */
export function protectPlan(
  live: LivePrivileges,
  objects: GrantObjects,
  options: ProtectPlanOptions,
): ProtectPlan {
  const { names, server } = options;
  const policy = completePolicy(options.policy ?? defaultPolicy, {
    ...(options.emrAccounts === undefined ? {} : { emrAccounts: options.emrAccounts }),
    checker: options.checker,
  });
  const literally = server.partialRevokes;
  const classified = classify(live, policy, names, literally);
  refuseAccounts(options, live, classified);
  const quoted = dialectOf(server).grantSchema(names.emrSchema);
  const around: Surroundings = {
    server,
    names,
    schemaPattern: quoted.slice(1, -1).replaceAll('``', '`'),
    objects,
    live,
    literally,
  };
  const create = classified.missing.filter(({ role }) => role.guard);
  const accounts = [...create, ...classified.managed].map((assignment): AccountPlan => {
    const { account, role } = assignment;
    const wanted = wantedGrants(assignment, around);
    const held = heldBy(account, live);
    const state = live.accounts.find((one) => sameAccount(one.account, account));
    return {
      account,
      role: role.name,
      wanted,
      differences: [
        ...(state === undefined ? [missingChecker(account, role)] : []),
        ...accountDifferences(account, held, wanted, policy.otherSchemas),
      ],
      restricted: state?.restrictions.some(({ schema }) => schema === names.emrSchema) ?? false,
    };
  });
  accounts.sort((a, b) => (accountText(a.account) < accountText(b.account) ? -1 : 1));
  const everybody = [...classified.everybody, ...classified.anonymous].flatMap((account) =>
    everybodysDifferences(
      heldBy(account, live),
      (holding) => areaOf(holding, names, literally) !== 'other',
      policy.otherSchemas,
    ),
  );
  const histograms = tellingHistograms(objects, accounts, names.emrSchema);
  const reports = protectReports({ live, objects, classified, policy, names, literally, accounts });
  return Object.freeze({ policy: policy.source, accounts, everybody, histograms, reports });
}

/**
 * Reads the server and compares it with the policy. Changes nothing.
 * @throws ChartgateError `usage` when an account of `emrAccounts` does not exist or is the administrator's,
 *   `privilege-missing` when the privileges cannot be read
 */
export async function readProtectPlan(
  connection: Connection,
  options: ProtectPlanOptions,
): Promise<ProtectPlan> {
  const live = await readPrivileges(connection, options.server);
  return protectPlan(
    live,
    await readGrantObjects(connection, options.server, options.names.emrSchema),
    options,
  );
}
