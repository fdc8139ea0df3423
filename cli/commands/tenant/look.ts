import { expiryMessage, readGatewaySources, tenantExpiries } from '../../../config/index.ts';
import { EXPIRES_SOON_MS } from '../../../contracts/certificates.ts';
import type { TenantSettings } from '../../../contracts/settings.ts';
import { readSettings } from '../../../gateway/process/runtime.ts';
import { EXIT } from '../../output.ts';
import type { ChangeOptions } from './change.ts';
import { lookAt } from './checks.ts';
import { tenantId, tenantIn } from './place.ts';
import { askGateway } from './running.ts';
import { printFindings, tableOf } from './shown.ts';

type State = 'served' | 'paused' | 'not served' | 'unknown';

/** What the running gateway serves, by id; undefined when it cannot be asked. */
async function servedBy(
  logDirectory: string,
): Promise<ReadonlyMap<string, { readonly paused: boolean }> | undefined> {
  const reached = await askGateway(logDirectory, { do: 'status' });
  if (reached.state === 'not-running') return new Map();
  if (reached.state !== 'answered' || !reached.answer.ok || reached.answer.do !== 'status') return undefined;
  return new Map(reached.answer.tenants.map((each) => [each.id, each]));
}

function stateOf(id: string, served: ReadonlyMap<string, { readonly paused: boolean }> | undefined): State {
  if (served === undefined) return 'unknown';
  const found = served.get(id);
  if (found === undefined) return 'not served';
  return found.paused ? 'paused' : 'served';
}

/** Every tenant of the files, and whether the running gateway serves it. */
export async function runList(options: ChangeOptions): Promise<void> {
  const settings = readSettings(readGatewaySources(options.config));
  const served = await servedBy(settings.activityLog.directory);
  const tenants = settings.tenants.map((tenant) => ({
    id: tenant.id,
    state: stateOf(tenant.id, served),
    paused: tenant.paused === true,
    hosts: tenant.hosts,
    database: tenant.database,
    policy: tenant.policy,
    backends: tenant.backends.map(({ origin }) => origin),
  }));
  if (options.json === true) {
    console.log(JSON.stringify({ tenants }));
    return;
  }
  const rows = tenants.map(({ id, state, hosts, database, policy }) => [
    id,
    state,
    hosts[0] ?? '',
    database,
    policy,
  ]);
  console.log(tableOf([['TENANT', 'STATE', 'HOST', 'DATABASE', 'POLICY'], ...rows]));
}

/** One tenant: what is written, what is in force, when certificates expire, and everything that can be tried. */
export async function runShow(
  named: string,
  options: ChangeOptions & { readonly check: boolean },
): Promise<void> {
  const id = tenantId(named);
  const settings = readSettings(readGatewaySources(options.config));
  const tenant = tenantIn({ settings }, id);
  const served = await servedBy(settings.activityLog.directory);
  const state = stateOf(id, served);
  const certificates = tenantExpiries(tenant, settings).map(({ kind, of, expiresAt }) => ({
    kind,
    of,
    expires: new Date(expiresAt).toISOString(),
    soon: expiresAt - Date.now() < EXPIRES_SOON_MS,
  }));
  const findings = options.check ? await lookAt(tenant, settings) : [];
  if (findings.some(({ mark }) => mark === 'failed')) process.exitCode = EXIT.finding;
  if (options.json === true) {
    console.log(JSON.stringify({ ...plain(tenant), state, certificates, findings }));
    return;
  }
  const { hosts, audience, issuers, database, policy, backends } = plain(tenant);
  const lines = [
    `tenant     ${id} (${state})`,
    `hosts      ${hosts.join(', ')}`,
    `audience   ${audience}`,
    `issuers    ${issuers.join(', ')}`,
    `database   ${database}`,
    `policy     ${policy}`,
    ...backends.map((origin) => `back end   ${origin}`),
    ...tenantExpiries(tenant, settings).map((each) => `expires    ${expiryMessage(each, Date.now())}`),
  ];
  for (const line of lines) console.log(line);
  printFindings(findings, []);
}

function plain({ id, paused, hosts, audience, issuers, database, policy, backends }: TenantSettings) {
  return {
    tenant: id,
    paused: paused === true,
    hosts,
    audience,
    issuers,
    database,
    policy,
    backends: backends.map(({ origin }) => origin),
  };
}
