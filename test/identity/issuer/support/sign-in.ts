import { GOOD_PASSWORD } from '../../accounts/support/world.ts';
import { codeAt } from '../../factors/support.ts';
import type { Visitor } from './visitor.ts';

/** What somebody's authenticator app holds. */
export interface Phone {
  key: string;
  /** The last time step whose code was used: each counts once. */
  step: number;
}

/** The next code that was not used before; waits for it where there is none. */
export async function nextCode(phone: Phone): Promise<string> {
  for (;;) {
    const now = Math.floor(Date.now() / 30_000);
    // One step behind or ahead is good enough, where there is time to send it.
    const early = Date.now() % 30_000 < 15_000;
    for (const step of early ? [now - 1, now, now + 1] : [now, now + 1]) {
      if (step <= phone.step) continue;
      phone.step = step;
      return codeAt(phone.key, step * 30_000);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** From the sign-in page on: password, then a new authenticator app. The recovery codes that were shown. */
export async function enrol(visitor: Visitor, login: string, phone: Phone): Promise<readonly string[]> {
  await visitor.send({ login, password: GOOD_PASSWORD }, 'sign-in');
  const key = /[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/.exec(visitor.page.html)?.[0];
  if (key === undefined) throw new Error(`no key to type on ${visitor.page.status}: ${visitor.page.html}`);
  phone.key = key;
  await visitor.send({ code: await nextCode(phone) }, 'enrol-totp');
  const codes = [...visitor.page.html.matchAll(/<code[^>]*>([^<]+)<\/code>/g)].map(([, code = '']) => code);
  await visitor.send({ kept: 'yes' }, 'codes');
  return codes;
}

/** From the sign-in page on: password and the app's code. */
export async function signIn(visitor: Visitor, login: string, phone: Phone): Promise<void> {
  await visitor.send({ login, password: GOOD_PASSWORD }, 'sign-in');
  await visitor.send({ code: await nextCode(phone) }, 'factor');
}
