import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type CheckName, examine, type Options, type Outcome } from '../../cli/doctor/index.ts';
import { readGatewaySources, settingsFrom } from '../../config/index.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { guard } from '../../examples/support/guardian.ts';
import { Service } from '../../examples/support/service.ts';
import { policyRules } from '../../gateway/process/runtime.ts';

const root = join(import.meta.dirname, '../..');

/** The three processes; the third only where the stack was started with people. */
export type Part = 'gateway' | 'checker' | 'issuer';
export type Undo = () => unknown;

/** The settings that the doctor is given: the stack's own, or others. */
export interface Given {
  readonly gateway?: string | undefined;
  readonly checker?: string | undefined;
  readonly issuer?: string | undefined;
  readonly options?: Partial<Options>;
}

/** One installation that things can be broken in, each with what puts it right again. */
export class Patient {
  readonly stack: Stack;
  readonly #undo: Undo[] = [];

  constructor(stack: Stack) {
    this.stack = stack;
  }

  file(side: Part, name = `${side}.yaml`): string {
    const { directory, layout } = this.stack;
    return join(side === 'issuer' ? join(directory, 'identity') : layout[side], name);
  }

  /** Runs what puts everything right again, the last first. */
  async mend(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
  }

  later(undo: Undo): void {
    this.#undo.push(undo);
  }

  mode(path: string, mode: number): void {
    const former = statSync(path).mode & 0o7777;
    this.later(() => chmodSync(path, former));
    chmodSync(path, mode);
  }

  owner(path: string, uid: number, gid: number): void {
    const { uid: formerUid, gid: formerGid, mode } = statSync(path);
    this.later(() => {
      chownSync(path, formerUid, formerGid);
      chmodSync(path, mode & 0o7777);
    });
    chownSync(path, uid, gid);
    chmodSync(path, mode & 0o7777);
  }

  /** A file of one side, as its own user would have made it. */
  add(side: Part, name: string, content: string | Buffer): string {
    const path = this.file(side, name);
    const account = this.stack.isolation[side];
    writeFileSync(path, content, { mode: 0o600 });
    if (account !== undefined) chownSync(path, account.uid, account.gid);
    this.later(() => rmSync(path, { force: true }));
    return path;
  }

  /** Other content for a file, until mended. */
  content(path: string, change: (former: Buffer) => string | Buffer): void {
    const former = readFileSync(path);
    this.later(() => writeFileSync(path, former));
    writeFileSync(path, change(former));
  }

  /** The settings of one side under another name, changed. */
  variant(side: Part, change: (text: string) => string): string {
    const text = readFileSync(this.file(side), 'utf8');
    const changed = change(text);
    if (changed === text) throw new Error('nothing was changed');
    return this.add(side, `variant-${side}.yaml`, changed);
  }

  /** Another checker beside the stack's, which runs as the gateway's user on files of its own. */
  async checkerOfGateway(): Promise<string> {
    const { checker, gateway, run } = this.stack.layout;
    const { uid = 0, gid = 0 } = this.stack.isolation.gateway ?? {};
    const copy = join(gateway, 'checker');
    cpSync(checker, copy, { recursive: true });
    this.later(() => rmSync(copy, { recursive: true, force: true }));
    const settings = join(copy, 'checker.yaml');
    const text = readFileSync(settings, 'utf8');
    writeFileSync(settings, text.replaceAll(checker, copy).replace(run, gateway));
    for (const name of ['', ...readdirSync(copy)]) chownSync(join(copy, name), uid, gid);
    await this.#start(settings, [
      'setpriv',
      '--reuid',
      String(uid),
      '--regid',
      String(gid),
      '--clear-groups',
    ]);
    return settings;
  }

  /** Another issuer beside the stack's, on a store and a socket of its own. @returns its settings */
  async otherIssuer(before: readonly string[], flags: readonly string[] = []): Promise<string> {
    const settings = this.variant('issuer', (text) =>
      text.replace('i.sock', 'j.sock').replace('state/state.sqlite', 'state/other.sqlite'),
    );
    this.later(() => {
      for (const end of ['', '-wal', '-shm']) {
        rmSync(join(this.stack.directory, `identity/state/other.sqlite${end}`), { force: true });
      }
    });
    await this.#start(settings, before, flags, 'issuer');
    return settings;
  }

  /** Another checker beside the stack's, started in a way that the units do not. @returns its settings */
  async otherChecker(before: readonly string[], flags: readonly string[] = []): Promise<string> {
    const settings = this.variant('checker', (text) => text.replace('c.sock', 'd.sock'));
    await this.#start(settings, before, flags);
    return settings;
  }

  async #start(
    settings: string,
    before: readonly string[],
    flags: readonly string[] = [],
    which = 'checker',
  ): Promise<void> {
    const [command = '', ...args] = [
      ...before,
      process.execPath,
      ...flags,
      join(root, 'bin/chartgate.mjs'),
      which,
      '--config',
      settings,
    ];
    const service = new Service({
      name: `other ${which}`,
      command,
      args,
      ready: /"ready"/,
      logFile: join(this.stack.layout.logs, `other-${which}.log`),
    });
    this.later(() => service.stop());
    await service.start();
  }

  /** Something that listens. */
  async listen(host: string): Promise<number> {
    const server = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    this.later(() => new Promise((resolve) => server.close(resolve)));
    return (server.address() as AddressInfo).port;
  }

  /** Something that listens on loopback as another OS user. */
  async listenAs(uid: number, host = '127.0.0.1', at = 0): Promise<number> {
    const child = spawn(
      process.execPath,
      [
        '-e',
        `require('http').createServer().listen(${at},'${host}',function(){console.log(this.address().port)})`,
      ],
      { uid, gid: uid, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    guard(child);
    this.later(() => child.kill('SIGKILL'));
    return new Promise((resolve) => child.stdout.once('data', (text: Buffer) => resolve(Number(text))));
  }

  /** Something that root begins and that works as another OS user, as web servers do. */
  async listenThenWorkAs(uid: number): Promise<number> {
    const child = spawn(
      process.execPath,
      [
        '-e',
        `const server = require('http').createServer().listen(0, '127.0.0.1', () => {
           require('child_process').spawn('sleep', ['60'], { uid: ${uid}, gid: ${uid}, stdio: ['ignore', 'ignore', 'ignore', server._handle.fd] })
             .once('spawn', () => console.log(server.address().port));
         })`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    );
    guard(child);
    this.later(() => process.kill(-(child.pid ?? 0), 'SIGKILL'));
    return new Promise((resolve) => child.stdout.once('data', (text: Buffer) => resolve(Number(text))));
  }

  /** What the doctor says of these checks. */
  examine(only: readonly CheckName[] | undefined, given: Given = {}): Promise<readonly Outcome[]> {
    const named = { gateway: this.file('gateway'), checker: this.file('checker'), ...given };
    return examine(
      { gateway: named.gateway, checker: named.checker, issuer: named.issuer },
      {
        emrAddresses: [],
        from: undefined,
        sqlAttempts: true,
        now: Date.now,
        ...given.options,
        ...(only === undefined ? {} : { only }),
      },
      (file, files) => settingsFrom(readGatewaySources(file, files), { files, policyRules }),
    );
  }
}
