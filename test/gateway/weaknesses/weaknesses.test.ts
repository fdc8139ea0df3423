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
