import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { bitNames } from '../fingerprint/privileges.ts';
import { printable } from '../names.ts';
import type { EngineAccounts, Holding, LiveAccount } from './types.ts';

interface AccountRow extends RowDataPacket {
  readonly user: string;
  readonly host: string;
  readonly priv: string | Readonly<Record<string, unknown>>;
}

interface RoleRow extends RowDataPacket {
  readonly user: string;
  readonly host: string;
  readonly role: string;
  readonly admin: string;
}

/** `access` may exceed what a JavaScript number holds, so it is taken from the text. */
function accessBits(priv: string): string {
  return /"access"\s*:\s*(\d{1,20})/.exec(priv)?.[1] ?? '0';
}

interface EffectiveRow extends RowDataPacket {
  readonly grantee: string;
  readonly privilege: string;
  readonly grantable: string;
}

/**
 * Entries that a server before 10.5 made have no version: their bits mean less than they say (all 64 may be
 * set) or more (SUPER was split). What such an account has is then what the server says is in force.
 */
async function effective(connection: Connection): Promise<(grantee: string) => string[]> {
  const [rows] = await connection.query<EffectiveRow[]>(
    'SELECT GRANTEE AS grantee, PRIVILEGE_TYPE AS privilege, IS_GRANTABLE AS grantable FROM information_schema.USER_PRIVILEGES',
  );
  return (grantee) => {
    const own = rows.filter((row) => row.grantee === grantee);
    const names = own.map((row) => row.privilege.toUpperCase()).filter((name) => name !== 'USAGE');
    return own.some((row) => row.grantable === 'YES') ? [...names, 'GRANT OPTION'] : names;
  };
}

/** `mysql.global_priv`: one JSON document per account. */
export async function readMariadbAccounts(connection: Connection): Promise<EngineAccounts> {
  const [rows] = await connection.query<AccountRow[]>(
    'SELECT User AS user, Host AS host, CONVERT(Priv USING utf8mb4) AS priv FROM mysql.global_priv',
  );
  const [roles] = await connection.query<RoleRow[]>(
    'SELECT User AS user, Host AS host, Role AS role, Admin_option AS admin FROM mysql.roles_mapping',
  );
  const inForce = await effective(connection);
  const accounts: LiveAccount[] = [];
  const holdings: Holding[] = [];
  for (const row of rows) {
    const account = { user: row.user, host: row.host };
    const text = typeof row.priv === 'string' ? row.priv : JSON.stringify(row.priv);
    let priv: Readonly<Record<string, unknown>>;
    try {
      priv = JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch (error) {
      throw new ChartgateError(
        'database-unsupported',
        `The entry of the account ${printable(`${row.user}@${row.host}`)} in mysql.global_priv is not JSON.`,
        { cause: error },
      );
    }
    accounts.push({
      account,
      isRole: priv.is_role === true,
      locked: priv.account_locked === true,
      restrictions: [],
    });
    const privileges =
      priv.version_id === undefined && row.host !== ''
        ? inForce(`'${row.user}'@'${row.host}'`)
        : bitNames(accessBits(text));
    for (const privilege of privileges) {
      holdings.push({ account, scope: 'global', object: [], privilege, passable: false });
    }
    if (typeof priv.default_role === 'string' && priv.default_role !== '') {
      holdings.push({
        account,
        scope: 'role',
        object: [priv.default_role, ''],
        privilege: 'DEFAULT',
        passable: false,
      });
    }
  }
  for (const row of roles) {
    holdings.push({
      account: { user: row.user, host: row.host },
      scope: 'role',
      object: [row.role, ''],
      privilege: 'MEMBER',
      passable: row.admin === 'Y',
    });
  }
  return { accounts, holdings, mandatoryRoles: [] };
}
