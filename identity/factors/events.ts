import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../../contracts/clock.ts';
import { CHANNELS, type FactorEvent } from '../../contracts/events.ts';

const factors = channel(CHANNELS.factor);

type Details = Partial<Pick<FactorEvent, 'principal' | 'method' | 'why' | 'actor'>>;

/** Tells whoever listens: the activity log, metrics. Nobody who listens affects what happens. */
export function tell(clock: Clock, what: FactorEvent['what'], details: Details): void {
  if (!factors.hasSubscribers) return;
  const event: FactorEvent = {
    what,
    principal: details.principal,
    method: details.method,
    why: details.why,
    actor: details.actor,
    at: clock.wall(),
  };
  factors.publish(Object.freeze(event));
}
