import { DAYS, type Day, type HoursDocument } from '../../contracts/conditions.ts';

const DAY_MINUTES = 1440;
export const WEEK_MINUTES = 7 * DAY_MINUTES;

/** A moment as a clock on the wall of a place shows it. */
export interface LocalMoment {
  /** Minutes since Monday, 00:00. */
  readonly minute: number;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** The day before. */
  readonly yesterday: string;
}

/** Seconds in which the offset of a zone cannot change: every zone changes on a quarter of an hour of UTC. */
const QUARTER = 900;
/** A leap year's worth of milliseconds is never needed: dates are found by adding the offset to UTC. */
const MS = 1000;

/**
 * The clock of one place. Asking Intl costs microseconds, so the offset is kept for the quarter of an hour for
 * which it was found; the answer is the same as without.
 */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  #quarter = Number.NaN;
  #offset = 0;
  #dayStart = Number.NaN;
  #date = '';
  #yesterday = '';

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  }

  /** @param nowSeconds wall clock, seconds since the epoch */
  at(nowSeconds: number): LocalMoment {
    const quarter = Math.floor(nowSeconds / QUARTER);
    if (quarter !== this.#quarter) {
      this.#offset = this.#offsetAt(quarter * QUARTER);
      this.#quarter = quarter;
    }
    const local = nowSeconds + this.#offset;
    const day = Math.floor(local / 86_400);
    if (day !== this.#dayStart) {
      this.#dayStart = day;
      this.#date = dateOf(day);
      this.#yesterday = dateOf(day - 1);
    }
    // 1970-01-01 was a Thursday.
    const weekday = (((day + 3) % 7) + 7) % 7;
    const minute = weekday * DAY_MINUTES + Math.floor((local - day * 86_400) / 60);
    return { minute, date: this.#date, yesterday: this.#yesterday };
  }

  /** Seconds by which the place is ahead of UTC. */
  #offsetAt(seconds: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(seconds * MS)) parts[type] = Number(value);
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0 } = parts;
    return Math.round((Date.UTC(year, month - 1, day, hour, minute) / MS - seconds) / 60) * 60;
  }
}

function dateOf(day: number): string {
  return new Date(day * 86_400 * MS).toISOString().slice(0, 10);
}

const clocks = new Map<string, ZoneClock>();

/** One clock for each zone that policies name. @throws RangeError when there is no such zone */
export function clockOf(zone: string): ZoneClock {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = new ZoneClock(zone);
    clocks.set(zone, clock);
  }
  return clock;
}

export interface Hours {
  /** Half-open intervals of minutes of the week on which it is open; an end beyond the week wraps. */
  readonly intervals: readonly { readonly from: number; readonly to: number }[];
  readonly except: ReadonlySet<string>;
  /** Minutes at which the answer may change. */
  readonly edges: readonly number[];
}

const TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

function minutesOf(text: string): number | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  return parts[1] === undefined ? DAY_MINUTES : Number(parts[1]) * 60 + Number(parts[2]);
}

function isDate(text: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
  return date !== undefined && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** @param fault told of each key that is wrong */
export function compileHours(document: HoursDocument, fault: (key: string, message: string) => void): Hours {
  if (!isZone(document.zone)) fault('zone', 'is not an IANA time zone, such as Europe/Berlin');
  const days = document.days ?? DAYS;
  if (days.length === 0) fault('days', 'lists no day, so that it could never hold');
  days.forEach((day, i) => {
    if (!DAYS.includes(day)) fault(`days/${i}`, `is not a day; allowed: ${DAYS.join(', ')}`);
    else if (days.indexOf(day) !== i) fault(`days/${i}`, 'is listed twice');
  });
  const from = minutesOf(document.from ?? '00:00');
  const to = minutesOf(document.to ?? '24:00');
  if (from === undefined || from === DAY_MINUTES) fault('from', 'must be a time such as 08:00');
  if (to === undefined) fault('to', 'must be a time such as 18:00, or 24:00');
  if (from !== undefined && from === to)
    fault('to', 'is the same time as "from", so that it could never hold');
  const except = document.except ?? [];
  except.forEach((date, i) => {
    if (!isDate(date)) fault(`except/${i}`, 'must be a date such as 2027-12-24');
    else if (except.indexOf(date) !== i) fault(`except/${i}`, 'is listed twice');
  });
  const [start, end] = [from ?? 0, to ?? DAY_MINUTES];
  const intervals = days.map((day: Day) => {
    const base = DAYS.indexOf(day) * DAY_MINUTES;
    return { from: base + start, to: base + (end > start ? end : end + DAY_MINUTES) };
  });
  return {
    intervals,
    except: new Set(except),
    edges: intervals.flatMap((each) => [each.from % WEEK_MINUTES, each.to % WEEK_MINUTES]),
  };
}

function isZone(zone: string): boolean {
  // Offsets such as +01:00 are accepted by Intl, and know no summer.
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    clockOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** Whether it is open. What began the evening before belongs to that day, its exceptions included. */
export function isOpen(hours: Hours, moment: LocalMoment): boolean {
  for (const { from, to } of hours.intervals) {
    for (const minute of [moment.minute, moment.minute + WEEK_MINUTES]) {
      if (minute < from || minute >= to) continue;
      const began = Math.floor(from / DAY_MINUTES) === Math.floor(minute / DAY_MINUTES);
      if (!hours.except.has(began ? moment.date : moment.yesterday)) return true;
    }
  }
  return false;
}
