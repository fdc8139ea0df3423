import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import mysql from 'mysql2/promise';
import {
  encodeFrame,
  FrameReader,
  MAXIMUM_ANSWER,
  parseHello,
  proofInput,
  spell,
} from '../../../contracts/attestation.ts';

/**
 * Run as the gateway's OS user: tries what somebody would who has taken over the gateway. Prints one line of JSON
 * for each attempt; nothing that it could read is printed.
 */
interface Target {
  readonly socket: string;
  readonly checkerFolder: string;
  readonly checkerFiles: readonly string[];
  readonly checkerUid: number;
  readonly checkerPids: readonly number[];
  readonly checkerUsers: readonly string[];
  readonly databaseFolder: string;
  readonly databaseSocket: string;
  readonly databasePort: number;
  readonly databasePid: number;
  readonly emrFolder: string;
  readonly logFolder: string;
  readonly secretFile: string;
  readonly emrSchema: string;
}

const target = JSON.parse(process.argv[2] ?? '{}') as Target;

/** Throws when it is refused. */
type Attempt = readonly [name: string, attempt: () => unknown];

const files: readonly Attempt[] = [
  ['list the checker’s folder', () => fs.readdirSync(target.checkerFolder)],
  ...target.checkerFiles.map(
    (file): Attempt => [
      `read the checker’s ${file}`,
      () => fs.readFileSync(join(target.checkerFolder, file)),
    ],
  ),
  [
    'write the checker’s configuration',
    () => fs.appendFileSync(join(target.checkerFolder, 'checker.yaml'), '\n'),
  ],
  ['put a file into the checker’s folder', () => fs.writeFileSync(join(target.checkerFolder, 'mine'), '')],
  [
    'exchange a baseline',
    () => fs.renameSync('/dev/null', join(target.checkerFolder, 'north.baseline.json')),
  ],
  ['open the checker’s folder to all', () => fs.chmodSync(target.checkerFolder, 0o777)],
  ['remove the socket', () => fs.unlinkSync(target.socket)],
  ['move the socket away', () => fs.renameSync(target.socket, `${target.socket}.old`)],
  ['put a socket of its own beside it', () => fs.writeFileSync(join(dirname(target.socket), 'mine'), '')],
  ['change the mode of the socket', () => fs.chmodSync(target.socket, 0o777)],
  ['give the socket away', () => fs.chownSync(target.socket, 0, 0)],
  ['list the database’s folder', () => fs.readdirSync(join(target.databaseFolder, 'data', target.emrSchema))],
  [
    'read the administrator’s password',
    () => fs.readFileSync(join(target.databaseFolder, 'administrator.password')),
  ],
  ['read the EMR’s password', () => fs.readFileSync(join(target.emrFolder, 'north.password'))],
  ['read the logs of the others', () => fs.readFileSync(join(target.logFolder, 'checker.log'))],
  ['become the checker’s user', () => process.setuid?.(target.checkerUid)],
  ['become root', () => process.setuid?.(0)],
  ['join the checker’s group', () => process.setgid?.(target.checkerUid)],
];

const processes: readonly Attempt[] = target.checkerPids.flatMap((pid): readonly Attempt[] => [
  ['end the checker', () => process.kill(pid, 'SIGTERM')],
  ['stop the checker', () => process.kill(pid, 'SIGSTOP')],
  ['open the checker’s inspector', () => process.kill(pid, 'SIGUSR1')],
  ['read the checker’s environment', () => fs.readFileSync(`/proc/${pid}/environ`)],
  ['read the checker’s memory', () => fs.closeSync(fs.openSync(`/proc/${pid}/mem`, 'r'))],
  ['take the checker’s open files', () => fs.readdirSync(`/proc/${pid}/fd`)],
  ['enter the checker’s working folder', () => fs.readdirSync(`/proc/${pid}/cwd/`).length > 0 || refuse()],
  ['trace the checker', () => fs.readFileSync(`/proc/${pid}/stack`)],
]);

function refuse(): never {
  throw new Error('refused');
}

const others: readonly Attempt[] = [
  ['end the database server', () => process.kill(target.databasePid, 'SIGTERM')],
  [
    'connect to the database as its administrator, without a password',
    () => sql({ socketPath: target.databaseSocket, user: 'root' }),
  ],
  [
    'connect to the database over TCP as its administrator',
    () => sql({ port: target.databasePort, user: 'root' }),
  ],
  ...target.checkerUsers.map(
    (user): Attempt => [`connect to the database as ${user}`, () => sql({ port: target.databasePort, user })],
  ),
  [
    'connect to the database as the guard',
    () => sql({ socketPath: target.databaseSocket, user: 'chartgate_guard' }),
  ],
  [
    'connect to the database as the definer',
    () => sql({ socketPath: target.databaseSocket, user: 'chartgate_audit' }),
  ],
  [
    'use the shared secret as the checker’s password',
    () =>
      sql({
        port: target.databasePort,
        user: target.checkerUsers[0] ?? '',
        password: fs.readFileSync(target.secretFile, 'utf8').trim(),
      }),
  ],
  ['run sudo', () => spawnSync('sudo', ['-n', 'true']).status === 0 || refuse()],
  ['run su', () => spawnSync('su', ['-c', 'true', 'root'], { input: '\n' }).status === 0 || refuse()],
  ['read the machine’s password hashes', () => fs.readFileSync('/etc/shadow')],
];

async function sql(options: mysql.ConnectionOptions): Promise<void> {
  const connection = await mysql.createConnection({ host: '127.0.0.1', password: '', ...options });
  await connection.end();
}

/** What is sent to the checker after the proof, or in its place; the connection must end without a verdict. */
const MESSAGES: readonly (readonly [name: string, secret: 'right' | 'wrong' | 'none', bytes: Buffer])[] = [
  [
    'ask the checker without proof',
    'none',
    frame({ type: 'attest', id: 1, database: 'north', nonce: nonce() }),
  ],
  ['prove itself with another secret', 'wrong', Buffer.alloc(0)],
  ['send SQL to the checker', 'right', frame({ type: 'query', sql: 'DROP TRIGGER x' })],
  [
    'send SQL in the name of a database',
    'right',
    frame({ type: 'attest', id: 1, database: "north'; DROP TRIGGER x; --", nonce: nonce() }),
  ],
  [
    'tell the checker what to expect',
    'right',
    frame({ type: 'attest', id: 1, database: 'north', nonce: nonce(), expected: 'intact' }),
  ],
  ['ask the checker to approve a baseline', 'right', frame({ type: 'approve', database: 'north' })],
  ['ask the checker to stop', 'right', frame({ type: 'shutdown' })],
  ['ask the checker to reload', 'right', frame({ type: 'reload', path: '/tmp/mine' })],
  [
    'name a path as database',
    'right',
    frame({ type: 'attest', id: 1, database: '../../etc', nonce: nonce() }),
  ],
  ['claim a frame of 4 GiB', 'right', Buffer.from([255, 255, 255, 255])],
  ['send a frame of no bytes', 'right', Buffer.from([0, 0, 0, 0])],
  ['send noise', 'right', Buffer.concat([Buffer.from([0, 0, 1, 0]), randomBytes(256)])],
  [
    'reach a prototype',
    'right',
    Buffer.concat([
      Buffer.from([0, 0, 0, 40]),
      Buffer.from('{"type":"attest","__proto__":{"state":"x"}}').subarray(0, 40),
    ]),
  ],
];

function nonce(): string {
  return randomBytes(16).toString('base64url');
}

function frame(message: unknown): Buffer {
  return encodeFrame(JSON.stringify(message), 512);
}

/** Resolves to whether the checker answered with a verdict; otherwise it closed the connection. */
function speak(secret: 'right' | 'wrong' | 'none', bytes: Buffer): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(target.socket);
  const reader = new FrameReader(MAXIMUM_ANSWER);
  const own = randomBytes(32).toString('base64url');
  const key =
    secret === 'right' ? fs.readFileSync(target.secretFile, 'utf8').trim() : 'not the secret at all';
  socket.setTimeout(4_000, () => socket.destroy());
  socket.on('error', () => resolve(false));
  socket.on('close', () => resolve(false));
  socket.on('data', (chunk: Buffer) => {
    reader.push(chunk, (message) => {
      const { type } = JSON.parse(message) as { type: string };
      if (type === 'hello') {
        if (secret === 'none') {
          socket.write(bytes);
          return;
        }
        const hello = parseHello(message);
        const proof = createHmac('sha256', key)
          .update(proofInput('gateway', hello.nonce, own))
          .digest('base64url');
        socket.write(encodeFrame(spell({ type: 'prove', nonce: own, proof }), 512));
        if (secret === 'wrong')
          socket.write(frame({ type: 'attest', id: 1, database: 'north', nonce: nonce() }));
      } else if (type === 'proved') {
        if (secret === 'right') socket.write(bytes);
        else resolve(true);
      } else resolve(true);
    });
  });
  return promise;
}

function report(name: string, refused: boolean, how: string): void {
  process.stdout.write(`${JSON.stringify({ name, refused, how })}\n`);
}

for (const [name, attempt] of [...files, ...processes, ...others]) {
  try {
    await attempt();
    report(name, false, 'done');
  } catch (error) {
    // A driver's message quotes what was sent; its code says enough.
    const code = (error as { code?: unknown }).code;
    report(name, true, typeof code === 'string' ? code : 'refused');
  }
}
for (const [index, [name, secret, bytes]] of MESSAGES.entries()) {
  const answered = await speak(secret, bytes);
  report(name, !answered, answered ? 'answered' : 'connection closed');
  // After an alarm new connections are admitted slowly.
  if (index > 4) await new Promise((resolve) => setTimeout(resolve, 260));
}
process.exit(0);
