import { SAFE_METHODS } from '../../../contracts/facts.ts';
import { confirmWrite } from '../../integrity/confirm-write.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 10: a write is answered only if the audit was intact, in one and the same epoch, from before the
 * EMR got it until after the EMR was done. Otherwise the client gets the uniform failure.
 *
 * An answer that is still coming may still be writing: its end comes first, or as much of it as is held
 * back, or the time that the EMR has for an answer. One that has not ended by then is confirmed once more
 * before the client gets to see its end.
 */
export function attestAgain(x: Exchange): Step | Promise<Step> {
  return SAFE_METHODS.has(x.facts.method) && !x.route.writes ? undefined : confirm(x);
}

async function confirm(x: Exchange): Promise<Step> {
  await x.backend?.settled(x.route.backendTimeoutMs);
  // A tunnel writes for as long as it is open.
  x.confirmAtEnd = x.tunnel !== undefined || x.backend?.whole === undefined;
  switch (await confirmWrite(x)) {
    case 'confirmed':
      return undefined;
    case 'unverified':
      return { kind: 'unavailable', reason: 'integrity-changed-during-write' };
    case 'unrecorded':
      return { kind: 'unavailable', reason: 'activity-log-unavailable' };
  }
}
