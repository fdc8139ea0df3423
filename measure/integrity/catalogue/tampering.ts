import type { Connection, RowDataPacket } from 'mysql2/promise';
import { apply, auditNames, describeServer, generateAudit, readModel } from '../../../audit-sql/index.ts';
import {
  type AuditNames,
  accountSql,
  INSTATEMENT_TABLE,
  ident,
  qualified,
  SNAPSHOT_PROCEDURE,
} from '../../../audit-sql/names.ts';
import { triggerName } from '../../../audit-sql/writers/triggers.ts';
import type { Clinic } from '../clinic.ts';

/** Something the server shows with SHOW CREATE, and all that is needed to make it again in every field. */
interface Made {
  readonly schema: string;
  readonly name: string;
  readonly statement: string;
  readonly mode: string;
  readonly client: string;
  readonly collation: string;
}

/** The administrator who tampers, and who can put back exactly what was there. */
export class Tampering {
  readonly #clinic: Clinic;
  readonly #names: AuditNames;
  readonly #checker: string;
  #admin: Connection;
  #triggers: readonly Made[] = [];
  #guard: Made | undefined;
  #guardMadeAt = 0;

  private constructor(clinic: Clinic, admin: Connection) {
    this.#clinic = clinic;
    this.#admin = admin;
    this.#names = auditNames({ emrSchema: clinic.tenant.schema });
    this.#checker = accountSql({ user: clinic.tenant.checkerUser.user, host: '127.0.0.1' });
  }

  /** Looks at what is there now, while nothing was tampered with yet. */
  static async start(clinic: Clinic): Promise<Tampering> {
    const tampering = new Tampering(clinic, await clinic.stack.mariadb.connect());
    // The EMR's tables have zero dates.
    await tampering.#admin.query("SET SESSION sql_mode = ''");
    tampering.#triggers = await tampering.#showTriggers();
    tampering.#guard = await tampering.#showGuard();
    const [[made]] = await tampering.#admin.query<RowDataPacket[]>(
      'SELECT UNIX_TIMESTAMP(CREATED) at FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? AND ROUTINE_NAME = ?',
      [tampering.#names.auditSchema, SNAPSHOT_PROCEDURE],
    );
    tampering.#guardMadeAt = Number(made?.at);
    return tampering;
  }

  async close(): Promise<void> {
    await this.#admin.end().catch(() => {});
  }

  /** Does what a tamper's `apply` or `undo` says, one after the other. */
  async run(steps: readonly string[]): Promise<void> {
    for (const step of steps) {
      const [word = '', first = '', ...rest] = step.split(' ');
      if (word === '@triggers') await this.#restoreTriggers();
      else if (word === '@remake') await this.#remake(first, rest.join(' '));
      else if (word === '@drop')
        await this.#admin.query(`DROP TRIGGER ${this.#trigger(rest[0] ?? '', first)}`);
      else if (word === '@guard') await this.#guards(first);
      else if (word === '@script') await this.#script(first === 'start' ? 'start' : 'stop');
      else if (word === '@record') await this.#record(first);
      else if (word === '@restart') await this.#restart(step.slice('@restart '.length));
      else await this.#admin.query(this.#fill(step));
    }
  }

  #fill(sql: string): string {
    const { emrSchema, auditSchema, definer, guard } = this.#names;
    const values: Readonly<Record<string, string>> = {
      emr: emrSchema,
      audit: auditSchema,
      // In a grant on a whole schema `_` is a wildcard unless escaped.
      pattern: ident(emrSchema.replaceAll('_', '\\_')),
      definer: accountSql(definer),
      guard: accountSql(guard),
      checker: this.#checker,
      user: accountSql({ user: this.#clinic.tenant.emrUser.user, host: '127.0.0.1' }),
      username: this.#clinic.tenant.emrUser.user,
      insert: triggerName('observations', 'insert'),
      update: triggerName('observations', 'update'),
      delete: triggerName('observations', 'delete'),
    };
    return sql.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  }

  /** The qualified name of one of our triggers: its table and what its name begins with. */
  #trigger(table: string, kind: string): string {
    const found = this.#triggers.find(
      ({ name, statement }) => name.startsWith(`chartgate_${kind}_`) && statement.includes(`\`${table}\``),
    );
    if (found === undefined) throw new Error(`there is no trigger ${kind} of ${table}`);
    return qualified(found.schema, found.name);
  }

  async #showTriggers(): Promise<Made[]> {
    const [rows] = await this.#admin.query<RowDataPacket[]>(
      `SELECT TRIGGER_SCHEMA s, TRIGGER_NAME n FROM information_schema.TRIGGERS
        WHERE TRIGGER_SCHEMA IN (?, ?)
        ORDER BY TRIGGER_SCHEMA, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`,
      [this.#names.emrSchema, this.#names.auditSchema],
    );
    const made: Made[] = [];
    for (const { s, n } of rows) {
      const [[shown]] = await this.#admin.query<RowDataPacket[]>(
        `SHOW CREATE TRIGGER ${qualified(String(s), String(n))}`,
      );
      made.push(describe(String(s), String(n), shown, 'SQL Original Statement'));
    }
    return made;
  }

  async #showGuard(): Promise<Made> {
    const [[shown]] = await this.#admin.query<RowDataPacket[]>(
      `SHOW CREATE PROCEDURE ${qualified(this.#names.auditSchema, SNAPSHOT_PROCEDURE)}`,
    );
    return describe(this.#names.auditSchema, SNAPSHOT_PROCEDURE, shown, 'Create Procedure');
  }

  /** Every trigger as it was at the start, and no other. */
  async #restoreTriggers(): Promise<void> {
    const now = await this.#showTriggers();
    const same = (one: Made, other: Made): boolean =>
      one.schema === other.schema &&
      one.name === other.name &&
      one.statement === other.statement &&
      one.mode === other.mode &&
      one.client === other.client &&
      one.collation === other.collation;
    for (const trigger of now) {
      if (!this.#triggers.some((wanted) => same(wanted, trigger)))
        await this.#admin.query(`DROP TRIGGER ${qualified(trigger.schema, trigger.name)}`);
    }
    for (const wanted of this.#triggers) {
      if (!now.some((trigger) => same(wanted, trigger))) await this.#make(wanted);
    }
  }

  async #make(made: Made, statement = made.statement): Promise<void> {
    await this.#admin.query(`USE ${ident(made.schema)}`);
    await this.#admin.query('SET sql_mode = ?, character_set_client = ?, collation_connection = ?', [
      made.mode,
      made.client,
      made.collation,
    ]);
    await this.#admin.query(statement);
    await this.#admin.query("SET NAMES utf8mb4, sql_mode = ''");
  }

  /** One of the triggers of `observations` made again with one thing different. */
  async #remake(kind: string, change: string): Promise<void> {
    const name = triggerName('observations', kind as 'insert' | 'update' | 'delete');
    const trigger = this.#triggers.find((each) => each.name === name);
    if (trigger === undefined) throw new Error(`there is no trigger ${name}`);
    const [, from, to = ''] = /^s\/(.*)\/(.*)\/$/.exec(change) ?? [];
    const statement =
      change === 'definer'
        ? trigger.statement.replace(/DEFINER=\S+/, "DEFINER='root'@'localhost'")
        : trigger.statement.replace(from ?? '', to);
    if (statement === trigger.statement && (from !== undefined || change === 'definer'))
      throw new Error(`the trigger ${name} has no ${change}`);
    await this.#admin.query(`DROP TRIGGER ${qualified(trigger.schema, name)}`);
    await this.#make(
      {
        ...trigger,
        ...(change === 'mode' ? { mode: 'ANSI_QUOTES' } : {}),
        ...(change === 'collation' ? { collation: 'utf8mb4_general_ci' } : {}),
      },
      statement,
    );
  }

  async #guards(what: string): Promise<void> {
    const guard = this.#guard;
    if (guard === undefined) throw new Error('the guard procedure was never seen');
    const name = qualified(guard.schema, guard.name);
    const guardAccount = accountSql(this.#names.guard);
    if (what === 'replay') {
      await this.#admin.query('CREATE SCHEMA otherdb');
      await this.#admin.query(
        'CREATE TABLE otherdb.saved AS SELECT * FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN (?, ?)',
        [this.#names.emrSchema, this.#names.auditSchema],
      );
      await this.#admin.query(`GRANT SELECT ON otherdb.saved TO ${guardAccount}`);
    }
    await this.#admin.query(`DROP PROCEDURE IF EXISTS ${name}`);
    if (what === 'drop') return;
    // The catalogue counts seconds by the session's clock, which the session may set.
    await this.#admin.query(`SET timestamp = ${this.#guardMadeAt}`);
    await this.#make(
      guard,
      what === 'replay'
        ? guard.statement.replaceAll(/information_schema\.TRIGGERS/gi, 'otherdb.saved')
        : guard.statement,
    );
    await this.#admin.query('SET timestamp = DEFAULT');
    for (const account of [guardAccount, this.#checker])
      await this.#admin.query(`GRANT EXECUTE ON PROCEDURE ${name} TO ${account}`);
    if (what === 'replay') {
      await this.#admin.query(this.#fill('DROP TRIGGER {emr}.{insert}'));
      return;
    }
    await this.#restoreTriggers();
    const [saved] = await this.#admin.query<RowDataPacket[]>("SHOW DATABASES LIKE 'otherdb'");
    if (saved.length > 0) {
      await this.#admin.query(`REVOKE SELECT ON otherdb.saved FROM ${guardAccount}`);
      await this.#admin.query('DROP SCHEMA otherdb');
    }
  }

  async #script(which: 'start' | 'stop'): Promise<void> {
    const server = await describeServer(this.#admin);
    const model = await readModel(this.#admin, this.#names.emrSchema);
    await apply(this.#admin, generateAudit(model, { names: this.#names, server })[which]);
    if (which === 'start') await this.#restoreTriggers();
  }

  /** A line in the record of start and stop that no script wrote. */
  async #record(action: string): Promise<void> {
    const log = qualified(this.#names.auditSchema, INSTATEMENT_TABLE);
    const [[row]] = await this.#admin.query<RowDataPacket[]>(`SELECT * FROM ${log} ORDER BY id DESC LIMIT 1`);
    const columns = Object.keys(row ?? {}).filter((column) => column !== 'id');
    const values = columns.map((column) =>
      column === 'action' ? this.#admin.escape(action) : ident(column),
    );
    await this.#admin.query(
      `INSERT INTO ${log} (${columns.map(ident).join(', ')}) SELECT ${values.join(', ')} FROM ${log} ORDER BY id DESC LIMIT 1`,
    );
  }

  async #restart(option: string): Promise<void> {
    const server = this.#clinic.stack.mariadb;
    await this.#admin.end().catch(() => {});
    await server.stop();
    await server.restart(option.startsWith('--') ? [...this.#clinic.serverOptions, option] : undefined);
    this.#admin = await server.connect();
    await this.#admin.query("SET SESSION sql_mode = ''");
  }
}

function describe(schema: string, name: string, shown: RowDataPacket | undefined, column: string): Made {
  const row: Readonly<Record<string, unknown>> = shown ?? {};
  return {
    schema,
    name,
    statement: String(row[column]),
    mode: String(row.sql_mode),
    client: String(row.character_set_client),
    collation: String(row.collation_connection),
  };
}
