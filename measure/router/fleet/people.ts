import { setTimeout as sleep } from 'node:timers/promises';
import { Authenticator } from '../../../examples/demo/people/authenticator.ts';
import { peopleOf } from '../../../examples/demo/people/index.ts';
import type { Browser } from '../../../examples/support/browser.ts';
import { ALL } from './cases.ts';
import type { Fleet } from './stack.ts';

export interface PeopleResult {
  /** Gateways that showed the page to a session of another. */
  readonly wentOn: number;
  /** Gateways that still did a second after another had ended it. */
  readonly livedOn: number;
  /** Gateways that took a code which another had taken. */
  readonly takenAgain: number;
}

/** What somebody's browser is shown of the EMR's pages. */
async function shown(fleet: Fleet, browser: Browser): Promise<boolean> {
  const url = `${fleet.stack.tenants.north.origin}/patients`;
  const page = await browser.open(url);
  return page.status === 200 && browser.url === url;
}

/** The key of somebody's app at the gateway; set up by the first sign-in there. */
let app: Authenticator | undefined;

/** Up to where the gateway asks for its own second factor. */
async function firstFactor(fleet: Fleet): Promise<Browser> {
  const { stack } = fleet;
  const { uma } = peopleOf(stack);
  return uma.signIn(stack.authority, `${stack.tenants.north.origin}/patients`, {
    method: 'recovery-code',
    code: uma.recoveryCode(),
  });
}

/** A session that the first gateway begins goes on at the others; ended at one, it is over at all. */
export async function sessionGoesOn(fleet: Fleet): Promise<Pick<PeopleResult, 'wentOn' | 'livedOn'>> {
  const { haproxy } = fleet;
  await haproxy.only(1);
  const browser = await firstFactor(fleet);
  const chosen = await browser.open(
    `${fleet.stack.tenants.north.origin}/.chartgate/enrol?method=totp&return=%2Fpatients`,
  );
  const key = /<code[^>]*>([A-Z2-7 ]{32,})<\/code>/.exec(chosen.text)?.[1];
  if (key === undefined) throw new Error('the gateway did not ask for an authenticator app');
  app = new Authenticator(key);
  await haproxy.only(2);
  await browser.send({ code: await app.next() });
  await browser.send({ kept: 'yes' });
  let wentOn = 0;
  for (const n of ALL) {
    await haproxy.only(n);
    if (await shown(fleet, browser)) wentOn += 1;
  }
  const twin = browser.twin();
  await haproxy.only(1);
  await browser.open(`${fleet.stack.tenants.north.origin}/.chartgate/sign-out`);
  await browser.send({ do: 'sign-out' });
  await sleep(1000);
  let livedOn = 0;
  for (const n of ALL) {
    await haproxy.only(n);
    if (await shown(fleet, twin)) livedOn += 1;
  }
  await haproxy.all();
  return { wentOn, livedOn };
}

/** A code of the authenticator app counts once, whichever gateway is given it. */
export async function codeOnce(fleet: Fleet): Promise<Pick<PeopleResult, 'takenAgain'>> {
  if (app === undefined) throw new Error('nobody has an app yet');
  const code = await app.next();
  const give = async (n: number): Promise<boolean> => {
    await fleet.haproxy.only(n);
    const browser = await firstFactor(fleet);
    await browser.send({ method: 'totp', code });
    return shown(fleet, browser);
  };
  if (!(await give(1))) throw new Error('a good code was refused');
  let takenAgain = 0;
  for (const n of ALL) if (await give(n)) takenAgain += 1;
  await fleet.haproxy.all();
  return { takenAgain };
}
