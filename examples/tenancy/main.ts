import { join } from 'node:path';
import { dropAuditTrigger } from '../demo/tamper.ts';
import { ask } from '../support/https-client.ts';
import { CLINICS, type ClinicName, startTenancy } from './stack.ts';

/**
 * Eight clinics in the three ways to attach them, behind one gateway: `node examples/tenancy/main.ts`. Shows whose charts
 * each is given, that a token of one opens no other, and who notices when a database is tampered with. Then it ends.
 */
const directory = join(import.meta.dirname, '..', '..', '.work', 'tenancy-example');
const { stack, origin, token } = await startTenancy(directory, (what) => console.log(`starting ${what} …`));
const names = Object.keys(CLINICS) as ClinicName[];

async function get(clinic: ClinicName, path: string, of: ClinicName = clinic): Promise<string> {
  const url = `${origin(clinic)}${path}`;
  const reply = await ask({ url, authority: stack.authority, token: await token(of) });
  const rows = reply.status === 200 ? (JSON.parse(reply.text) as { name: string }[]) : [];
  return `${reply.status}  ${rows.map(({ name }) => name).join(', ')}`;
}

async function show(title: string, path: string, of?: ClinicName): Promise<void> {
  console.log(`\n${title}`);
  for (const name of names)
    console.log(`  ${name.padEnd(6)} ${CLINICS[name].model.padEnd(14)} ${await get(name, path, of)}`);
}

try {
  await show('GET /everyone, a report of the EMR that forgets the clinic', '/everyone');
  await show('The same with a token for birch', '/everyone', 'birch');
  const broken = await dropAuditTrigger(stack, stack.tenants.south, 'card');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await show(`Somebody dropped the trigger ${broken.name} of the database of elm and ivy`, '/everyone');
} finally {
  await stack.stop();
}
process.exit(0);
