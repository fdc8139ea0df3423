import type { RowDataPacket } from 'mysql2/promise';
import type { Stack, StackTenant } from './stack.ts';

/** A trigger taken away, as somebody with too many rights would; `restore` puts back exactly what was there. */
export interface DroppedTrigger {
  readonly name: string;
  restore(): Promise<void>;
}

/** Drops one audit trigger of a table, as the database's administrator, behind everybody's back. */
export async function dropAuditTrigger(
  stack: Stack,
  tenant: StackTenant,
  table: string,
): Promise<DroppedTrigger> {
  const connection = await stack.mariadb.connect({ database: tenant.schema });
  try {
    const [found] = await connection.query<RowDataPacket[]>(
      'SELECT TRIGGER_NAME name FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME LIMIT 1',
      [tenant.schema, table],
    );
    const name = String(found[0]?.name);
    const [shown] = await connection.query<RowDataPacket[]>('SHOW CREATE TRIGGER ??', [name]);
    const row: Readonly<Record<string, unknown>> = shown[0] ?? {};
    await connection.query('DROP TRIGGER ??', [name]);
    return {
      name,
      restore: () =>
        recreate(stack, tenant, {
          statement: String(row['SQL Original Statement']),
          mode: String(row.sql_mode),
          client: String(row.character_set_client),
          collation: String(row.collation_connection),
        }),
    };
  } finally {
    await connection.end();
  }
}

async function recreate(
  stack: Stack,
  tenant: StackTenant,
  trigger: { statement: string; mode: string; client: string; collation: string },
): Promise<void> {
  const connection = await stack.mariadb.connect({ database: tenant.schema });
  try {
    await connection.query('SET sql_mode = ?, character_set_client = ?, collation_connection = ?', [
      trigger.mode,
      trigger.client,
      trigger.collation,
    ]);
    await connection.query(trigger.statement);
  } finally {
    await connection.end();
  }
}
