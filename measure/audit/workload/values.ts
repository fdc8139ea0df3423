import type { Random } from '../../../examples/legacy-emr/seeding/random.ts';
import type { ColumnShape } from './shape.ts';

/** A string literal that means the same whatever the session's character set and SQL mode. */
export function unicode(text: string): string {
  return `_utf8mb4 x'${Buffer.from(text, 'utf8').toString('hex')}'`;
}

function bytes(random: Random, length: number): string {
  return Buffer.from(Array.from({ length }, () => random.below(256))).toString('hex');
}

const RANGES: Readonly<Record<string, bigint>> = {
  tinyint: 1n << 8n,
  smallint: 1n << 16n,
  mediumint: 1n << 24n,
  int: 1n << 32n,
  bigint: 1n << 64n,
};

/** Text that breaks naive escaping, sorting or folding; all of it invented. */
const TEXTS = [
  '',
  ' ',
  'a',
  'A',
  'a ',
  'straße',
  'STRASSE',
  'Ünïcode',
  "O'Brien",
  'say "x"',
  'back\\slash',
  'C:\\n\\t\\0',
  'line\nbreak\r\n',
  'tab\there',
  'nul\0inside',
  '\u001a',
  '%_\\%',
  '`tick`',
  '-- comment',
  '/*! x */',
  // Not a template: somebody's macro language.
  `\${x}#{y}`,
  '{"json": [1, null]}',
  '[1,2]',
  'null',
  'NULL',
  '0x00',
  'sha256:',
  'Пациент',
  '患者',
  'مريض',
  '😀🏥',
  'e\u0301',
  '\u202egnp.exe',
  '\ufeffbom',
] as const;

function text(random: Random, column: ColumnShape): string {
  const limit = column.length ?? 0;
  let chosen: string;
  if (column.unique) chosen = `k${random.below(1_000_000)}`;
  else if (random.chance(2) && limit > 255) chosen = 'long ✓ '.repeat(20 + random.below(3000));
  else if (random.chance(50)) chosen = random.pick(TEXTS);
  else chosen = `${random.pick(TEXTS)}${random.below(1000)}`;
  // The limit counts characters for CHAR and VARCHAR, bytes for TEXT.
  let fits = [...chosen].slice(0, limit).join('');
  if (column.type.endsWith('text')) {
    while (Buffer.byteLength(fits) > limit) fits = [...fits].slice(0, -1).join('');
  }
  // A narrow character set would put a question mark, or, in a strict session, refuse.
  const wide = /utf8|ucs2|utf16|utf32/.test(column.characterSet ?? '');
  if (!wide && !random.chance(5)) fits = fits.replace(/[^\u0020-\u007e]/gu, '?');
  if (/utf8mb3|^utf8$|ucs2/.test(column.characterSet ?? '') && !random.chance(5)) {
    fits = fits.replace(/[\u{10000}-\u{10ffff}]/gu, '?');
  }
  // A byte that means nothing there; the servers take it all the same.
  if (column.characterSet === 'cp1251' && random.chance(8)) return "x'419842'";
  // Some plain, so that the session's own character set takes part.
  if (/^[a-z0-9 ]*$/i.test(fits) && random.chance(50)) return `'${fits}'`;
  return unicode(fits);
}

function integer(random: Random, column: ColumnShape): string {
  const size = RANGES[column.type] ?? 256n;
  const low = column.unsigned ? 0n : -size / 2n;
  const high = low + size - 1n;
  if (column.unique || column.autoIncrement) {
    const wide = high > 100_000n ? 100_000n : high;
    return String(random.below(Number(wide)) + 1);
  }
  if (random.chance(12)) return String(random.pick([low, high, low + 1n, high - 1n]));
  const small = high < 1000n ? Number(high) : 1000;
  const value = random.below(small);
  return column.unsigned || random.chance(70) ? String(value) : String(-value);
}

function decimal(random: Random, column: ColumnShape): string {
  const whole = column.precision - column.scale;
  const digits = (count: number, full: boolean): string =>
    full
      ? '9'.repeat(count)
      : Array.from({ length: random.below(count + 1) }, () => random.below(10)).join('');
  const full = random.chance(8);
  const sign = !column.unsigned && random.chance(30) ? '-' : '';
  return `${sign}${digits(whole, full) || '0'}.${digits(column.scale, full) || '0'}`;
}

const FLOATS = ['0', '-0e0', '1.5', '-2.25e10', '3.4028234e38', '1.17549435e-38', '1e-45', '16777217'];
const DOUBLES = [
  '0.1',
  '-0e0',
  '1.7976931348623157e308',
  '-2.2250738585072014e-308',
  '5e-324',
  '9007199254740993',
];

function real(random: Random, column: ColumnShape): string {
  const limited = /\((\d+),(\d+)\)/.exec(column.columnType);
  const sign = !column.unsigned && random.chance(30) ? '-' : '';
  // A FLOAT(7,2) or the like holds so many digits and no more.
  if (limited !== null)
    return `${sign}${random.below(10 ** Math.min(4, Number(limited[1]) - Number(limited[2])))}.5`;
  const edge = random.pick(column.type === 'float' ? FLOATS : [...FLOATS, ...DOUBLES]);
  if (random.chance(30) && !(column.unsigned && edge.startsWith('-'))) return edge;
  return `${sign}${random.below(1_000_000)}.${random.below(1_000_000)}e${random.below(20) - 10}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function day(random: Random): string {
  return `${1900 + random.below(200)}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`;
}

function clock(random: Random, fraction: number): string {
  const part = fraction > 0 ? `.${String(random.below(10 ** fraction)).padStart(fraction, '0')}` : '';
  return `${two(random.below(24))}:${two(random.below(60))}:${two(random.below(60))}${part}`;
}

function timestamp(random: Random, column: ColumnShape): string {
  // Every instant has a number; a local time may not exist, or exist twice.
  const part = column.fraction > 0 ? `.${random.below(10 ** column.fraction)}` : '';
  return `FROM_UNIXTIME(${1 + random.below(2_147_483_000)}${part})`;
}

const GEOMETRIES: Readonly<Record<string, (n: number) => string>> = {
  point: (n) => `POINT(${n} ${-n})`,
  linestring: (n) => `LINESTRING(0 0,${n + 1} 1,2 2)`,
  polygon: (n) => `POLYGON((0 0,0 ${n + 1},${n + 1} ${n + 1},0 0))`,
  multipoint: (n) => `MULTIPOINT(1 1,${n} 2)`,
  multilinestring: (n) => `MULTILINESTRING((0 0,1 ${n + 1}))`,
  multipolygon: (n) => `MULTIPOLYGON(((0 0,0 ${n + 1},${n + 1} ${n + 1},0 0)))`,
  geometrycollection: (n) => `GEOMETRYCOLLECTION(POINT(${n} 1))`,
};

function geometry(random: Random, column: ColumnShape): string {
  const type = column.type === 'geomcollection' ? 'geometrycollection' : column.type;
  const make = GEOMETRIES[type] ?? GEOMETRIES[random.pick(Object.keys(GEOMETRIES))];
  return `ST_GeomFromText('${make?.(random.below(50)) ?? 'POINT(0 0)'}')`;
}

const JSONS = [
  '{}',
  '[]',
  'null',
  '1',
  '1.50',
  '"\\u00e9"',
  '{"b": 1, "a": [null, true]}',
  '{"k": {"n": "x"}}',
];

/** One generator for each type; a type that is missing here would leave its columns without values. */
const TYPES: Readonly<Record<string, (random: Random, column: ColumnShape) => string>> = {
  tinyint: integer,
  smallint: integer,
  mediumint: integer,
  int: integer,
  bigint: integer,
  decimal,
  float: real,
  double: real,
  bit: (random, column) => {
    const bits = Math.max(1, column.precision);
    return `b'${Array.from({ length: random.chance(20) ? bits : 1 + random.below(bits) }, () => random.below(2)).join('')}'`;
  },
  char: text,
  varchar: text,
  tinytext: text,
  text,
  mediumtext: text,
  longtext: text,
  binary: (random, column) => `x'${bytes(random, random.below((column.length ?? 1) + 1))}'`,
  varbinary: (random, column) => `x'${bytes(random, random.below(Math.min(column.length ?? 1, 64) + 1))}'`,
  tinyblob: (random) => `x'${bytes(random, random.below(32))}'`,
  blob: (random) =>
    random.chance(5) ? `REPEAT(x'00ff27', ${random.below(20_000)})` : `x'${bytes(random, random.below(40))}'`,
  mediumblob: blobBeyond,
  longblob: blobBeyond,
  // The index 0 is the value of an ENUM that was given something that it does not have.
  enum: (random, column) => (random.chance(3) ? "''" : unicode(random.pick(column.members))),
  set: (random, column) => unicode(column.members.filter(() => random.chance(40)).join(',')),
  date: (random) =>
    `'${random.chance(15) ? random.pick(['0000-00-00', '2024-00-00', '1000-01-01', '9999-12-31']) : day(random)}'`,
  datetime: (random, column) =>
    `'${random.chance(12) ? '0000-00-00 00:00:00' : `${day(random)} ${clock(random, column.fraction)}`}'`,
  timestamp,
  time: (random, column) =>
    `'${random.chance(10) ? random.pick(['-838:59:59', '838:59:59', '00:00:00', '-00:00:01']) : clock(random, column.fraction)}'`,
  year: (random) => random.pick(['1901', '2155', '0', '1999', '2026']),
  json: (random) => unicode(random.pick(JSONS)),
  uuid: (random) => `'${bytes(random, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}'`,
  inet6: (random) => `'2001:db8::${random.below(65_536).toString(16)}'`,
  inet4: (random) => `'192.0.2.${random.below(256)}'`,
  geometry,
  point: geometry,
  linestring: geometry,
  polygon: geometry,
  multipoint: geometry,
  multilinestring: geometry,
  multipolygon: geometry,
  geometrycollection: geometry,
  geomcollection: geometry,
};

/** Mostly small; now and then longer than what the audit records whole. */
function blobBeyond(random: Random): string {
  if (random.chance(3)) return `REPEAT(x'00ff27', ${21_800 + random.below(100)})`;
  return `x'${bytes(random, random.below(60))}'`;
}

/** A value for the column, as SQL. @throws Error for a type that the workload does not know */
export function value(random: Random, column: ColumnShape): string {
  if (column.nullable && random.chance(12)) return 'NULL';
  const make = TYPES[column.type];
  if (make === undefined) throw new Error(`the workload has no values for ${column.columnType}`);
  return make(random, column);
}

/** An expression over the column's present value, or a new value. */
export function change(random: Random, column: ColumnShape, reference: string): string {
  if (random.chance(55)) return value(random, column);
  if (column.type in RANGES) return `${reference} + 1`;
  if (column.type === 'decimal') return `-${reference}`;
  if (/char$|text$/.test(column.type) && column.characterSet !== undefined) {
    return random.pick([
      `CONCAT(${reference}, ' ')`,
      `UPPER(${reference})`,
      `LOWER(${reference})`,
      `TRIM(${reference})`,
      `LEFT(${reference}, 3)`,
      `REVERSE(${reference})`,
    ]);
  }
  if (column.nullable && random.chance(30)) return 'NULL';
  if (column.hasDefault && random.chance(30)) return 'DEFAULT';
  // No change at all is a case too: triggers fire for it.
  if (random.chance(20)) return reference;
  return value(random, column);
}

/**
 * SQL that gives the literal of the column's present value, to name the row again.
 */
export function literalOf(column: ColumnShape, reference: string): string {
  const type = column.type;
  const orNull = (sql: string): string => `IFNULL(${sql}, 'NULL')`;
  if (type in RANGES || type === 'decimal' || type === 'year') return orNull(`CAST(${reference} AS CHAR)`);
  if (type === 'bit') return orNull(`CAST(${reference} + 0 AS CHAR)`);
  if (type === 'timestamp') {
    const instant = `CONCAT('FROM_UNIXTIME(', UNIX_TIMESTAMP(${reference}), ')')`;
    return orNull(`IF(UNIX_TIMESTAMP(${reference}) > 0, ${instant}, CONCAT('''', ${reference}, ''''))`);
  }
  if (type === 'float' || type === 'double') return orNull(`CONCAT(${reference} * 1e0)`);
  if (column.characterSet !== undefined && type !== 'json') {
    return orNull(`CONCAT('_utf8mb4 x''', HEX(CONVERT(${reference} USING utf8mb4)), '''')`);
  }
  if (/binary|blob/.test(type)) return orNull(`CONCAT('x''', HEX(${reference}), '''')`);
  return orNull(`CONCAT('''', CAST(${reference} AS CHAR), '''')`);
}
