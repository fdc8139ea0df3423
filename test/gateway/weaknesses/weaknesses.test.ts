import { afterAll, beforeAll } from 'vitest';
import { describeFloods } from './floods.ts';
import { describeFraming } from './framing.ts';
import { type Guarded, startGuarded } from './gateway.ts';
import { describeHeaders } from './headers.ts';
import { describeIdentity } from './identity.ts';
import { describePaths } from './paths.ts';

/**
 * One test for each class of weakness that was published about a peer, by its identifier. Each sends what the report
 * tells of through a whole gateway and looks at what its back end got.
 *
 * What the reports say where a short list of them would mislead: CVE-2026-1525 is two lengths in different letters from
 * undici, CVE-2026-1527 its `upgrade` option; CVE-2026-1526 is unbounded decompression of WebSocket messages and
 * CVE-2026-1528 a 64-bit frame length, both in undici's client; CVE-2026-2836 is a cache key without a host;
 * GHSA-7r4p-vjf4-gxv4 is CVE-2026-30851 (Caddy), GHSA-pm7g-w2cf-q238 is CVE-2026-29000 (pac4j). Of CVE-2026-6338 no
 * public report was found; its class is the one of CVE-2026-26365 (Akamai), which is tested beside it.
 */

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded();
}, 120_000);
afterAll(() => guarded?.stop());

const gateway = () => guarded;

describeHeaders(gateway);
describeFraming(gateway);
describePaths(gateway);
describeIdentity(gateway);
describeFloods(gateway);
