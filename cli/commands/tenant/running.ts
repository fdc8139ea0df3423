import { connect } from 'node:net';
import { join } from 'node:path';
import {
  CONTROL_PATH_LIMIT,
  CONTROL_SOCKET,
  type ControlAnswer,
  type ControlAsk,
} from '../../../contracts/control.ts';
import { EXIT } from '../../output.ts';

/** Longer than a worker may take to compile a configuration, or to take it over. */
const ANSWER_MS = 40_000;

/** What the gateway said; or that none runs there, or that this user may not ask it. */
export type Reached =
  | { readonly state: 'answered'; readonly answer: ControlAnswer }
  | { readonly state: 'not-running' }
  | { readonly state: 'forbidden' }
  | { readonly state: 'silent' }
  /** Whether one runs cannot be told: its socket would have too long a path. */
  | { readonly state: 'too-far' };

/** Nobody listens at the socket. Whatever else fails says nothing about whether a gateway runs. */
const NOT_RUNNING: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ECONNREFUSED']);

/** Asks the gateway that runs with these settings, by the socket beside its activity log. Never rejects. */
export function askGateway(logDirectory: string, ask: ControlAsk): Promise<Reached> {
  const { promise, resolve } = Promise.withResolvers<Reached>();
  const path = join(logDirectory, CONTROL_SOCKET);
  if (Buffer.byteLength(path) > CONTROL_PATH_LIMIT) return Promise.resolve({ state: 'too-far' });
  const socket = connect(path);
  let text = '';
  socket.setEncoding('utf8');
  socket.setTimeout(ANSWER_MS, () => end({ state: 'silent' }));
  socket.once('connect', () => socket.write(`${JSON.stringify(ask)}\n`));
  socket.on('data', (part: string) => {
    text += part;
  });
  socket.once('end', () => end(parsed(text)));
  socket.once('error', (error: NodeJS.ErrnoException) => {
    const forbidden = error.code === 'EACCES' || error.code === 'EPERM';
    end({ state: forbidden ? 'forbidden' : NOT_RUNNING.has(error.code) ? 'not-running' : 'silent' });
  });
  function end(reached: Reached): void {
    socket.destroy();
    resolve(reached);
  }
  return promise;
}

function parsed(text: string): Reached {
  try {
    return { state: 'answered', answer: JSON.parse(text) as ControlAnswer };
  } catch {
    return { state: 'silent' };
  }
}

/** How it went to have the running gateway take files of tenants. */
export interface Taken {
  readonly served: boolean;
  /** It was refused: nothing of it is in force, and the former tenants go on. */
  readonly refused: boolean;
  /** A gateway may run that does not know of it; what is written is in force once it is reloaded. */
  readonly unreached: boolean;
  readonly sentence: string;
  /** From the question to the last worker serving it; undefined unless it serves. */
  readonly milliseconds?: number;
}

/** What is written and not in force is no success: sets the exit code. Whoever starts the gateway later has it. */
export function failUnlessReached({ unreached }: Taken): void {
  if (unreached) process.exitCode = EXIT.unavailable;
}

/** Never rejects. */
export async function haveTaken(logDirectory: string, ids: readonly string[]): Promise<Taken> {
  const reached = await askGateway(logDirectory, { do: 'take-tenants', ids });
  const not = (sentence: string, how: 'later' | 'refused' | 'unreached'): Taken => ({
    served: false,
    refused: how === 'refused',
    unreached: how === 'unreached',
    sentence,
  });
  switch (reached.state) {
    case 'not-running':
      return not(
        'no gateway runs with these settings here; it takes it when it starts (chartgate start)',
        'later',
      );
    case 'forbidden':
      return not(
        "this user may not ask the running gateway; run it as the gateway's user or root, or reload it: systemctl reload chartgate",
        'unreached',
      );
    case 'silent':
      return not(
        'the running gateway gave no answer; see its log, and reload it: systemctl reload chartgate',
        'unreached',
      );
    case 'too-far':
      return not(
        'whether a gateway runs cannot be asked, because the path of "activityLog.directory" is too long for a Unix socket; if one does, reload it: systemctl reload chartgate',
        'unreached',
      );
    case 'answered': {
      const { answer } = reached;
      if (!answer.ok) return not(answer.message, 'refused');
      if (answer.do !== 'take-tenants')
        return not('the running gateway is of another version; restart it', 'unreached');
      const { milliseconds } = answer;
      return {
        served: true,
        refused: false,
        unreached: false,
        sentence: `the running gateway took it in ${milliseconds} ms`,
        milliseconds,
      };
    }
  }
}
