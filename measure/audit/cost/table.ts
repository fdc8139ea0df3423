/** A patient table of forty columns as legacy EMRs have them, and rows for it. Every person is invented. */

interface CostColumn {
  readonly name: string;
  readonly type: string;
  value(n: number): string | number | null;
}

function columns(): CostColumn[] {
  const list: CostColumn[] = [];
  const add = (name: string, type: string, value: (n: number) => string | number | null): void => {
    list.push({ name, type, value });
  };
  add('id', 'INT UNSIGNED NOT NULL AUTO_INCREMENT', () => null);
  add('number', 'VARCHAR(20) NOT NULL', (n) => `P-${String(n).padStart(8, '0')}`);
  for (const name of [
    'last_name',
    'first_name',
    'middle_name',
    'nickname',
    'street',
    'city',
    'region',
    'country',
  ]) {
    add(name, "VARCHAR(80) NOT NULL DEFAULT ''", (n) => `${name} ${n % 997}`);
  }
  for (const name of ['phone_home', 'phone_work', 'phone_mobile', 'email', 'employer', 'occupation']) {
    add(name, 'VARCHAR(120) NULL', (n) => (n % 4 === 0 ? null : `${name} of ${n % 1009}`));
  }
  for (const name of ['sex', 'marital', 'language', 'race', 'religion', 'status']) {
    add(name, "VARCHAR(24) NOT NULL DEFAULT ''", (n) => `${name.slice(0, 4)}${n % 7}`);
  }
  for (const name of ['birth_date', 'death_date', 'registered_on']) {
    add(name, 'DATE NULL', (n) =>
      name === 'death_date' ? null : `19${10 + (n % 89)}-0${1 + (n % 9)}-1${n % 10}`,
    );
  }
  for (const name of ['created_at', 'updated_at']) add(name, 'DATETIME NULL', () => '2026-03-04 05:06:07');
  add('seen_at', 'TIMESTAMP NULL', () => '2026-03-04 05:06:07');
  for (const name of ['clinician_id', 'facility_id', 'insurer_id', 'version']) {
    add(name, 'INT NOT NULL DEFAULT 0', (n) => n % 313);
  }
  for (const name of ['balance', 'income']) add(name, 'DECIMAL(12,2) NULL', (n) => `${n % 5000}.25`);
  for (const name of ['active', 'restricted', 'consented', 'reminders'])
    add(name, 'TINYINT(1) NOT NULL DEFAULT 0', (n) => n % 2);
  add(
    'notes',
    'TEXT NULL',
    (n) => `Seen for the ${n % 97}th time. ${'Nothing to add to what was written before. '.repeat(3)}`,
  );
  add('history', 'LONGTEXT NULL', (n) => (n % 3 === 0 ? null : `Earlier: ${'no change, '.repeat(20)}${n}`));
  return list;
}

const COLUMNS = columns();
export const COLUMN_COUNT = COLUMNS.length;

/** The column that an update of one of forty changes; in no index. */
export const CHANGED_COLUMN = 'phone_mobile';

export function createTable(name: string): string {
  return `CREATE TABLE ${name} (
  ${COLUMNS.map((c) => `${c.name} ${c.type}`).join(',\n  ')},
  PRIMARY KEY (id), KEY name (last_name, first_name), KEY number (number), KEY clinician (clinician_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
}

const NAMED = COLUMNS.slice(1);
export const COLUMN_LIST: string = NAMED.map((c) => c.name).join(', ');

function tuple(n: number): string {
  const values = NAMED.map((c) => {
    const value = c.value(n);
    return value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value}'`;
  });
  return `(${values.join(', ')})`;
}

/** One statement that inserts so many rows. */
export function insertRows(table: string, first: number, count: number): string {
  const rows = Array.from({ length: count }, (_, i) => tuple(first + i));
  return `INSERT INTO ${table} (${COLUMN_LIST}) VALUES ${rows.join(', ')}`;
}
