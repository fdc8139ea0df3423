import { readModel } from '../../audit-sql/index.ts';
import type { ColumnModel, TableModel } from '../../audit-sql/model.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ServerOptions } from '../commands/audit-sql/options.ts';
import { onServer, print, printJson, writeOutput } from '../commands/audit-sql/server.ts';

export interface LengthsOptions extends ServerOptions {
  readonly tables?: string;
  readonly out?: string;
}

/** Bytes that `TEXT` types hold. */
const TEXT_BYTES: Readonly<Record<string, number>> = {
  tinytext: 255,
  text: 65_535,
  mediumtext: 16_777_215,
  longtext: 4_294_967_295,
};
/** Bytes of the longest character of a set; of one that is not known, what the longest of all take. */
const CHARACTER_BYTES: Readonly<Record<string, number>> = {
  utf8mb4: 4,
  utf8mb3: 3,
  utf8: 3,
  latin1: 1,
  latin2: 1,
  cp1251: 1,
  cp1252: 1,
  ascii: 1,
  ucs2: 2,
};

/** Characters that a column holds whatever they are; undefined: it holds none, or a list of its own. */
export function charactersOf(column: ColumnModel): number | undefined {
  const declared = /^(?:var)?char\((\d+)\)/.exec(column.columnType)?.[1];
  if (declared !== undefined) return Number(declared);
  const bytes = TEXT_BYTES[column.dataType];
  if (bytes === undefined) return undefined;
  return Math.floor(bytes / (CHARACTER_BYTES[column.characterSet ?? ''] ?? 4));
}

interface Length {
  readonly characters: number;
  /** Tables that have a column of the name, with what theirs holds. */
  readonly tables: readonly { readonly table: string; readonly characters: number }[];
}

/** By column name, the least that any of the tables holds: what every one of them takes whole. */
export function lengthsOf(tables: readonly TableModel[]): ReadonlyMap<string, Length> {
  const found = new Map<string, { table: string; characters: number }[]>();
  for (const { name: table, columns } of tables) {
    for (const column of columns) {
      const characters = charactersOf(column);
      if (characters === undefined || characters === 0 || column.generated) continue;
      const list = found.get(column.name) ?? [];
      found.set(column.name, list);
      list.push({ table, characters });
    }
  }
  return new Map(
    [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, list]) => [
        name,
        { characters: Math.min(...list.map((each) => each.characters)), tables: list },
      ]),
  );
}

/** A file for `inspect.payload.lengths`. */
export function lengthsYaml(schema: string, lengths: ReadonlyMap<string, Length>): string {
  const lines = [...lengths].map(([name, { characters, tables }]) => {
    const differ = tables.some((each) => each.characters !== characters);
    const shown = differ
      ? tables.map((each) => `${each.table} ${each.characters}`)
      : tables.map((each) => each.table);
    const key = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.test(name) ? name : JSON.stringify(name);
    return `${key}: ${characters} # ${shown.slice(0, 6).join(', ')}${shown.length > 6 ? ', …' : ''}`;
  });
  return `# Characters that columns of ${schema} hold. Keep the names that a route's parameters, fields or members have.\n${lines.join('\n')}\n`;
}

/** What YAML would read as something other than a text. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** Prints how much the columns of a schema hold, by column name. */
export async function runLengths(options: LengthsOptions): Promise<void> {
  const wanted = options.tables?.split(',').map((name) => name.trim());
  const model = await onServer(options, (connection) => readModel(connection, options.schema));
  const missing = wanted?.find((name) => !model.tables.some((table) => table.name === name));
  if (missing !== undefined) {
    throw new ChartgateError('usage', `The schema ${options.schema} has no table ${missing}.`);
  }
  const tables = model.tables.filter((table) => wanted === undefined || wanted.includes(table.name));
  const lengths = lengthsOf(tables);
  if (options.json === true) {
    await printJson(Object.fromEntries([...lengths].map(([name, { characters }]) => [name, characters])));
    return;
  }
  const text = lengthsYaml(options.schema, lengths);
  if (options.out === undefined) await print(text);
  else writeOutput(options.out, text);
}
