import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Service } from '../../support/service.ts';
import { give, type OsAccount } from '../isolation.ts';
import { writeSecret } from '../layout.ts';
import type { BeforeGateway } from '../stack.ts';
import { commandsOn, type RunCommand } from './command.ts';
import { type IssuerParts, issuerConfiguration, policyForPeople } from './configuration.ts';

/** The embedded issuer: its files, its process, and commands on its state. */
export interface IssuerHere {
  readonly parts: IssuerParts;
  readonly settings: string;
  readonly service: Service;
  readonly command: RunCommand;
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const secret = (): string => randomBytes(32).toString('base64url');

/** Writes what the issuer and the gateway need to know of each other, each its own copy, and starts the issuer. */
export async function startEmbeddedIssuer(around: BeforeGateway): Promise<IssuerHere> {
  const { layout, isolation, gatewayPort } = around;
  const { id, clinic: name, origin, audience } = around.tenants.north;
  const owner = isolation.issuer;
  const folder = closed(join(layout.gateway, '..', 'identity'), owner);
  closed(join(folder, 'state'), owner);
  // Set-group-id: the socket gets the gateway's group, of which the issuer is no member.
  const run = closed(join(dirname(layout.run), 'run-issuer'), owner);
  give(run, owner, isolation.gateway);
  chmodSync(run, 0o2750);
  const socket = join(run, 'i.sock');
  const parts: IssuerParts = {
    url: `https://id.localhost:${gatewayPort}`,
    socket,
    tenant: { id, name, origin, audience },
  };

  const shared = { between: secret(), client: secret() };
  writeSecret(join(folder, 'gateway.secret'), shared.between, owner);
  writeSecret(join(folder, 'client.secret'), shared.client, owner);
  writeSecret(join(folder, 'state.key'), secret(), owner);
  const settings = join(folder, 'issuer.yaml');
  writeSecret(settings, issuerConfiguration(parts), owner);

  closed(join(layout.gateway, 'state'), isolation.gateway);
  writeSecret(join(layout.gateway, 'issuer.secret'), shared.between, isolation.gateway);
  writeSecret(join(layout.gateway, 'client.secret'), shared.client, isolation.gateway);
  writeSecret(join(layout.gateway, 'state.key'), secret(), isolation.gateway);
  const policy = join(layout.gateway, 'people.yaml');
  writeFileSync(policy, policyForPeople(join(layout.gateway, 'policy.yaml')));
  give(policy, isolation.gateway);

  const service = new Service({
    name: 'embedded issuer',
    command: process.execPath,
    args: [join(root, 'bin', 'chartgate.mjs'), 'issuer', '--config', settings],
    ready: /"ready"/,
    logFile: join(layout.logs, 'embedded-issuer.log'),
    account: owner,
  });
  await service.start();
  return { parts, settings, service, command: commandsOn(root, settings, owner) };
}

function closed(path: string, owner: OsAccount | undefined): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  give(path, owner);
  return path;
}
