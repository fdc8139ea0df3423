import { channel } from 'node:diagnostics_channel';
import { type AlarmEvent, CHANNELS } from '../../contracts/events.ts';
import type { Verdict } from '../../contracts/integrity.ts';
import type { Exchange } from '../pipeline/exchange.ts';

const alarms = channel(CHANNELS.alarm);

/** `unrecorded`: it is not confirmed, and not even that could be written down. */
export type Confirmation = 'confirmed' | 'unverified' | 'unrecorded';

/**
 * Whether the audit was intact, in one and the same epoch, from before the EMR got a write until now. If
 * not, nobody knows whether it has its audit row, and the record says so. Never rejects.
 */
export async function confirmWrite(x: Exchange): Promise<Confirmation> {
  const before = x.verdict;
  const { database } = x.tenant.settings;
  // What is open for long may outlive its configuration, and the connection to the checker that belongs to it.
  const { oracle } = x.services.current();
  const after = await oracle.attest(database, { mode: 'strict' }, x.services.clock.monotonic());
  if (same(before, after)) return 'confirmed';
  x.failed('integrity-changed-during-write', after.findings.join(' '));
  if (alarms.hasSubscribers)
    alarms.publish({ alarm: 'unverified-write', tenant: x.tenant.id } satisfies AlarmEvent);
  try {
    await x.services.activity.append({
      kind: 'unverified-write',
      request: x.facts.id,
      tenant: x.tenant.id,
      database,
      epochBefore: before?.epoch ?? '',
      epochAfter: after.epoch,
      findings: after.findings,
    });
  } catch {
    return 'unrecorded';
  }
  return 'unverified';
}

function same(before: Verdict | undefined, after: Verdict): boolean {
  return (
    before?.state === 'intact' &&
    after.state === 'intact' &&
    after.epoch !== '' &&
    before.epoch === after.epoch
  );
}
