import { relative } from 'node:path';
import { bold, dim, table } from '../report.ts';
import type { Stack } from '../stack.ts';
import { ORGANISATION, type People } from './index.ts';
import { Person } from './person.ts';

/** Tells who can sign in, and how to try it in a browser. Makes one more person, who has no second factor yet. */
export async function showPeople(stack: Stack, people: People): Promise<void> {
  const { north } = stack.tenants;
  const { uma, anna, boris, parts, settings } = people;
  const vera = new Person('vera', 'Vera Vance');
  await people.employ(vera);
  const here = (path: string): string => relative(process.cwd(), path) || '.';
  const shell = (path: string): string => here(path).replace(/'/g, "'\\''");
  const code = (person: Person): string =>
    `npm run -s demo:code ${shell(people.keep(person).replace(/password$/, 'totp'))}`;
  const row = (person: Person, what: string, second: string): string[] => [
    person.login,
    what,
    `cat ${shell(people.keep(person))}`,
    second,
  ];
  console.log(`\n${bold('People')} ${dim(`(accounts of the embedded issuer, ${parts.url})`)}`);
  console.log(
    table([
      ['login', 'who', 'password', 'code of the second factor'],
      row(uma, 'front desk', code(uma)),
      row(vera, 'front desk, never signed in yet', 'scan the QR code that the page shows'),
      row(anna, 'administrator', code(anna)),
      row(boris, 'administrator', code(boris)),
    ]),
  );
  const as =
    stack.isolation.issuer === undefined
      ? ''
      : `setpriv --reuid ${stack.isolation.issuer.uid} --regid ${stack.isolation.issuer.gid} --clear-groups `;
  console.log(`  In a browser that trusts ${here(stack.authorityFile)} (or accepts the certificate): ${bold(`${north.origin}/patients`)}
  signs in and leads to the EMR; ${north.origin}/.chartgate/sign-out signs out. ${parts.url}/account is everybody's own.
  It takes two to make an account (password, then code, are asked for):
  ${as}node bin/chartgate.mjs user create wanda --name 'Wanda West' --organisation ${ORGANISATION} --role front-desk --as anna --config ${here(settings)}
  ${as}node bin/chartgate.mjs user approve REQUEST --as boris --config ${here(settings)}`);
}
