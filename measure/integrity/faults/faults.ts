import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { family } from '../../machine.ts';
import type { Bench } from '../bench.ts';
import { secretOf } from '../clinic.ts';
import { DECEITS, FalseChecker } from './false-checker.ts';
import type { DatabaseProxy } from './proxy.ts';

/** What faults are done to. */
export interface Scene {
  readonly bench: Bench;
  readonly proxy: DatabaseProxy;
  /** The same data on another server, and other data on a third; undefined where they could not be made. */
  readonly twin: PrivateDatabase | undefined;
  readonly stranger: PrivateDatabase | undefined;
}

export interface Fault {
  readonly name: string;
  readonly group: 'database' | 'checker' | 'false checker';
  /** How often in the full run, and in the short one. */
  readonly times: readonly [full: number, short: number];
  /** How long it lasts, ms. */
  readonly lastsMs: number;
  /**
   * `refused`: nothing strict may pass while it lasts. `served or refused`: what passes was verified by the
   * checker that is still there; only the recovery is judged.
   */
  readonly meanwhile: 'refused' | 'served or refused';
  /** Resolves when it has taken effect. */
  begin(scene: Scene): Promise<void>;
  /** Resolves when its cause is gone. */
  end(scene: Scene): Promise<void>;
}

const nothing = async (): Promise<void> => {};

const DATABASE_FAULTS: readonly Fault[] = [
  {
    name: 'database gone',
    group: 'database',
    times: [25, 1],
    lastsMs: 400,
    meanwhile: 'refused',
    begin: async ({ proxy }) => {
      proxy.conduct = 'shut';
    },
    end: async ({ proxy }) => {
      proxy.conduct = 'pass';
    },
  },
  {
    name: 'connections cut, new ones accepted',
    group: 'database',
    times: [25, 0],
    lastsMs: 50,
    meanwhile: 'served or refused',
    begin: async ({ proxy }) => proxy.cut(),
    end: nothing,
  },
  {
    name: 'answers take 3 s',
    group: 'database',
    times: [15, 0],
    lastsMs: 1_500,
    meanwhile: 'refused',
    begin: async ({ proxy }) => {
      proxy.conduct = 'slow';
    },
    end: async ({ proxy }) => {
      proxy.conduct = 'pass';
    },
  },
  {
    name: 'half-open: nothing comes any more',
    group: 'database',
    times: [20, 1],
    lastsMs: 1_300,
    meanwhile: 'refused',
    begin: async ({ proxy }) => {
      proxy.conduct = 'silent';
    },
    end: async ({ proxy }) => {
      proxy.conduct = 'pass';
    },
  },
  {
    name: 'half-open: the present connections only',
    group: 'database',
    times: [15, 0],
    lastsMs: 100,
    meanwhile: 'served or refused',
    begin: async ({ proxy }) => proxy.freezePresent(),
    end: nothing,
  },
  {
    name: 'server stands still (SIGSTOP)',
    group: 'database',
    times: [15, 0],
    lastsMs: 1_200,
    meanwhile: 'refused',
    begin: async ({ bench }) => freeze(bench.stack.mariadb.pid),
    end: async ({ bench }) => void process.kill(bench.stack.mariadb.pid, 'SIGCONT'),
  },
  {
    name: 'server restarted',
    group: 'database',
    times: [6, 0],
    lastsMs: 100,
    meanwhile: 'refused',
    begin: async ({ bench }) => bench.stack.mariadb.stop(),
    end: async ({ bench }) => bench.stack.mariadb.restart(),
  },
  {
    name: 'server killed and started again',
    group: 'database',
    times: [6, 0],
    lastsMs: 100,
    meanwhile: 'refused',
    begin: async ({ bench }) => bench.stack.mariadb.kill(),
    end: async ({ bench }) => bench.stack.mariadb.restart(),
  },
  {
    name: 'failed over to a server with the same data',
    group: 'database',
    times: [10, 0],
    lastsMs: 1_000,
    meanwhile: 'served or refused',
    begin: async ({ proxy, twin }) => lead(proxy, twin?.port),
    end: async ({ proxy, bench }) => lead(proxy, bench.stack.mariadb.port),
  },
  {
    name: 'failed over to a server with other data',
    group: 'database',
    times: [10, 0],
    lastsMs: 1_000,
    meanwhile: 'refused',
    begin: async ({ proxy, stranger }) => lead(proxy, stranger?.port),
    end: async ({ proxy, bench }) => lead(proxy, bench.stack.mariadb.port),
  },
];

const CHECKER_FAULTS: readonly Fault[] = [
  {
    name: 'checker killed',
    group: 'checker',
    times: [15, 0],
    lastsMs: 300,
    meanwhile: 'refused',
    begin: async ({ bench }) => {
      // Whatever it is started through: the one that answers must be gone as well.
      const pids = family(bench.stack.checker.pid);
      await bench.stack.checker.kill();
      for (const pid of pids) await gone(pid);
    },
    end: async ({ bench }) => bench.stack.checker.start(),
  },
  {
    name: 'checker stands still (SIGSTOP)',
    group: 'checker',
    times: [20, 1],
    lastsMs: 1_200,
    meanwhile: 'refused',
    begin: async ({ bench }) => {
      for (const pid of family(bench.stack.checker.pid)) await freeze(pid);
    },
    end: async ({ bench }) => {
      for (const pid of family(bench.stack.checker.pid)) process.kill(pid, 'SIGCONT');
    },
  },
  {
    name: 'socket removed',
    group: 'checker',
    times: [10, 0],
    lastsMs: 300,
    meanwhile: 'served or refused',
    begin: async ({ bench }) => rmSync(bench.stack.layout.socket, { force: true }),
    end: nothing,
  },
  {
    name: 'socket removed and the gateway’s worker killed',
    group: 'checker',
    times: [10, 0],
    lastsMs: 50,
    meanwhile: 'served or refused',
    begin: async ({ bench }) => {
      rmSync(bench.stack.layout.socket, { force: true });
      const [worker] = family(bench.stack.gateway.pid).slice(1);
      if (worker !== undefined) process.kill(worker, 'SIGKILL');
    },
    end: nothing,
  },
];

/** The real checker is stopped, and somebody else sits at its socket. */
const FALSE_CHECKERS: readonly Fault[] = DECEITS.map((deceit, index) => {
  let impostor: FalseChecker | undefined;
  return {
    name: deceit.name,
    group: 'false checker',
    times: [5, index % 8 === 0 ? 1 : 0],
    lastsMs: deceit.name.includes('silence') || deceit.name.includes('time limit') ? 1_200 : 400,
    meanwhile: 'refused',
    begin: async ({ bench }) => {
      await bench.stack.checker.stop();
      impostor = new FalseChecker(
        secretOf(join(bench.stack.layout.checker, 'attestation.secret')).reveal(),
        deceit,
      );
      await impostor.listen(bench.stack.layout.socket);
      // The gateway tries at least four times a second.
      await sleep(300);
    },
    end: async ({ bench }) => {
      await impostor?.close();
      await bench.stack.checker.start();
    },
  };
});

export const FAULTS: readonly Fault[] = [...DATABASE_FAULTS, ...CHECKER_FAULTS, ...FALSE_CHECKERS];

async function lead(proxy: DatabaseProxy, port: number | undefined): Promise<void> {
  if (port === undefined) throw new Error('there is no such server');
  proxy.target = port;
  proxy.cut();
}

/** `SIGSTOP`, and waits until every thread of the process stands still: until then it may still answer. */
async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const stopped = (): boolean =>
    readdirSync(`/proc/${pid}/task`).every((thread) => {
      const status = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      return status.slice(status.lastIndexOf(')') + 2).startsWith('T');
    });
  for (let waited = 0; waited < 2_000 && !stopped(); waited += 5) await sleep(5);
}

async function gone(pid: number): Promise<void> {
  for (let waited = 0; waited < 2_000; waited += 5) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(5);
  }
}
