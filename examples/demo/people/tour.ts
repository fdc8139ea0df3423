import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from '../../support/browser.ts';
import { ask, type Reply } from '../../support/https-client.ts';
import { emrCount } from '../evidence.ts';
import type { Stack } from '../stack.ts';
import { excerpt, reasonOf, send, type TourStep, until } from '../steps.ts';
import { requestToken } from '../tokens.ts';
import { json } from './command.ts';
import { type Asked, ORGANISATION, peopleOf, said } from './index.ts';
import { type Factor, Person } from './person.ts';

const pageOf = (stack: Stack): string => `${stack.tenants.north.origin}/patients`;
const newBrowser = (stack: Stack): Browser => new Browser(stack.authority);
/** The page that a browser is at, for the report. */
const at = (browser: Browser): string =>
  `${browser.page?.status} ${new URL(browser.url).host}${new URL(browser.url).pathname.replace(/interaction\/.*/, 'interaction/…')} “${browser.title()}”`;
const isAtIssuer = (stack: Stack, browser: Browser): boolean =>
  new URL(browser.url).origin === peopleOf(stack).parts.url;
const isAtPage = (stack: Stack, browser: Browser): boolean =>
  browser.url === pageOf(stack) && browser.page?.status === 200;

/** What one step leaves for the next. */
interface Left {
  readonly browser: Browser;
  readonly factor: Factor;
}
const left = new WeakMap<Stack, Left>();
function leftBy(stack: Stack): Left {
  const found = left.get(stack);
  if (found === undefined) throw new Error('nobody has signed in before');
  return found;
}

/** At the sign-in page: a password is chosen with the one-time code of two administrators. */
async function withCode(stack: Stack, person: Person, code: string): Promise<Browser> {
  const browser = newBrowser(stack);
  await browser.open(pageOf(stack));
  const link = /href="([^"]*\brecover=1[^"]*)"/.exec(browser.html)?.[1] ?? '';
  await browser.open(new URL(link, browser.url).href);
  await browser.send({ login: person.login, code }, 'recovery');
  await browser.send({ password: person.password, again: person.password }, 'password');
  return browser;
}

/** Signing in, and who may let whom in. In this order; the first tour may have been before it. */
export const PEOPLE_TOUR: readonly TourStep[] = [
  {
    title: 'A page of the EMR, nobody signed in: the sign-in page',
    async run(stack) {
      const before = await emrCount(stack.tenants.north);
      const bare = await ask({
        url: pageOf(stack),
        authority: stack.authority,
        headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' },
      });
      const browser = newBrowser(stack);
      await browser.open(pageOf(stack));
      const seen = (await emrCount(stack.tenants.north)) - before;
      const reason = await reasonOf(stack, bare);
      return {
        title: this.title,
        sent: 'GET /patients in a browser',
        came: `${bare.status}, then ${at(browser)}`,
        why: `activity log: ${reason}; requests that reached the EMR: ${seen}`,
        ok: bare.status === 302 && isAtIssuer(stack, browser) && browser.title() === 'Sign in' && seen === 0,
      };
    },
  },
  {
    title: 'The password alone: no page of the EMR',
    async run(stack) {
      const { uma } = peopleOf(stack);
      const before = await emrCount(stack.tenants.north);
      const browser = newBrowser(stack);
      await browser.open(pageOf(stack));
      await uma.givePassword(browser);
      const asked = at(browser);
      const askedCode =
        isAtIssuer(stack, browser) && browser.forms().some(({ fields }) => fields.get('step') === 'factor');
      await browser.open(pageOf(stack));
      const seen = (await emrCount(stack.tenants.north)) - before;
      return {
        title: this.title,
        sent: 'the right name and password, then GET /patients without a code',
        came: `${asked}\n${at(browser)}`,
        why: `the gateway has no session before both factors; requests that reached the EMR: ${seen}`,
        ok: askedCode && isAtIssuer(stack, browser) && seen === 0,
      };
    },
  },
  {
    title: 'Password and code: the page',
    async run(stack) {
      const { uma } = peopleOf(stack);
      const { emr } = stack.tenants.north;
      const factor: Factor = { method: 'totp', code: await uma.authenticator.next() };
      const browser = await uma.signIn(stack.authority, pageOf(stack), factor);
      left.set(stack, { browser, factor });
      const status = await fetch(`${emr.origin}/server-status`, { headers: { accept: 'application/json' } });
      // The EMR shows what it was sent, cookies and all.
      const known = /__Host-chartgate|\.chartgate/.test(await status.text());
      const reason = browser.page === undefined ? '' : await reasonOf(stack, browser.page);
      return {
        title: this.title,
        sent: 'name, password and the code of the app',
        came: at(browser),
        why: `activity log: ${reason}; ${known ? 'the EMR HAS SEEN the session cookie' : "the EMR saw neither the session's cookie nor the gateway's own pages"}`,
        ok: isAtPage(stack, browser) && browser.title() === 'Patients' && !known,
      };
    },
  },
  {
    title: 'The same code once more: refused',
    async run(stack) {
      const { uma } = peopleOf(stack);
      const browser = await uma.signIn(stack.authority, pageOf(stack), leftBy(stack).factor);
      const answer = at(browser);
      const refused = browser.page?.status === 422 && isAtIssuer(stack, browser);
      await browser.open(pageOf(stack));
      return {
        title: this.title,
        sent: 'in another browser: name, password and the code that was just used',
        came: `${answer}\nthen GET /patients: ${at(browser)}`,
        why: 'each code is accepted once, whoever shows it and to whichever process',
        ok: refused && isAtIssuer(stack, browser),
      };
    },
  },
  {
    title: 'Signed out: the page is closed, to a copied cookie too',
    async run(stack) {
      const { browser } = leftBy(stack);
      const thief = browser.twin();
      await browser.open(`${stack.tenants.north.origin}/.chartgate/sign-out`);
      await browser.send({ do: 'sign-out' });
      const out = at(browser);
      const wasOut = browser.page?.status === 200 && browser.url.endsWith('/.chartgate/signed-out');
      // Another worker may take a session for good for as long as a second.
      await pause(1100);
      await browser.open(pageOf(stack));
      await thief.open(pageOf(stack));
      return {
        title: this.title,
        sent: 'the form of /.chartgate/sign-out, then GET /patients, also with the cookies of before',
        came: `${out}\n${at(browser)}\nwith the old cookies: ${at(thief)}`,
        why: 'sessions are kept by the gateway and by the issuer; both ended',
        ok: wasOut && [browser, thief].every((each) => isAtIssuer(stack, each) && each.title() === 'Sign in'),
      };
    },
  },
  {
    title: 'An administrator approves what she asked for herself: refused',
    async run(stack) {
      const { anna, boris, command } = peopleOf(stack);
      const victor = new Person('victor', 'Victor Vale');
      const words = ['user', 'create', victor.login, '--name', victor.name, '--role', 'front-desk'];
      const asked = said<Asked>(await anna.command(command, [...words, '--organisation', ORGANISATION]));
      const approve = ['user', 'approve', asked.request.id];
      const own = await anna.command(command, approve);
      const other = await boris.command(command, approve);
      const { reason } = JSON.parse(own.out) as { readonly reason?: string };
      const second = said<Asked>(other).codes[0]?.text ?? '';
      const half = await withCode(stack, victor, second);
      const whole = await withCode(stack, victor, `${asked.codes[0]?.text}-${second}`);
      return {
        title: this.title,
        sent: 'chartgate user create victor --as anna, then user approve --as anna, then --as boris;\nvictor sets a password at the sign-in page, with half of his code and with both halves',
        came: `anna: exit code ${own.code}, ${reason}\nboris: exit code ${other.code}\nhalf: ${at(half)}\nboth: ${at(whole)}`,
        why: 'an account is of no use before a second administrator of the clinic approved it; each of the two is shown half of the code with which its owner, and nobody else, sets a password',
        ok:
          own.code === 1 &&
          reason === 'own-request' &&
          other.code === 0 &&
          half.page?.status === 422 &&
          whole.title() === 'Sign in',
      };
    },
  },
  {
    title: 'A laboratory’s system, with a client id and a secret: what it was given, and no more',
    async run(stack) {
      const { command, parts } = peopleOf(stack);
      const { audience } = stack.tenants.north;
      const words = ['client', 'create', '--tenant', 'north', '--name', 'Laboratory'];
      const made = await json<{ client: { clientId: string }; secret: string }>(command, [
        ...words,
        '--scopes',
        'system/Patient.r',
      ]);
      const id = made.client.clientId;
      const request = (scopes: readonly string[], secret = made.secret): Promise<string> =>
        requestToken({
          issuer: parts.url,
          authority: stack.authority,
          client: { id, secret },
          audience,
          scopes,
        }).catch((error: Error) => `refused: ${error.message}`);
      const token = await request(['system/Patient.r']);
      const read = await send(stack, 'north', '/fhir/Patient/7', token);
      const write = await send(stack, 'north', '/fhir/Patient', token, { method: 'POST', body: '{}' });
      const wrong = await request(['system/Patient.r'], 'not-the-secret');
      await json(command, ['client', 'deactivate', id]);
      // The issuer may take what it knew for good for a second.
      await pause(1100);
      const after = await request(['system/Patient.r']);
      const old = await send(stack, 'north', '/fhir/Patient/7', token);
      return {
        title: this.title,
        sent: 'chartgate client create --scopes system/Patient.r; a token by client credentials; GET and POST with it; chartgate client deactivate',
        came: `GET ${read.status}, POST ${write.status} (${await reasonOf(stack, write)})\nwith another secret: ${wrong.startsWith('refused:') ? excerpt(wrong) : 'a token'}\nonce deactivated: ${after.startsWith('refused:') ? excerpt(after) : 'a token'}; GET with the token of before ${old.status}`,
        why: 'the secret was printed once; the issuer keeps its hash',
        ok:
          read.status === 200 &&
          write.status === 403 &&
          wrong.startsWith('refused:') &&
          after.startsWith('refused:') &&
          old.status === 401,
      };
    },
  },
  {
    title: 'The embedded issuer killed: who is signed in goes on, nobody new gets in',
    async run(stack) {
      const { uma, service } = peopleOf(stack);
      // The app's codes of this minute are used up; a recovery code counts as well, and once.
      const factor: Factor = { method: 'recovery-code', code: uma.recoveryCode() };
      const browser = await uma.signIn(stack.authority, pageOf(stack), factor);
      left.set(stack, { browser, factor });
      const stranger = newBrowser(stack);
      await service.kill();
      await browser.open(pageOf(stack));
      await stranger.open(pageOf(stack));
      const [inside, outside] = [at(browser), at(stranger)];
      const asPromised = isAtPage(stack, browser) && stranger.page?.status === 503;
      await service.start();
      await stranger.open(pageOf(stack));
      return {
        title: this.title,
        sent: 'kill -9 of the issuer, then GET /patients with a session and without; the issuer started, then again',
        came: `with: ${inside}\nwithout: ${outside}\nlater: ${at(stranger)}`,
        why: 'the gateway keeps its sessions itself; accounts are the issuer’s alone',
        ok: asPromised && isAtIssuer(stack, stranger) && stranger.title() === 'Sign in',
      };
    },
  },
  {
    title: 'An account disabled: its session ends',
    async run(stack) {
      const { uma, boris, command } = peopleOf(stack);
      const { browser } = leftBy(stack);
      await browser.open(pageOf(stack));
      const open = isAtPage(stack, browser);
      said(await boris.command(command, ['user', 'disable', 'uma']));
      const { ms } = await until(
        () => browser.open(pageOf(stack)) as Promise<Reply>,
        () => isAtIssuer(stack, browser),
      );
      const closed = at(browser);
      await uma.givePassword(browser);
      return {
        title: this.title,
        sent: 'chartgate user disable uma --as boris, while she is signed in',
        came: `${closed}, ${ms.toFixed(0)} ms after the command\nher name and password: ${at(browser)}`,
        why: 'the issuer tells the gateway over a stream that stays open; while it is not, every token of that issuer is asked about',
        ok: open && isAtIssuer(stack, browser) && browser.page?.status === 422 && ms < 5000,
      };
    },
  },
];
