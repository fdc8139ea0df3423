import type { Ending } from './ending.ts';
import type { Exchange, Stage } from './exchange.ts';
import { apart } from './stages/apart.ts';
import { attend } from './stages/attend.ts';
import { attest } from './stages/attest.ts';
import { attestAgain } from './stages/attest-again.ts';
import { authenticate } from './stages/authenticate.ts';
import { broaden } from './stages/broaden.ts';
import { canonicalise } from './stages/canonicalise.ts';
import { requireCertificate } from './stages/certificate.ts';
import { decide } from './stages/decide.ts';
import { describe } from './stages/describe.ts';
import { forward } from './stages/forward.ts';
import { guard } from './stages/guard.ts';
import { guide } from './stages/guide.ts';
import { inspect } from './stages/inspect.ts';
import { judgeAnswer } from './stages/judge-answer.ts';
import { judgeContent, screenContent } from './stages/judge-content.ts';
import { judgeExisting } from './stages/judge-existing.ts';
import { judgeRefusal } from './stages/judge-refusal.ts';
import { keepIncident } from './stages/keep-incident.ts';
import { keepOriginal } from './stages/keep-original.ts';
import { limitPeer, limitPrincipal } from './stages/limit.ts';
import { observe } from './stages/observe.ts';
import { judgeTenancy, ownRows } from './stages/own-rows.ts';
import { readContent } from './stages/read-content.ts';
import { recognise } from './stages/recognise.ts';
import { recordIntent } from './stages/record-intent.ts';
import { recordOutcome } from './stages/record-outcome.ts';
import { release } from './stages/release.ts';
import { routeToTenant } from './stages/route.ts';
import { screenHead } from './stages/screen-head.ts';
import { shape } from './stages/shape.ts';
import { withhold } from './stages/withhold.ts';

/**
 * The way of a request, in order. Each stage may end it; only a request that passes all of them reaches
 * the EMR, and only in `forward`. Nothing after `canonicalise` sees the raw URL or the raw headers.
 */
export const ADMISSION: readonly Stage[] = Object.freeze([
  canonicalise, //    one meaning, or refused
  limitPeer, //       cheap protection before anything costly
  routeToTenant, //   exact authority; SNI and Host agree; the route of the tenant's policy
  requireCertificate, // where a tenant protects everything by client certificates
  apart, //           the gateway's own pages, and an embedded issuer's host: answered here
  attend, //          paused, being maintained or closed at this hour
  authenticate, //    a credential becomes a principal of this tenant, or nobody
  broaden, //         emergency access: more scopes for a while
  limitPrincipal, //  per principal and per route
  guard, //           whoever meets unusually many absent records
  decide, //          the policy: only an explicit permit passes
  ownRows, //         where a database is shared: row by row
  describe, //        capability statements will say what the policy permits
  screenHead, //      path, query, headers, cookies: nothing injected, values as typed
  inspect, //         size, media type and coding of the body
  readContent, //     the whole body with its one meaning, where somebody has to see it
  judgeTenancy, //    it does not speak for another tenant
  judgeContent, //    the policy's word on the body
  screenContent, //   a valid payload, nothing injected
  attest, //          the EMR database's audit triggers are intact
  withhold, //        what the policy hides ends here, after all that depends on the request alone
  recordIntent, //    durable before the EMR sees anything
  judgeExisting, //   what a change would change, where the policy wants to see it first
  forward, //         the request itself goes to the back end
  attestAgain, //     writes: same epoch, still intact
  judgeRefusal, //    whether a refused change may be called so
  recognise, //       an error or a "not there" behind a good status
  judgeAnswer, //     the policy's word on the answer, before anything of it is released
]);

/** Every request, however it ended, goes through these. */
export const ANSWERING: readonly Stage[] = Object.freeze([
  guide, //           people at browsers are led to sign in
  keepOriginal, //    what the EMR said where the client does not get it
  shape, //           hide existence, replace error bodies, rewrite, security headers
  observe, //         the enumeration guard counts how it ended
  recordOutcome, //   durable before the answer
  release, //         at once, or at the deadline of a hidden answer
  keepIncident, //    for staff, sealed, at another time
]);

const INTERNAL: Ending = Object.freeze({ kind: 'unavailable', reason: 'internal' });

/** Runs one exchange to its end. Never rejects. */
export async function run(x: Exchange): Promise<void> {
  // Both ways in one function: each further one that waits costs every request a promise and a turn.
  let stages = ADMISSION;
  let ending: Ending | undefined;
  for (;;) {
    try {
      // By number: in a function that waits, an iterator costs an object for each stage.
      for (let at = 0; at < stages.length; at += 1) {
        const stage = stages[at];
        if (stage === undefined) {
          ending = INTERNAL;
          break;
        }
        const step = stage(x);
        // Awaiting only what is a promise keeps the common request off the microtask queue.
        ending = step instanceof Promise ? await step : step;
        if (ending !== undefined) break;
      }
    } catch (error) {
      reportInternal(error);
      ending = INTERNAL;
    }
    if (stages === ANSWERING) break;
    x.ending = ending;
    ending = undefined;
    stages = ANSWERING;
  }
  x.giveRoom?.();
  if (ending === undefined) return;
  x.backend?.cut();
  x.tunnel?.abandon();
  x.client.destroy();
}

/** An error of ours: its kind and place, never its message, which may quote the request. */
function reportInternal(error: unknown): void {
  const stack =
    error instanceof Error
      ? (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
      : [];
  const name = error instanceof Error ? error.name : typeof error;
  process.stderr.write(
    `${JSON.stringify({ level: 'error', event: 'internal', error: name, at: stack.slice(0, 4).map((line) => line.trim()) })}\n`,
  );
}
