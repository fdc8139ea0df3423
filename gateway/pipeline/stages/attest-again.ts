import { channel } from 'node:diagnostics_channel';
import { CHANNELS } from '../../../contracts/events.ts';
import { SAFE_METHODS } from '../../../contracts/facts.ts';
import type { Verdict } from '../../../contracts/integrity.ts';
import type { Exchange, Step } from '../exchange.ts';

const alarms = channel(CHANNELS.alarm);

/**
 * Stage 10: a write is answered only if the audit was intact, in one and the same epoch, from before the
 * EMR got it until after the EMR was done. Otherwise nobody knows whether it has its audit row: the client
 * gets the uniform failure, and the record says that the write was made in an unverified window.
 */
export async function attestAgain(x: Exchange): Promise<Step> {
  // A route that demands strictness of a GET knows that this GET writes.
  if (SAFE_METHODS.has(x.facts.method) && x.route.integrity.mode !== 'strict') return undefined;
  const before = x.verdict;
  // An answer that is still coming may still be writing: its end, or as much as is held back, comes first.
  await x.backend?.settled();
  const { database } = x.tenant.settings;
  const after = await x.runtime.oracle.attest(database, { mode: 'strict' }, x.services.clock.monotonic());
  if (same(before, after)) return undefined;
  x.failed('integrity-changed-during-write', after.findings.join(' '));
  if (alarms.hasSubscribers) alarms.publish({ alarm: 'unverified-write', tenant: x.tenant.id });
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
    return { kind: 'unavailable', reason: 'activity-log-unavailable' };
  }
  return { kind: 'unavailable', reason: 'integrity-changed-during-write' };
}

function same(before: Verdict | undefined, after: Verdict): boolean {
  return (
    before?.state === 'intact' &&
    after.state === 'intact' &&
    after.epoch !== '' &&
    before.epoch === after.epoch
  );
}
