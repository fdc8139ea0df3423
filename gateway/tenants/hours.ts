import type { HoursDocument } from '../../contracts/conditions.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import {
  clockOf,
  compileHours,
  type Hours,
  isOpen,
  WEEK_MINUTES,
  type ZoneClock,
} from '../../policies/index.ts';

interface Compiled {
  readonly hours: Hours;
  readonly clock: ZoneClock;
}

/** Weeks in which the next opening is looked for; a place that is closed for longer does not say when it opens. */
const WEEKS_AHEAD = 5;

const compiled = new WeakMap<readonly HoursDocument[], OpeningHours>();

/** Compiled when it is first asked for, and kept as long as the settings are. */
export function openingHours(documents: readonly HoursDocument[]): OpeningHours {
  let hours = compiled.get(documents);
  if (hours === undefined) {
    hours = new OpeningHours(documents);
    compiled.set(documents, hours);
  }
  return hours;
}

/** When a tenant is open: while any of its entries holds. */
export class OpeningHours {
  readonly #entries: readonly Compiled[];
  /** The zone in which people are told. */
  readonly zone: string;
  /** What was found last, good until then. */
  #next: { readonly after: number; readonly at: number | undefined } | undefined;

  constructor(documents: readonly HoursDocument[]) {
    this.#entries = documents.map((document) => ({
      // The settings were judged by the same rules; this is what would make a mistake there harmless.
      hours: compileHours(document, (key, message) => {
        throw new ChartgateError('configuration-invalid', `open: ${key}: ${message}`);
      }),
      clock: clockOf(document.zone),
    }));
    this.zone = documents[0]?.zone ?? 'UTC';
  }

  /** @param now seconds since the epoch */
  isOpen(now: number): boolean {
    return this.#entries.some(({ hours, clock }) => isOpen(hours, clock.at(now)));
  }

  /** Seconds since the epoch at which it opens next; undefined: not within five weeks. */
  opensAt(now: number): number | undefined {
    const known = this.#next;
    // Asked while it is closed, the answer stays the same until it opens.
    if (
      known !== undefined &&
      now >= known.after &&
      (known.at === undefined ? now < known.after + 3600 : now < known.at)
    )
      return known.at;
    const found = this.#entries.flatMap((entry) => nextOf(entry, now) ?? []);
    const at = found.length === 0 ? undefined : Math.min(...found);
    this.#next = { after: now, at };
    return at;
  }
}

function nextOf({ hours, clock }: Compiled, now: number): number | undefined {
  const here = clock.at(now).minute;
  const minute = Math.floor(now / 60);
  const waits = hours.intervals
    .map(({ from }) => (((from - here) % WEEK_MINUTES) + WEEK_MINUTES) % WEEK_MINUTES)
    .sort((a, b) => a - b);
  for (let week = 0; week < WEEKS_AHEAD; week += 1) {
    for (const wait of waits) {
      const wanted = (here + wait) % WEEK_MINUTES;
      const guess = (minute + wait + week * WEEK_MINUTES) * 60;
      // Summer time may begin or end until then.
      const off = clock.at(guess).minute - wanted;
      const half = WEEK_MINUTES / 2;
      const shift = ((((off + half) % WEEK_MINUTES) + WEEK_MINUTES) % WEEK_MINUTES) - half;
      const at = guess - shift * 60;
      if (at > now && isOpen(hours, clock.at(at))) return at;
    }
  }
  return undefined;
}
