export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Record<string, string>;
    readonly value: number;
  }[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;

/**
 * Reads the Prometheus text format, version 0.0.4. Throws for what is not in it: a sample without HELP
 * and TYPE before it, a family or a sample twice, a name that does not belong to its family, a bad number.
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: readonly [string, string] | undefined;
  let name = '';
  let family: Family | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const meta = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (meta?.[1] === 'HELP') help = [String(meta[2]), String(meta[3])];
    else if (meta?.[1] === 'TYPE') {
      name = String(meta[2]);
      if (help?.[0] !== name || families.has(name)) throw new Error(`TYPE without HELP, or twice: ${line}`);
      family = { type: String(meta[3]), help: help[1], samples: [] };
      families.set(name, family);
    } else {
      const match = SAMPLE.exec(line);
      if (!match || !family || seen.has(line.slice(0, line.lastIndexOf(' '))))
        throw new Error(`bad sample: ${line}`);
      seen.add(line.slice(0, line.lastIndexOf(' ')));
      const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      if (!suffixes.some((suffix) => match[1] === name + suffix)) throw new Error(`not of ${name}: ${line}`);
      family.samples.push({
        name: String(match[1]),
        labels: labels(match[2] ?? ''),
        value: number(String(match[3])),
      });
    }
  }
  return families;
}

function labels(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (!match) throw new Error(`bad labels: ${text}`);
    found[String(match[1])] = String(match[2]);
  }
  return found;
}

function number(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`not a number: ${text}`);
  return value;
}

/** The value of the sample of `name` with exactly these labels; undefined when there is none. */
export function sampleValue(
  families: ReadonlyMap<string, Family>,
  name: string,
  wanted: Record<string, string> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const same = (labels: Record<string, string>): boolean =>
    Object.keys(labels).length === Object.keys(wanted).length &&
    Object.entries(wanted).every(([label, value]) => labels[label] === value);
  return family?.samples.find((sample) => sample.name === name && same(sample.labels))?.value;
}
