import { randomBytes } from 'node:crypto';
import { Browser } from '../../support/browser.ts';
import { Authenticator } from './authenticator.ts';
import type { Ran, RunCommand } from './command.ts';

/** A code, as a page's form has it. */
export interface Factor {
  readonly method: 'totp' | 'recovery-code';
  readonly code: string;
}

/** Somebody with an account at the embedded issuer. Password, key and codes are made while the demo starts. */
export class Person {
  readonly login: string;
  readonly name: string;
  /** 96 random bits, in groups that can be typed. */
  readonly password = (randomBytes(12).toString('hex').match(/.{6}/g) ?? []).join('-');
  #authenticator: Authenticator | undefined;
  #recoveryCodes: readonly string[] = [];

  constructor(login: string, name: string) {
    this.login = login;
    this.name = name;
  }

  get authenticator(): Authenticator {
    if (this.#authenticator === undefined) throw new Error(`${this.login} has no second factor yet`);
    return this.#authenticator;
  }

  get enrolled(): boolean {
    return this.#authenticator !== undefined;
  }

  get recoveryCodes(): readonly string[] {
    return this.#recoveryCodes;
  }

  /** A recovery code that was not used. */
  recoveryCode(): string {
    const [code = '', ...others] = this.#recoveryCodes;
    this.#recoveryCodes = others;
    return code;
  }

  /** The first sign-in, from the sign-in page on: password, then an authenticator app is set up. */
  async enrol(browser: Browser): Promise<void> {
    await this.givePassword(browser);
    const key = /[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}/.exec(browser.html)?.[0];
    if (key === undefined) throw new Error(`${this.login} was not asked to set up a second factor`);
    this.#authenticator = new Authenticator(key);
    await browser.send({ code: await this.#authenticator.next() }, 'enrol-totp');
    this.#recoveryCodes = [...browser.html.matchAll(/<code[^>]*>([^<]+)<\/code>/g)].map(
      ([, code = '']) => code,
    );
    await browser.send({ kept: 'yes' }, 'codes');
  }

  givePassword(browser: Browser) {
    return browser.send({ login: this.login, password: this.password }, 'sign-in');
  }

  /** From an address that asks for it to wherever that leads: password, then a code. */
  async signIn(authority: string, address: string, factor: Factor): Promise<Browser> {
    const browser = new Browser(authority);
    await browser.open(address);
    await this.givePassword(browser);
    await browser.send({ ...factor }, 'factor');
    return browser;
  }

  /**
   * Runs a command as this administrator. The second factor is a recovery code: those of the app have to be waited
   * for, and each counts once.
   */
  command(run: RunCommand, words: readonly string[]): Promise<Ran> {
    return run([...words, '--as', this.login, '--json'], [this.password, this.recoveryCode()]);
  }
}
