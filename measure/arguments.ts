import { parseArgs } from 'node:util';
import { MEASUREMENTS } from './registry.ts';
import type { Measurement } from './report.ts';

/** A day for each. */
const MOST_MINUTES = 1440;

export type Request =
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }
  | {
      readonly kind: 'run';
      readonly name: string;
      readonly measurement: Measurement;
      readonly json: boolean;
      readonly short: boolean;
      readonly only: ReadonlySet<string> | undefined;
      readonly minutes: number | undefined;
    };

/** What the command line asks for. Never throws: a mistake is an answer too. */
export function parseRequest(argv: readonly string[]): Request {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    return { kind: 'wrong', message: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { kind: 'help' };
  const [name, ...more] = positionals;
  if (name === undefined) return { kind: 'wrong', message: 'which measurement? Give one name.' };
  if (more.length > 0)
    return { kind: 'wrong', message: 'one measurement at a time: they share the machine.' };
  const measurement = MEASUREMENTS.get(name);
  if (measurement === undefined) return { kind: 'wrong', message: `there is no measurement "${name}".` };
  const only = values.only?.split(',').filter((item) => item !== '');
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0 && minutes <= MOST_MINUTES))
    return { kind: 'wrong', message: `--minutes wants a number up to ${MOST_MINUTES}.` };
  if (only?.length === 0) return { kind: 'wrong', message: '--only wants names, separated by commas.' };
  return {
    kind: 'run',
    name,
    measurement,
    json: values.json === true,
    short: values.short === true,
    only: only === undefined ? undefined : new Set(only),
    minutes,
  };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      short: { type: 'boolean' },
      only: { type: 'string' },
      minutes: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

/** The names of the measurements, one a line. */
export function listing(): string {
  const width = Math.max(...[...MEASUREMENTS.keys()].map((name) => name.length));
  return [...MEASUREMENTS].map(([name, { title }]) => `  ${name.padEnd(width)}  ${title}`).join('\n');
}

export function help(): string {
  return `Usage: npm run measure -- NAME [--short] [--json] [--only SUBJECT,...]

Measures on this machine and prints a table; the figures are kept in .work/measure/NAME.json.

Measurements:
${listing()}

Options:
  --short   under 45 seconds: fewer and shorter rounds
  --json    the last line of the output is one JSON object with every figure and "ok"
  --only    only these subjects; floors that need another one count as not measured
  --minutes how long what has no end of its own goes on: with inspection, fuzzing each parser
  --help    this text

Exit code: 0 every floor met; 1 a floor missed or the figures invalid; 2 wrong usage; 70 our own fault.`;
}
