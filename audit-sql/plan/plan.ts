import type { Connection } from 'mysql2/promise';
import { powerfulAccounts } from '../coverage/accounts.ts';
import { type BlindSpot, blindSpots } from '../coverage/blind-spots.ts';
import { triggersOf } from '../coverage/definitions.ts';
import { readLiveTriggers } from '../coverage/live.ts';
import { readInstatement, snapshotIfThere } from '../coverage/report.ts';
import { dialectOf, type ServerDescription } from '../dialect.ts';
import { type SchemaModel, schemaDigest } from '../model.ts';
import type { AuditNames } from '../names.ts';
import { readPrivileges } from '../privileges/index.ts';
import { GENERATOR } from '../version.ts';
import { changesSince, readLastInstatement, type SchemaChange } from '../writers/schema-changes.ts';
import type { Script } from '../writers/script.ts';
import { MAXIMUM_BINARY_BYTES } from '../writers/triggers.ts';
import { type PlannedTable, planTables, staleTriggers, type TriggerAction } from './tables.ts';

/** Something about the server that matters before anything is applied. */
export interface PlanCheck {
  readonly code: string;
  /** `stop`: apply refuses. */
  readonly severity: 'stop' | 'warn';
  readonly sentence: string;
  readonly remedy: string;
}

/** What `protect` would do to one account. */
export interface PlannedAccount {
  /** `user@host`, fit to be printed. */
  readonly account: string;
  /** The policy's role that the account has; undefined for the checker. */
  readonly role: string | undefined;
  readonly gains: readonly string[];
  readonly loses: readonly string[];
}

/** What a write-only account can still learn. */
export interface PlannedResidue {
  readonly code: string;
  readonly learns: string;
  readonly remedy: string;
}

export interface PlannedAccounts {
  readonly accounts: readonly PlannedAccount[];
  /** Accounts that no role's hook matches, each with a sentence: left as they are, for a person to decide. */
  readonly unmatched: readonly string[];
  readonly warnings: readonly string[];
  /** Empty when no account is write-only. */
  readonly residues: readonly PlannedResidue[];
}

export interface Plan {
  readonly format: 'chartgate-plan/1';
  readonly server: { readonly engine: string; readonly version: string };
  readonly emrSchema: string;
  readonly auditSchema: string;
  readonly generator: string;
  readonly schemaDigest: string;
  /** Undefined when auditing was never started or stopped here. */
  readonly instatement: { readonly action: string; readonly at: string; readonly login: string } | undefined;
  readonly summary: {
    readonly tables: number;
    readonly keyless: number;
    readonly triggers: Readonly<Record<TriggerAction, number>>;
    readonly staleTriggers: number;
    readonly emrTriggers: number;
    readonly tablesWithCascades: number;
    readonly blindSpots: number;
    readonly statements: number;
  };
  readonly checks: readonly PlanCheck[];
  /** What changed since the last start or stop; undefined when there is nothing to compare with. */
  readonly schemaChanges: readonly SchemaChange[] | undefined;
  readonly tables: readonly PlannedTable[];
  readonly staleTriggers: readonly string[];
  readonly blindSpots: readonly BlindSpot[];
  /** Undefined when no policy was asked about. */
  readonly accounts: PlannedAccounts | undefined;
}

/**
 * What `start` and `protect` would do. Reads only.
 * @param options.checks what `preflight` found; @param options.accounts what `protect` would change
 */
export async function readPlan(
  connection: Connection,
  options: {
    readonly names: AuditNames;
    readonly server: ServerDescription;
    readonly model: SchemaModel;
    readonly start: Script;
    readonly checks: readonly PlanCheck[];
    readonly accounts?: PlannedAccounts | undefined;
    readonly maximumBinaryBytes?: number;
  },
): Promise<Plan> {
  const { names, server, model, start } = options;
  const live = await readLiveTriggers(connection, [names.emrSchema]);
  const instatement = await readInstatement(connection, names);
  const snapshot = await snapshotIfThere(connection, names);
  const privileges = await readPrivileges(connection, server);
  const powerful = powerfulAccounts(privileges, names, server.partialRevokes);
  const wanted = triggersOf(start.statements).filter(({ schema }) => schema === names.emrSchema);
  const tables = planTables(model, wanted, live);
  const stale = staleTriggers(model, wanted, live);
  const spots = blindSpots(
    model,
    dialectOf(server),
    snapshot,
    powerful,
    options.maximumBinaryBytes ?? MAXIMUM_BINARY_BYTES,
  );
  const triggers: Record<TriggerAction, number> = { make: 0, replace: 0, keep: 0 };
  for (const { action } of tables.flatMap((table) => table.triggers)) triggers[action] += 1;
  return {
    format: 'chartgate-plan/1',
    server: { engine: server.engine, version: server.version },
    emrSchema: names.emrSchema,
    auditSchema: names.auditSchema,
    generator: GENERATOR,
    schemaDigest: schemaDigest(model),
    instatement:
      instatement === undefined
        ? undefined
        : { action: instatement.action, at: instatement.at, login: instatement.login },
    summary: {
      tables: tables.length,
      keyless: tables.filter(({ key }) => key.length === 0).length,
      triggers,
      staleTriggers: stale.length,
      emrTriggers: tables.reduce((sum, { emrTriggers }) => sum + emrTriggers.length, 0),
      tablesWithCascades: tables.filter(({ cascades }) => cascades.length > 0).length,
      blindSpots: spots.length,
      statements: start.statements.length,
    },
    checks: options.checks,
    schemaChanges: changesSince(await readLastInstatement(connection, names), model),
    tables,
    staleTriggers: stale,
    blindSpots: spots,
    accounts: options.accounts,
  };
}
