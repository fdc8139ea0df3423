import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { PASSWORD_DEFAULTS } from '../../contracts/account-settings.ts';
import { systemClock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { JsonBody } from '../../contracts/state.ts';
import { judgePassword } from '../../identity/accounts/password-policy.ts';
import {
  type ClientCertificate,
  Clients,
  expiringClients,
  type Issued,
  type ShownClient,
} from '../../identity/clients/index.ts';
import { openState } from '../../identity/state/index.ts';
import { EXIT } from '../output.ts';
import { stateNamedIn } from '../state-settings.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Bytes of a file with a chosen secret or keys. */
const FILE_LIMIT = 64 * 1024;

interface Common {
  readonly config: string;
  readonly json?: true;
}

interface Described {
  readonly name?: string;
  readonly scopes?: string;
  readonly address?: readonly string[];
  readonly keys?: string;
  readonly certificate?: string;
}

interface Secretive {
  readonly chosen?: string;
  readonly days?: string;
}

const NOTES = `
Run it as the OS user of the process whose settings are given: with the gateway's the clients are those that send
their secret with each request (tenants[].apiClients), with the issuer's those that ask it for tokens.
A secret is printed once and kept nowhere; only its hash is. Exit codes: ${EXIT.ok} done, ${EXIT.finding} (list
--expiring) some end soon, ${EXIT.usage} wrong usage, ${EXIT.configuration} faulty settings, ${EXIT.unavailable} the store cannot be reached.`;

/** `chartgate client create|list|show|update|rotate|activate|deactivate`. */
export function register(program: Command): void {
  const client = program
    .command('client')
    .description("API clients, such as a laboratory's system: who they are, what they may, their secrets.");
  const add = (name: string, description: string): Command =>
    client
      .command(name)
      .description(description)
      .requiredOption('--config <file>', 'settings of the gateway or of the issuer')
      .option('--json', 'print the result as JSON')
      .addHelpText('after', NOTES);
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  const described = (command: Command): Command =>
    command
      .option('--scopes <scopes>', 'what it may: scopes, separated by spaces')
      .option(
        '--address <address>',
        'an address or network (CIDR) it may call from; repeat it; "any" for all',
        collect,
      )
      .option('--keys <file>', 'proves itself by keys (private_key_jwt): JWK set with the public halves')
      .option(
        '--certificate <which>',
        'proves itself by certificate: DNS:…, URI:…, email:…, sha256:… or subject:…',
      );
  const secretive = (command: Command): Command =>
    command
      .option(
        '--chosen <file>',
        'a secret chosen by a person, in a file of mode 0600; "-" reads standard input',
      )
      .option('--days <days>', 'days for which the secret is good, 1 to 90', '90');

  described(
    secretive(
      add('create', 'Make a client and print its id and secret.')
        .requiredOption('--tenant <id>', 'the tenant whose data it may reach')
        .requiredOption('--name <name>', 'for people'),
    ),
  ).action((options: Common & Described & Secretive & { tenant: string; name: string }) => create(options));
  add('list', 'Print the clients and when their secrets end.')
    .option('--tenant <id>', 'of this tenant only')
    .option('--expiring', 'only those that are locked out within 14 days; exit code 1 when there are any')
    .action(list);
  add('show', 'Print one client.')
    .argument('<client>', 'its id')
    .action((id: string, options: Common) =>
      using(options, async (clients) => printClient(await clients.show(id), options)),
    );
  described(
    add('update', 'Change what a client may.')
      .argument('<client>', 'its id')
      .option('--name <name>', 'for people'),
  ).action((id: string, options: Common & Described) =>
    using(options, async (clients) => printClient(await clients.update(id, changesOf(options)), options)),
  );
  secretive(
    add('rotate', 'Make a new secret; the old one stays good for the overlap.')
      .argument('<client>', 'its id')
      .option('--overlap <hours>', 'hours for which the old secret stays good, 0 to 336', '24'),
  ).action((id: string, options: Common & Secretive & { overlap: string }) =>
    using(options, async (clients) =>
      printIssued(
        await clients.rotate(id, {
          ...secretOf(options),
          overlapMs: wholeNumber(options.overlap, '--overlap') * HOUR_MS,
        }),
        options,
      ),
    ),
  );
  for (const [name, active] of [
    ['activate', true],
    ['deactivate', false],
  ] as const) {
    add(name, active ? 'Let a client in again.' : 'Let a client in no more, within a second.')
      .argument('<client>', 'its id')
      .action((id: string, options: Common) =>
        using(options, async (clients) => printClient(await clients.setActive(id, active), options)),
      );
  }
}

async function using(options: Common, act: (clients: Clients) => Promise<void>): Promise<void> {
  const store = await openState(stateNamedIn(options.config).state);
  try {
    await act(new Clients(store, systemClock, faultsOfSecret));
  } finally {
    await store.close();
  }
}

/** The OWASP rules for secrets that people choose: long enough, not common, not guessable. */
async function faultsOfSecret(secret: string, names: readonly string[]): Promise<readonly string[]> {
  const judged = await judgePassword(secret, PASSWORD_DEFAULTS.length, { names });
  return judged.ok ? [] : judged.faults;
}

async function create(
  options: Common & Described & Secretive & { readonly tenant: string; readonly name: string },
): Promise<void> {
  await using(options, async (clients) => {
    const issued = await clients.create({
      ...changesOf(options),
      ...secretOf(options),
      tenant: options.tenant,
      name: options.name,
      scopes: scopesOf(options.scopes ?? ''),
    });
    printIssued(issued, options);
  });
}

async function list(options: Common & { readonly tenant?: string; readonly expiring?: true }): Promise<void> {
  const store = await openState(stateNamedIn(options.config).state);
  try {
    let shown = await new Clients(store, systemClock).list(options.tenant);
    if (options.expiring === true) {
      const ids = new Set((await expiringClients(store, systemClock)).map(({ client }) => client.clientId));
      shown = shown.filter(({ clientId }) => ids.has(clientId));
      if (shown.length > 0) process.exitCode = EXIT.finding;
    }
    if (options.json) console.log(JSON.stringify(shown, null, 2));
    else if (shown.length === 0) console.log('none');
    else for (const client of shown) console.log(line(client));
  } finally {
    await store.close();
  }
}

function changesOf(options: Described) {
  const { address } = options;
  return {
    name: options.name,
    scopes: options.scopes === undefined ? undefined : scopesOf(options.scopes),
    addresses: address?.length === 1 && address[0] === 'any' ? [] : address,
    keys: options.keys === undefined ? undefined : keysOf(options.keys),
    certificate: options.certificate === undefined ? undefined : certificateOf(options.certificate),
  };
}

const scopesOf = (text: string): readonly string[] => text.split(' ').filter((scope) => scope !== '');

function secretOf({ chosen, days }: Secretive) {
  return {
    lifeMs: wholeNumber(days ?? '90', '--days') * DAY_MS,
    chosen:
      chosen === undefined
        ? undefined
        : read(chosen, true)
            .toString('utf8')
            .replace(/\r?\n$/, ''),
  };
}

function wholeNumber(text: string, option: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new ChartgateError('usage', `${option} must be a whole number.`);
  return Number(text);
}

function keysOf(file: string): readonly JsonBody[] {
  const wrong = () => new ChartgateError('usage', '--keys: the file must hold a JWK set: {"keys": [ … ]}.');
  let set: unknown;
  try {
    set = JSON.parse(read(file, false).toString('utf8'));
  } catch (error) {
    throw error instanceof ChartgateError ? error : wrong();
  }
  const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys) || keys.some((key) => typeof key !== 'object' || key === null)) throw wrong();
  return keys as readonly JsonBody[];
}

function certificateOf(text: string): ClientCertificate {
  if (/^(?:DNS|URI|email):/.test(text)) return { by: 'name', value: text };
  const [kind, ...rest] = text.split(':');
  const value = rest.join(':');
  if (kind === 'subject') return { by: 'subject', value };
  const hex = value.replaceAll(':', '');
  if (kind === 'sha256')
    return {
      by: 'thumbprint',
      value: /^[0-9A-Fa-f]{64}$/.test(hex) ? Buffer.from(hex, 'hex').toString('base64url') : value,
    };
  throw new ChartgateError('usage', '--certificate must begin with DNS:, URI:, email:, sha256: or subject:.');
}

function read(file: string, secret: boolean): Buffer {
  let content: Buffer;
  try {
    content = readFileSync(file === '-' ? 0 : file);
  } catch {
    throw new ChartgateError('usage', `${secret ? '--chosen' : '--keys'}: the file cannot be read.`);
  }
  if (content.length > FILE_LIMIT) throw new ChartgateError('usage', 'the file is too long.');
  return content;
}

const day = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');

function lastEnd({ secrets }: ShownClient): string {
  return secrets.length === 0 ? '-' : day(Math.max(...secrets.map(({ expiresAt }) => expiresAt)));
}

function line(client: ShownClient): string {
  const { clientId, tenant, active, method, name } = client;
  return `${clientId}  ${tenant}  ${active ? 'active' : 'inactive'}  ${method}  until ${lastEnd(client)}  ${name}`;
}

function printClient(client: ShownClient, options: Common): void {
  console.log(options.json ? JSON.stringify(client, null, 2) : page(client));
}

function printIssued({ client, secret }: Issued, options: Common): void {
  if (options.json) {
    console.log(JSON.stringify({ client, ...(secret === undefined ? {} : { secret }) }, null, 2));
    return;
  }
  console.log(page(client));
  if (secret !== undefined)
    console.log(`\nsecret     ${secret}\n           (shown once; put it where only the client can read it)`);
}

function page(client: ShownClient): string {
  const { certificate } = client;
  return [
    `client     ${client.clientId}`,
    `name       ${client.name}`,
    `tenant     ${client.tenant}`,
    `state      ${client.active ? 'active' : 'inactive'}`,
    `proves by  ${client.method}${certificate === undefined ? '' : ` (${certificate.by}: ${certificate.value})`}`,
    `scopes     ${client.scopes.join(' ')}`,
    `addresses  ${client.addresses.length === 0 ? 'any' : client.addresses.join(' ')}`,
    ...client.secrets.map(
      ({ kind, createdAt, expiresAt }) =>
        `secret     ${kind}, made ${day(createdAt)}, ${expiresAt > Date.now() ? 'good until' : 'ended'} ${day(expiresAt)}`,
    ),
  ].join('\n');
}
