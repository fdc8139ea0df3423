import type { Connection, RowDataPacket } from 'mysql2/promise';
import { qualified, TRIGGER_PREFIX } from '../names.ts';
import { orderedModes, type TriggerDefinition, triggerKey } from './definitions.ts';

interface TriggerRow extends RowDataPacket {
  readonly schemaName: string;
  readonly name: string;
  readonly tableName: string;
  readonly timing: string;
  readonly event: string;
  readonly definer: string;
  readonly sqlMode: string;
  readonly characterSet: string;
  readonly collation: string;
  /** NULL on MariaDB for who may see the table but not its triggers. */
  readonly body: string | Buffer | null;
  readonly position: number;
}

/** A trigger that is there, with its place among those of the same table, timing and event. */
export interface LiveTrigger extends TriggerDefinition {
  readonly position: number;
}

interface CreateRow extends RowDataPacket {
  readonly 'SQL Original Statement': string;
}

const NAME = '(?:`(?:[^`]|``)+`|[\\w$]+)';
const HEAD = new RegExp(
  '^CREATE (?:OR REPLACE )?DEFINER=`(?:[^`]|``)*`@`(?:[^`]|``)*`\\s+TRIGGER\\s+' +
    `(?:${NAME}\\.)?${NAME}\\s+(?:BEFORE|AFTER)\\s+(?:INSERT|UPDATE|DELETE)\\s+ON\\s+(?:${NAME}\\.)?${NAME}\\s+` +
    `FOR\\s+EACH\\s+ROW\\s+(?:(?:FOLLOWS|PRECEDES)\\s+${NAME}\\s+)?`,
  'i',
);

/**
 * The body as it was given. The catalogue's is not: MariaDB drops backslashes of escapes there, and MySQL
 * unescapes string literals, so that `'a\', NEW.x, \'b'`, which is one literal, looks like three arguments.
 * Whoever may make a trigger could so make one that looks like ours and records nothing.
 */
async function originalBody(connection: Connection, trigger: LiveTrigger): Promise<string | undefined> {
  let row: CreateRow | undefined;
  try {
    [[row]] = await connection.query<CreateRow[]>(
      `SHOW CREATE TRIGGER ${qualified(trigger.schema, trigger.name)}`,
    );
  } catch (error) {
    // Dropped since the list was read.
    if ((error as { code?: unknown }).code === 'ER_TRG_DOES_NOT_EXIST') return undefined;
    throw error;
  }
  const statement = row?.['SQL Original Statement'] ?? '';
  const head = HEAD.exec(statement);
  return head === null ? statement : statement.slice(head[0].length);
}

/**
 * The triggers of some schemas as the server has them now, by `triggerKey`. Needs TRIGGER on each
 * schema: a user without it sees none, and no error.
 */
export async function readLiveTriggers(
  connection: Connection,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, LiveTrigger>> {
  const triggers = new Map<string, LiveTrigger>();
  // One query a schema: MariaDB opens the folder of a schema only when it is named by a constant.
  for (const schema of schemas) {
    const [rows] = await connection.query<TriggerRow[]>(
      `SELECT TRIGGER_SCHEMA AS schemaName, TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tableName,
              ACTION_TIMING AS timing, EVENT_MANIPULATION AS event, DEFINER AS definer, SQL_MODE AS sqlMode,
              CHARACTER_SET_CLIENT AS characterSet, COLLATION_CONNECTION AS collation,
              ACTION_STATEMENT AS body, ACTION_ORDER AS position
         FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`,
      [schema],
    );
    for (const row of rows) {
      if (row.body === null) continue;
      const trigger: LiveTrigger = {
        schema: row.schemaName,
        name: row.name,
        table: row.tableName,
        timing: row.timing,
        event: row.event,
        definer: row.definer,
        sqlMode: orderedModes(row.sqlMode),
        characterSet: row.characterSet,
        collation: row.collation,
        body: row.body.toString(),
        position: Number(row.position),
      };
      triggers.set(triggerKey(trigger), trigger);
    }
  }
  const own = [...triggers].filter(([, { name }]) => name.startsWith(TRIGGER_PREFIX));
  // All at once: the driver sends them one after the other without waiting in between.
  await Promise.all(
    own.map(async ([key, trigger]) => {
      const body = await originalBody(connection, trigger);
      if (body === undefined) triggers.delete(key);
      else triggers.set(key, { ...trigger, body });
    }),
  );
  return triggers;
}
