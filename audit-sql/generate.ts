import { type TriggerDefinition, triggersOf } from './coverage/definitions.ts';
import { dialectOf, type ServerDescription } from './dialect.ts';
import type { SchemaModel } from './model.ts';
import type { Account, AuditNames } from './names.ts';
import type { ProtectPlan } from './privileges/index.ts';
import { guardScript } from './writers/guard.ts';
import { protectScript } from './writers/protect.ts';
import type { Script } from './writers/script.ts';
import { startScript } from './writers/start.ts';
import { stopScript } from './writers/stop.ts';

/** The four scripts of one schema. */
export interface Scripts {
  readonly start: Script;
  readonly stop: Script;
  readonly guard: Script;
  readonly protect: Script;
}

export interface GenerateAuditOptions {
  readonly names: AuditNames;
  readonly server: ServerDescription;
  /** Binary values longer than this many bytes are recorded as length and SHA-256. Default 65,536. */
  readonly maximumBinaryBytes?: number;
  /** Who may call the guard procedures now (`readGuardCallers`); the guard script keeps it so. */
  readonly guardCallers?: readonly Account[];
}

export interface GenerateOptions extends GenerateAuditOptions {
  /** `readProtectPlan`, or `NO_PROTECTION`. */
  readonly protect: ProtectPlan;
}

/** The scripts that no account of the EMR matters to. Pure: the same model and options give the same bytes. */
export function generateAudit(model: SchemaModel, options: GenerateAuditOptions): Omit<Scripts, 'protect'> {
  const { names, server } = options;
  const dialect = dialectOf(server);
  return {
    start: startScript(
      model,
      names,
      dialect,
      options.maximumBinaryBytes === undefined ? {} : { maximumBinaryBytes: options.maximumBinaryBytes },
    ),
    stop: stopScript(model, names, dialect),
    guard: guardScript(names, dialect, server.major, options.guardCallers ?? []),
  };
}

/** All four scripts. Pure: the same model and options give the same bytes. */
export function generate(model: SchemaModel, options: GenerateOptions): Scripts {
  return {
    ...generateAudit(model, options),
    protect: protectScript(options.protect, options.names, dialectOf(options.server)),
  };
}

/** The triggers on the EMR's tables that the start script makes: with all of them live, every table is covered. */
export function wantedTriggers(scripts: Pick<Scripts, 'start'>, names: AuditNames): TriggerDefinition[] {
  return triggersOf(scripts.start.statements).filter(({ schema }) => schema === names.emrSchema);
}
