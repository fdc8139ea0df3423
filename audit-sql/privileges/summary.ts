import type { Account } from '../names.ts';
import type { TellingHistogram } from './histograms.ts';
import { accountText, objectText } from './reach.ts';
import type { Difference, Holding } from './types.ts';

type Named = Pick<Holding, 'scope' | 'object' | 'privilege'>;

/** `SELECT, INSERT on emr.patient`, one entry per thing, in the order given. */
export function grantLines(grants: readonly Named[]): string[] {
  const byObject = new Map<string, string[]>();
  for (const grant of grants) {
    const on =
      grant.scope === 'role' || grant.scope === 'proxy'
        ? `${grant.scope} ${objectText(grant)}`
        : objectText(grant);
    const list = byObject.get(on);
    if (list === undefined) byObject.set(on, [grant.privilege]);
    else list.push(grant.privilege);
  }
  return [...byObject].map(([on, privileges]) => `${privileges.join(', ')} on ${on}`);
}

/** The same with things that have the same privileges together: `SELECT on emr.a, emr.b`. */
export function groupedGrantLines(grants: readonly Named[]): string[] {
  const byPrivileges = new Map<string, string[]>();
  for (const line of grantLines(grants)) {
    const at = line.indexOf(' on ');
    const privileges = line.slice(0, at);
    const on = line.slice(at + 4);
    const list = byPrivileges.get(privileges);
    if (list === undefined) byPrivileges.set(privileges, [on]);
    else list.push(on);
  }
  return [...byPrivileges].map(([privileges, on]) => `${privileges} on ${on.join(', ')}`);
}

/** What an account holds, short enough for one sentence. */
export function holdingsText(holdings: readonly Named[], most = 8): string {
  const lines = grantLines(holdings).map((line) => {
    const at = line.indexOf(' on ');
    const privileges = line.slice(0, at).split(', ');
    if (privileges.length <= most) return line;
    return `${privileges.slice(0, most).join(', ')} and ${privileges.length - most} more${line.slice(at)}`;
  });
  if (lines.length === 0) return 'nothing';
  return lines.length <= most
    ? lines.join('; ')
    : `${lines.slice(0, most).join('; ')}; and on ${lines.length - most} more`;
}

/** One sentence about one difference. */
export function differenceText(difference: Difference): string {
  const who = accountText(difference.account);
  const { scope, privilege, change, why } = difference;
  if (change === 'create') return `The account ${who} is missing: ${why}.`;
  const what =
    scope === 'role'
      ? privilege === 'DEFAULT'
        ? `the default role ${objectText(difference)}`
        : `the role ${objectText(difference)}`
      : scope === 'proxy'
        ? `PROXY for ${objectText(difference)}`
        : `${privilege} on ${objectText(difference)}`;
  return change === 'grant' ? `${who} lacks ${what} (${why}).` : `${who} has ${what}: ${why}.`;
}

/** One sentence about one histogram. */
export function histogramText({ table, column, accounts }: TellingHistogram): string {
  return `The histogram on ${table} (${column}) shows values of it to ${accountsText(accounts)}, who may not read it.`;
}

/** Accounts as a list for a sentence. */
export function accountsText(accounts: readonly Account[]): string {
  return accounts.map(accountText).join(', ');
}
