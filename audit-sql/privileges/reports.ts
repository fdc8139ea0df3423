import { type Account, type AuditNames, parseAccount, sameAccount } from '../names.ts';
import type { Classified } from './assign.ts';
import { tablesOf } from './derive.ts';
import { matcher } from './policy/glob.ts';
import type { PrivilegePolicy } from './policy/types.ts';
import { accountText, areaOf, heldBy, reachableBy, reachedFrom } from './reach.ts';
import { accountsText, holdingsText } from './summary.ts';
import type { AccountPlan, DefinedObject, GrantObjects, LivePrivileges } from './types.ts';
import { writeOnlyText } from './write-only.ts';

/** `stop`: protect refuses to write anything; `difference`: the server is not as the policy says; `note`: to know. */
export const SEVERITIES = ['stop', 'difference', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const REPORT_CODES = [
  'account-ambiguous',
  'definer-would-fail',
  'not-flushed',
  'mandatory-role',
  'account-unmatched',
  'account-other-host',
  'account-elsewhere',
  'account-missing',
  'account-anonymous',
  'administrator',
  'accepted',
  'public-elsewhere',
  'runs-with-other-rights',
  'pattern-without-match',
  'write-only',
] as const;
export type ReportCode = (typeof REPORT_CODES)[number];

/** What `protect` cannot or must not do by itself. */
export interface ProtectReport {
  readonly severity: Severity;
  readonly code: ReportCode;
  /** The account or thing it is about. */
  readonly object: string;
  /** What is the matter, and what to do. */
  readonly sentence: string;
}

export interface Facts {
  readonly live: LivePrivileges;
  readonly objects: GrantObjects;
  readonly classified: Classified;
  readonly policy: PrivilegePolicy;
  readonly names: AuditNames;
  readonly literally: boolean;
  readonly accounts: readonly AccountPlan[];
}

type Report = (severity: Severity, code: ReportCode, object: string, sentence: string) => void;

/** Accounts that the policy does not decide. */
function accountReports(facts: Facts, report: Report): void {
  const { classified, live, names, literally } = facts;
  for (const { account, roles } of classified.ambiguous) {
    report(
      'stop',
      'account-ambiguous',
      accountText(account),
      `Two roles match: ${roles.join(', ')}. Rename the user, or change the policy.`,
    );
  }
  for (const { account, role } of classified.elsewhere) {
    report(
      'difference',
      'account-elsewhere',
      accountText(account),
      `The hook of the role "${role.name}" matches, but it holds ${holdingsText(heldBy(account, live))} and nothing here: ` +
        'it may belong to another EMR. If it belongs to this one, name it under "accounts"; if not, under "accepted".',
    );
  }
  for (const account of classified.unmatched) {
    const holdings = reachableBy(account, live);
    const locked = live.accounts.some((one) => one.locked && sameAccount(one.account, account));
    const touches = holdings.some((h) => !['other', 'test'].includes(areaOf(h, names, literally)));
    // A locked account, as MySQL's roles are, does nothing by itself; whoever holds it as a role is reported.
    const matters = touches && !locked;
    const twin = [...classified.managed].find((one) => one.account.user === account.user)?.account;
    const near = facts.policy.roles
      .flatMap((role) => role.prefixes)
      .find((prefix) => account.user.toLowerCase().startsWith(prefix.toLowerCase()));
    if (twin !== undefined) {
      report(
        locked ? 'note' : 'difference',
        'account-other-host',
        accountText(account),
        `Another account of the same user as ${accountText(twin)}: the server takes the one whose host fits the client best. ` +
          `It holds ${holdingsText(holdings)}. Name it in the policy too, or drop it.`,
      );
    } else {
      report(
        matters ? 'difference' : 'note',
        'account-unmatched',
        accountText(account),
        `No role's hook matches it, so it was left as it is; it holds ${holdingsText(holdings)}.` +
          (locked ? ' Nobody can log in as it: it is locked.' : '') +
          (near === undefined
            ? ''
            : ` Its name differs from the prefix "${near}" in upper and lower case only.`) +
          (matters ? ' Give it a role, or name it under "administrators" or "accepted".' : ''),
      );
    }
  }
  for (const account of classified.anonymous) {
    report(
      'note',
      'account-anonymous',
      accountText(account),
      `An account without a name lets anybody in, and is taken before user@% for clients of its host. Drop it: DROP USER ''@'${account.host}';`,
    );
  }
  for (const { account, role } of classified.missing.filter((one) => !one.role.guard)) {
    report(
      'note',
      'account-missing',
      accountText(account),
      `The role "${role.name}" names it, but it is not on this server.`,
    );
  }
  for (const [code, list] of [
    ['administrator', classified.administrators],
    ['accepted', classified.accepted],
  ] as const) {
    for (const account of list) {
      report(
        'note',
        code,
        accountText(account),
        `Left as it is; it holds ${holdingsText(reachableBy(account, live))}.`,
      );
    }
  }
}

/** Rights that no row about an account shows. */
function serverReports(facts: Facts, report: Report): void {
  const { live, classified, names, literally, policy } = facts;
  for (const difference of live.unflushed) {
    report(
      'difference',
      'not-flushed',
      difference,
      'Somebody wrote to the tables of privileges by hand; run FLUSH PRIVILEGES, look again, and find out who.',
    );
  }
  for (const role of live.mandatoryRoles) {
    const holdings = reachedFrom(role, live).flatMap((one) => heldBy(one, live));
    report(
      'difference',
      'mandatory-role',
      accountText(role),
      `Every account has this role by the setting mandatory_roles; it holds ${holdingsText(holdings)}. Take it out of that setting.`,
    );
  }
  for (const account of [...classified.everybody, ...classified.anonymous]) {
    const elsewhere = heldBy(account, live).filter(
      (h) => areaOf(h, names, literally) === 'other' && !policy.otherSchemas.includes(h.object[0] ?? ''),
    );
    if (elsewhere.length === 0) continue;
    report(
      'note',
      'public-elsewhere',
      accountText(account),
      `Everybody holds ${holdingsText(elsewhere)}; it is not about this EMR and was left.`,
    );
  }
}

function definerOf(object: DefinedObject): Account | undefined {
  try {
    return parseAccount(object.definer);
  } catch {
    return undefined;
  }
}

/** Things that run with their definer's rights, and so beside what an account's own grants say. */
function definerReports(facts: Facts, report: Report): void {
  const { accounts, objects, names } = facts;
  const schema = names.emrSchema;
  for (const object of objects.definers) {
    const definer = definerOf(object);
    if (definer === undefined || sameAccount(definer, names.definer)) continue;
    const text = `${object.kind} ${object.name}`;
    const plan = accounts.find((one) => sameAccount(one.account, definer));
    const needs = object.kind === 'trigger' ? 'TRIGGER' : object.kind === 'event' ? 'EVENT' : undefined;
    if (
      plan !== undefined &&
      needs !== undefined &&
      !plan.wanted.some((grant) => grant.privilege === needs)
    ) {
      report(
        'stop',
        'definer-would-fail',
        text,
        `It runs as ${accountText(definer)}, which loses ${needs}: the server would refuse to run it, and with it what the EMR does. ` +
          'Make it again with a locked account as its DEFINER that holds what it needs.',
      );
    }
    if (needs !== undefined) continue;
    const users = accounts.filter((one) =>
      one.wanted.some((grant) =>
        object.kind === 'view'
          ? grant.privilege !== 'EXECUTE' &&
            (grant.scope === 'schema' || (grant.object[0] === schema && grant.object[1] === object.name))
          : grant.privilege === 'EXECUTE' &&
            (grant.scope === 'schema' || (grant.object[0] === schema && grant.object[2] === object.name)),
      ),
    );
    const others = users.filter((one) => !sameAccount(one.account, definer));
    if (others.length === 0) continue;
    report(
      'note',
      'runs-with-other-rights',
      text,
      `It runs with the rights of ${accountText(definer)}, and may be used by ${accountsText(others.map((one) => one.account))}.`,
    );
  }
}

/** Patterns that take nothing: a misspelt one would silently grant nothing. */
function patternReports(facts: Facts, report: Report): void {
  const { policy, accounts, objects } = facts;
  for (const role of policy.roles) {
    // A preset that nobody has says nothing about this schema.
    if (!accounts.some((one) => one.role === role.name)) continue;
    const taken = (patterns: readonly string[], names: readonly string[], what: string): void => {
      for (const pattern of patterns.filter((p) => !p.startsWith('!'))) {
        if (names.some(matcher({ patterns: [pattern] }, { ignoreCase: what.endsWith('column') }))) continue;
        report(
          'note',
          'pattern-without-match',
          `role "${role.name}"`,
          `The pattern "${pattern}" takes no ${what}.`,
        );
      }
    };
    for (const rule of role.tables) {
      const of = (kind: 'table' | 'view'): string[] =>
        objects.tables.filter((one) => one.kind === kind).map((one) => one.name);
      taken(rule.tables?.patterns ?? [], of('table'), 'table');
      taken(rule.views?.patterns ?? [], of('view'), 'view');
      const columns = tablesOf(rule, objects).flatMap((one) => one.columns);
      if (columns.length === 0) continue;
      for (const choice of Object.values(rule.columns)) {
        if (choice !== 'all') taken(choice.patterns, columns, 'column');
      }
    }
    if (typeof role.execute === 'object') {
      taken(
        role.execute.patterns,
        objects.routines.map((one) => one.name),
        'routine',
      );
    }
  }
}

/** Everything that a person must know or decide, the gravest first. */
export function protectReports(facts: Facts): ProtectReport[] {
  const reports: ProtectReport[] = [];
  const seen = new Set<string>();
  const report: Report = (severity, code, object, sentence) => {
    const key = JSON.stringify([code, object, sentence]);
    if (seen.has(key)) return;
    seen.add(key);
    reports.push(Object.freeze({ severity, code, object, sentence }));
  };
  accountReports(facts, report);
  serverReports(facts, report);
  definerReports(facts, report);
  patternReports(facts, report);
  for (const plan of facts.accounts) {
    const text = writeOnlyText(plan, facts.objects, facts.names.emrSchema);
    if (text !== undefined) report('note', 'write-only', accountText(plan.account), text);
  }
  return reports
    .map((one, index) => [one, index] as const)
    .sort(([a, i], [b, j]) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || i - j)
    .map(([one]) => one);
}
