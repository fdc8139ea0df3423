import { afterAll, afterEach, beforeAll } from 'vitest';
import { describeBackEnd } from './hostile/back-end.ts';
import { describeBodies } from './hostile/bodies.ts';
import { describeClients } from './hostile/clients.ts';
import { allIsFine, startScene, stopScene } from './hostile/scene.ts';
import { describeTunnels } from './hostile/tunnels.ts';

/** A gateway between clients and back ends that both misbehave. Each worker must live through all of it. */

beforeAll(startScene, 120_000);
afterAll(stopScene);
afterEach(allIsFine);

describeBackEnd();
describeBodies();
describeClients();
describeTunnels();
