import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import { auditNames } from '../../../audit-sql/index.ts';
import { accountSql } from '../../../audit-sql/names.ts';
import { triggerName } from '../../../audit-sql/writers/triggers.ts';
import { guard } from '../../../examples/support/guardian.ts';
import { family } from '../../machine.ts';
import type { Clinic } from '../clinic.ts';
import { SQL_ATTEMPTS } from './sql.ts';

export interface AttemptFound {
  /** With whose credentials. */
  readonly as: 'the checker’s SQL user' | 'the gateway’s OS user';
  readonly name: string;
  readonly refused: boolean;
  /** The error's code, or how else it ended. */
  readonly how: string;
}

/** Everything that the checker's SQL password is tried for. */
export async function trySql(clinic: Clinic): Promise<readonly AttemptFound[]> {
  const { stack, tenant } = clinic;
  const names = auditNames({ emrSchema: tenant.schema });
  const administrator = await stack.mariadb.connect();
  const [connections] = await administrator.query<RowDataPacket[]>('SHOW PROCESSLIST');
  await administrator.end();
  const values: Readonly<Record<string, string>> = {
    emr: tenant.schema,
    audit: tenant.auditSchema,
    otherAudit: stack.tenants.south.auditSchema,
    insert: triggerName('observations', 'insert'),
    guard: accountSql(names.guard),
    definer: accountSql(names.definer),
    checker: accountSql({ user: tenant.checkerUser.user, host: '127.0.0.1' }),
    user: accountSql({ user: tenant.emrUser.user, host: '127.0.0.1' }),
    emrConnection: String(connections.find((row) => row.User === tenant.emrUser.user)?.Id ?? 1),
  };
  const found: AttemptFound[] = [];
  for (const { name, sql, on } of SQL_ATTEMPTS) {
    if (on !== undefined && on !== stack.mariadb.engine) continue;
    const connection = await mysql.createConnection({
      host: '127.0.0.1',
      port: stack.mariadb.port,
      ...tenant.checkerUser,
    });
    try {
      await connection.query(sql.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole));
      found.push({ as: 'the checker’s SQL user', name, refused: false, how: 'done' });
    } catch (error) {
      const code = String((error as { code?: unknown }).code ?? 'refused');
      found.push({ as: 'the checker’s SQL user', name, refused: refusal(code), how: code });
    } finally {
      connection.destroy();
    }
  }
  return found;
}

/** A statement that is wrong in itself would prove nothing. */
function refusal(code: string): boolean {
  return !/PARSE_ERROR|SYNTAX|PROTOCOL|BAD_FIELD/.test(code);
}

/** Everything that is tried as the OS user that the gateway runs as; undefined where it has no user of its own. */
export async function tryOs(clinic: Clinic): Promise<readonly AttemptFound[] | undefined> {
  const { stack } = clinic;
  const { gateway, checker } = stack.isolation;
  if (gateway === undefined || checker === undefined) return undefined;
  const { layout, mariadb } = stack;
  const target = {
    socket: layout.socket,
    checkerFolder: layout.checker,
    checkerFiles: readdirSync(layout.checker, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(layout.checker.length + 1))
      .slice(0, 12),
    checkerUid: checker.uid,
    checkerPids: family(stack.checker.pid).slice(-1),
    checkerUsers: Object.values(stack.tenants).map((tenant) => tenant.checkerUser.user),
    databaseFolder: mariadb.directory,
    databaseSocket: mariadb.socket,
    databasePort: mariadb.port,
    databasePid: mariadb.pid,
    emrFolder: layout.emr,
    logFolder: layout.logs,
    secretFile: join(layout.gateway, 'attestation.secret'),
    emrSchema: clinic.tenant.schema,
  };
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'as-gateway.ts'), JSON.stringify(target)],
    {
      ...gateway,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: '/nonexistent', NODE_NO_WARNINGS: '1' },
    },
  );
  guard(child);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0)
    throw new Error(`the attempts as the gateway's user ended with ${code}: ${errors.slice(-500)}`);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({
      as: 'the gateway’s OS user',
      ...(JSON.parse(line) as { name: string; refused: boolean; how: string }),
    }));
}
