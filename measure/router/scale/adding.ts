import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askGateway } from '../../../cli/commands/tenant/running.ts';
import { give } from '../../../examples/demo/isolation.ts';
import type { Stack, TenantName } from '../../../examples/demo/stack.ts';
import { type Common, hostOf, nameOf, tenantFile } from './tenants.ts';

export interface Added {
  /** From the file's rename until every worker served it, milliseconds. */
  readonly milliseconds: number;
  /** Status of the first request to it, without a token: 401 where it is served, 421 where it is not. */
  readonly status: number;
}

/** Adds tenants one after the other, as the command does, and asks for each at once. */
export async function addTenants(
  stack: Stack,
  around: {
    readonly folder: string;
    readonly first: number;
    readonly count: number;
    readonly common: Common;
  },
): Promise<readonly Added[]> {
  const { folder, first, count, common } = around;
  const added: Added[] = [];
  for (let index = first; index < first + count; index++) {
    await put(stack, folder, index, common);
    const from = performance.now();
    const { answer } = await told(stack, index);
    const milliseconds = performance.now() - from;
    if (!answer.ok) throw new Error(answer.message);
    added.push({ milliseconds, status: await statusAt(hostOf(index, common), common.port) });
    await sleep(250);
  }
  return added;
}

/** Takes them away again. */
export async function removeTenants(
  stack: Stack,
  folder: string,
  first: number,
  count: number,
): Promise<void> {
  for (let index = first; index < first + count; index++) {
    rmSync(join(folder, `${nameOf(index)}.yaml`));
    await told(stack, index);
  }
}

async function put(stack: Stack, folder: string, index: number, common: Common): Promise<void> {
  const making = join(folder, `.${nameOf(index)}.making`);
  writeFileSync(making, tenantFile(index, common), { mode: 0o640 });
  if (statSync(folder).uid !== statSync(making).uid) give(making, stack.isolation.gateway);
  renameSync(making, join(folder, `${nameOf(index)}.yaml`));
}

async function told(stack: Stack, index: number) {
  const reached = await askGateway(stack.layout.activity, { do: 'take-tenants', ids: [nameOf(index)] });
  if (reached.state !== 'answered') throw new Error(`the gateway could not be asked: ${reached.state}`);
  return reached;
}

function statusAt(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        servername: host.replace(/:\d+$/, ''),
        path: '/fhir/Patient?_count=1',
        headers: { host },
        // The certificate has no such name, which is no part of what is measured.
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    asked.once('error', reject);
    asked.end();
  });
}

export interface Seen {
  readonly startedAt: number;
  readonly milliseconds: number;
  readonly status: number;
}

/** Clients of a clinic that is served all the time, each with one connection. */
export async function steadyLoad(stack: Stack, clients: number, pauseMs: number) {
  const seen: Seen[] = [];
  let going = true;
  const tenants: readonly TenantName[] = ['north', 'south'];
  const running = tenants.flatMap((tenant) =>
    Array.from({ length: clients }, async () => {
      const token = await stack.token({ tenant, scopes: ['system/Patient.rs'] });
      const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: stack.authority });
      while (going) {
        seen.push(await once(stack.tenants[tenant].origin, token, agent));
        await sleep(pauseMs);
      }
      agent.destroy();
    }),
  );
  return {
    seen,
    async stop(): Promise<readonly Seen[]> {
      going = false;
      await Promise.all(running);
      return seen;
    },
  };
}

function once(origin: string, token: string, agent: Agent): Promise<Seen> {
  const startedAt = performance.now();
  const url = new URL(origin);
  return new Promise((resolve) => {
    const end = (status: number) =>
      resolve({ startedAt, milliseconds: performance.now() - startedAt, status });
    const asked = request(
      {
        host: '127.0.0.1',
        port: url.port,
        servername: url.hostname,
        path: '/fhir/Patient?_count=1',
        headers: { host: url.host, authorization: `Bearer ${token}` },
        agent,
      },
      (response) => {
        response.resume();
        response.once('end', () => end(response.statusCode ?? 0));
        response.once('error', () => end(0));
      },
    );
    asked.once('error', () => end(0));
    asked.end();
  });
}
