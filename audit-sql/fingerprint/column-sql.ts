import { ident, literal } from '../names.ts';
import type { ColumnFact } from './types.ts';

/** How a server shows a default that is an expression and not a value, on MySQL in `extra`. */
const EXPRESSION = /DEFAULT_GENERATED/i;

function defaultClause(column: ColumnFact, engine: string): string | undefined {
  if (column.default === null) return '';
  // MariaDB shows a default as SQL; MySQL shows the value itself, without quotes.
  if (engine === 'mariadb') return column.default === 'NULL' ? '' : ` DEFAULT ${column.default}`;
  if (!EXPRESSION.test(column.extra)) return ` DEFAULT ${literal(column.default)}`;
  return /^CURRENT_TIMESTAMP(\(\d\))?$/i.test(column.default) ? ` DEFAULT ${column.default}` : undefined;
}

/** Type, collation, nullability, default; undefined when the facts do not say enough to write it again. */
export function columnDefinition(column: ColumnFact, engine: string): string | undefined {
  if (column.generation !== '') return undefined;
  const extra = column.extra.replace(EXPRESSION, '').trim();
  if (!/^(auto_increment|on update current_timestamp(\(\d?\))?|)$/i.test(extra)) return undefined;
  const value = defaultClause(column, engine);
  if (value === undefined) return undefined;
  const collation = column.collation === '' ? '' : ` COLLATE ${ident(column.collation)}`;
  const nullable = column.nullable === 'NO' ? ' NOT NULL' : ' NULL';
  return `${column.type}${collation}${nullable}${value}${extra === '' ? '' : ` ${extra}`}`;
}

/** What ALTER COLUMN has to do to a column for its default alone, which keeps all else; undefined as above. */
export function defaultChange(column: ColumnFact, engine: string): string | undefined {
  if (column.generation !== '') return undefined;
  if (column.default === null) return 'DROP DEFAULT';
  if (engine === 'mariadb') return `SET DEFAULT (${column.default})`;
  return EXPRESSION.test(column.extra) ? undefined : `SET DEFAULT ${literal(column.default)}`;
}
