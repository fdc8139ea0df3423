import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lastCheckpoint } from '../../integrity-checker/seal/verify/index.ts';
import { portOr } from '../support/ports.ts';
import { showPeople } from './people/shown.ts';
import { PEOPLE_TOUR } from './people/tour.ts';
import { bold, dim, green, printStep, red, table } from './report.ts';
import { type Stack, startStack, TENANTS } from './stack.ts';
import { TOUR } from './tour.ts';

const USAGE = `npm run demo [-- [--once] [--port N] [--directory DIR] [--without-people]]

Starts the whole of Chartgate on this machine: a private MariaDB, two clinics with legacy EMRs, their audit
triggers and baselines, the integrity checker, an OpenID provider for API clients, the embedded issuer for people, and
the gateway on https://localhost:8443.

  --once            make the tour, print each step, and end; exit code 0 only if every step came out as promised
  --port N          the gateway's port (default 8443; the next free one when it is taken and none was asked for)
  --directory DIR   where everything is written (default .demo; emptied at start)
  --without-people  without the embedded issuer and its accounts: up in a third of the time
  --help            this text
`;

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    port: { type: 'string' },
    directory: { type: 'string' },
    'without-people': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const directory = resolve(values.directory ?? join(root, '.demo'));
const started = performance.now();
const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;

/** Two demos in one folder would empty it under each other's feet. */
const lock = `${directory}.pid`;
const other = runningDemo(lock);
if (other !== undefined) {
  console.error(`a demo is running already (process ${other}); stop it first, or name another --directory`);
  process.exit(1);
}
writeFileSync(lock, String(process.pid));

let stack: Stack | undefined;
let ending = false;

async function end(code: number): Promise<never> {
  if (!ending) {
    ending = true;
    await stack?.stop();
    rmSync(lock, { force: true });
  }
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    console.log(`\n${dim('stopping …')}`);
    void end(signal === 'SIGINT' ? 130 : 143);
  });
}

try {
  console.log(bold('Chartgate demo'));
  stack = await startStack({
    directory,
    people: values['without-people'] !== true,
    ...(await ports()),
    onStep: (what) => console.log(dim(`  starting ${what} …`)),
  });
  console.log(dim(`  everything is up after ${seconds()}. ${stack.isolation.detail}`));
  if (values.once) await tour(stack);
  else await show(stack);
} catch (error) {
  console.error(red(`the demo could not go on: ${error instanceof Error ? error.message : String(error)}`));
  await end(1);
}

/** The process number in a lock file, when that process is there and is a demo. */
function runningDemo(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8'));
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('demo') ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function ports(): Promise<{ gatewayPort: number; issuerPort: number; operationsPort: number }> {
  if (values.port !== undefined) {
    const gatewayPort = Number(values.port);
    if (!Number.isInteger(gatewayPort) || gatewayPort < 1 || gatewayPort > 65_535) {
      console.error(`--port must be 1 to 65535, not ${values.port}`);
      process.exit(2);
    }
    return { gatewayPort, issuerPort: 0, operationsPort: 0 };
  }

  return {
    gatewayPort: await portOr(8443),
    issuerPort: await portOr(9443),
    operationsPort: await portOr(9464),
  };
}

function doctor({ layout }: Stack, issuer: string): string {
  return `node bin/chartgate.mjs doctor --gateway ${layout.gateway}/gateway.yaml --checker ${layout.checker}/checker.yaml --issuer ${issuer}`;
}

async function tour(running: Stack): Promise<void> {
  let failures = 0;
  const steps = running.people === undefined ? TOUR : [...TOUR, ...PEOPLE_TOUR];
  for (const [at, step] of steps.entries()) {
    const report = await step.run(running);
    printStep(report, at + 1);
    if (!report.ok) failures += 1;
  }
  const verdict =
    failures === 0
      ? green(`All ${steps.length} steps came out as promised`)
      : red(`${failures} of ${steps.length} steps did not come out as promised`);
  console.log(`\n${verdict} (${seconds()}).`);
  await end(failures === 0 ? 0 : 1);
}

async function show(running: Stack): Promise<void> {
  const { north } = running.tenants;
  const client = running.clients[0];
  const host = new URL(north.origin).host;
  const resolve = `--resolve ${host}:127.0.0.1`;
  console.log(`\n${bold('What runs')}`);
  console.log(
    table([
      ...TENANTS.map((tenant) => [
        running.tenants[tenant].clinic,
        running.tenants[tenant].origin,
        `its EMR, unprotected: ${running.tenants[tenant].emr.origin}`,
      ]),
      ['OpenID provider', running.issuerUrl, 'an outside one, for API clients; see the clients below'],
      ...(running.people === undefined
        ? []
        : [['Embedded issuer', running.people.parts.url, 'where people sign in; see the people below']]),
      ['Operations', `${running.operationsUrl}/metrics`, 'also /ready and /live'],
      [
        'MariaDB',
        `127.0.0.1:${running.mariadb.port}`,
        `mariadb --socket=${running.mariadb.socket} -uroot -p"$(cat ${running.mariadb.directory}/administrator.password)"`,
      ],
      ['Activity log', running.layout.activity, 'npx chartgate log verify DIRECTORY'],
      ...(running.people === undefined
        ? []
        : [['Separation', 'of the processes', doctor(running, running.people.settings)]]),
      ['Sealed audit rows', join(running.layout.checker, 'seal'), 'npx chartgate audit verify --help'],
    ]),
  );
  const checkpoint = await lastCheckpoint(join(running.layout.checker, 'seal', 'north')).catch(() => '');
  console.log(
    `\n${bold('The last checkpoint of Northgate’s audit rows')}\n${checkpoint.replaceAll(/^/gm, '  ')}`,
  );
  console.log(`\n${bold('Clients')} ${dim('(secrets are made anew at each start)')}`);
  console.log(
    table(
      running.clients
        .filter((each) => each.scopes.length > 0)
        .map((each) => [each.id, each.secret, each.what, each.scopes.join(' ')]),
    ),
  );
  if (running.people !== undefined) await showPeople(running, running.people);
  console.log(`\n${bold('Try')}`);
  console.log(`  TOKEN=$(curl -s --cacert ${running.authorityFile} -u ${client?.id}:${client?.secret} -d grant_type=client_credentials \\
      -d scope='system/Patient.r system/Observation.cruds' -d resource=${north.audience} ${running.issuerUrl}/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -i --cacert ${running.authorityFile} ${resolve} -H "Authorization: Bearer $TOKEN" ${north.origin}/fhir/Patient/7
  curl -i --cacert ${running.authorityFile} ${resolve} -H "Authorization: Bearer $TOKEN" ${north.origin}/fhir/Patient/${north.restricted[0]}   ${dim('# exists, restricted')}
  curl -i --cacert ${running.authorityFile} ${resolve} -H "Authorization: Bearer $TOKEN" ${north.origin}/fhir/Patient/999999   ${dim('# does not exist')}
  then, as the database administrator: DROP TRIGGER on any table of ${north.schema}, and ask again`);
  console.log(`\nnpm run demo -- --once makes the whole tour by itself. ${bold('Ctrl-C')} stops everything.`);
}
