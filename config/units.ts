const DURATION = /^(0|[1-9][0-9]{0,8})(ms|s|m|h)$/;
const SIZE = /^(0|[1-9][0-9]{0,8})(B|KB|MB|GB|KiB|MiB|GiB)$/;

/** Patterns for the published schemas. */
export const DURATION_PATTERN: string = DURATION.source;
export const SIZE_PATTERN: string = SIZE.source;

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Milliseconds of a duration such as `250ms`, `1s`, `5m` or `1h`; undefined when it is not one. */
export function milliseconds(text: string): number | undefined {
  return quantity(text, DURATION, MILLISECONDS);
}

/** Bytes of a size such as `64KB` (64 000), `1MB` or `1MiB` (1 048 576); undefined when it is not one. */
export function bytes(text: string): number | undefined {
  return quantity(text, SIZE, BYTES);
}

function quantity(
  text: string,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const [, amount, unit] = pattern.exec(text) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}
