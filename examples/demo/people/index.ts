import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from '../../support/browser.ts';
import { writeSecret } from '../layout.ts';
import type { BeforeGateway, Stack } from '../stack.ts';
import { json, type Ran, type RunCommand } from './command.ts';
import { withSignIn } from './configuration.ts';
import { type IssuerHere, startEmbeddedIssuer } from './issuer.ts';
import { Person } from './person.ts';

/** The people of Northgate Clinic, who sign in at the embedded issuer, and the issuer itself. */
export interface People extends IssuerHere {
  /** Two administrators, of whom each needs the other. */
  readonly anna: Person;
  readonly boris: Person;
  /** At the front desk; may see the EMR's pages. */
  readonly uma: Person;
  /** Makes an account: anna asks, boris approves, its owner sets a password with both halves of the code. */
  employ(person: Person): Promise<void>;
  /** Lays a person's password and keys where whoever started the demo can read them, and says where. */
  keep(person: Person): string;
}

/** What a command says that asked for something, or approved it. */
export interface Asked {
  readonly request: { readonly id: string };
  readonly codes: readonly { readonly login: string; readonly text: string }[];
}

export const ORGANISATION = 'northgate';
/** A role of the clinic's own: the scope that the EMR's pages ask for. */
const ROLE = 'front-desk';

export interface PreparedPeople {
  readonly adjust: (usual: Readonly<Record<string, unknown>>) => object;
  /** Once the gateway is up: administrators sign in for the first time, and the clinic's first user is made. */
  settle(): Promise<People>;
  stop(): Promise<void>;
}

/** Starts the embedded issuer and makes, with the product's own commands, a clinic with people in it. */
export async function preparePeople(around: BeforeGateway): Promise<PreparedPeople> {
  const issuer = await startEmbeddedIssuer(around);
  const [anna, boris, uma] = [
    new Person('anna', 'Anna Adams'),
    new Person('boris', 'Boris Brown'),
    new Person('uma', 'Uma Underwood'),
  ];
  const { command: run, parts, service } = issuer;
  const folder = join(around.layout.gateway, '..', 'people');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Meanwhile the gateway starts.
  const founded = found(run, [anna, boris]);
  founded.catch(() => {});

  const firstSignIn = (person: Person, address: string): Promise<void> => {
    const browser = new Browser(around.authority.certificatePem);
    return browser.open(address).then(() => person.enrol(browser));
  };
  const people: People = {
    ...issuer,
    anna,
    boris,
    uma,
    async employ(person) {
      const words = ['user', 'create', person.login, '--name', person.name];
      const grants = ['--organisation', ORGANISATION, '--role', ROLE];
      const asked = said<Asked>(await anna.command(run, [...words, ...grants]));
      const approved = said<Asked>(await boris.command(run, ['user', 'approve', asked.request.id]));
      const code = `${asked.codes[0]?.text}-${approved.codes[0]?.text}`;
      await json(run, ['user', 'enrol'], [code, person.password]);
    },
    keep(person) {
      const file = (what: string): string => join(folder, `${person.login}.${what}`);
      writeSecret(file('password'), `${person.password}\n`, undefined);
      if (person.enrolled) {
        writeSecret(file('totp'), `${person.authenticator.key}\n`, undefined);
        writeSecret(file('recovery-codes'), `${person.recoveryCodes.join('\n')}\n`, undefined);
      }
      return file('password');
    },
  };
  return {
    adjust: (usual) => withSignIn(usual, parts),
    async settle() {
      await founded;
      await Promise.all([anna, boris].map((each) => firstSignIn(each, `${parts.url}/account`)));
      const role = ['role', 'set', ROLE, '--organisation', ORGANISATION, '--scope', 'emr/pages'];
      const { request } = said<Asked>(await anna.command(run, role));
      said(await boris.command(run, ['approval', 'approve', request.id]));
      await people.employ(uma);
      await firstSignIn(uma, `${parts.tenant.origin}/patients`);
      return people;
    },
    stop: () => service.stop(),
  };
}

/** The beginning: the issuer's OS user makes the clinic with its administrators, who set passwords. */
async function found(run: RunCommand, administrators: readonly Person[]): Promise<void> {
  const named = administrators.flatMap(({ login, name }) => ['--administrator', `${login}=${name}`]);
  const { codes } = await json<Asked>(run, ['organisation', 'create', ORGANISATION, ...named]);
  await Promise.all(
    administrators.map(({ login, password }) => {
      const code = codes.find((each) => each.login === login)?.text ?? '';
      return json(run, ['user', 'enrol'], [code, password]);
    }),
  );
}

/** The JSON of a command that went well. @throws Error otherwise */
export function said<T = unknown>({ code, out, err }: Ran): T {
  if (code !== 0) throw new Error(`a command ended with ${code}: ${out}${err}`);
  return JSON.parse(out) as T;
}

/** @throws Error where the stack was started without people */
export function peopleOf(stack: Stack): People {
  if (stack.people === undefined) throw new Error('the stack was started without people');
  return stack.people;
}
