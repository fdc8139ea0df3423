import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onStop } from '../../processes.ts';
import type { Job, Results } from './messages.ts';

export interface Observer {
  ask<K extends Job['kind']>(job: Extract<Job, { readonly kind: K }>): Promise<Results[K]>;
  stop(): Promise<void>;
}

/** Starts a process that observes; it ends with this one. */
export function startObserver(): Observer {
  const child = fork(join(import.meta.dirname, 'main.ts'), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let next = 0;
  child.on('message', (message: { number: number; result?: unknown; error?: string }) => {
    const asked = waiting.get(message.number);
    waiting.delete(message.number);
    if (message.error === undefined) asked?.resolve(message.result);
    else asked?.reject(new Error(`the observer: ${message.error}`));
  });
  const ended = once(child, 'exit');
  void ended.then(() => {
    for (const each of waiting.values()) each.reject(new Error('the observer ended'));
    waiting.clear();
  });
  const stop = async (): Promise<void> => {
    forget();
    if (child.connected) child.disconnect();
    await ended;
  };
  const forget = onStop(stop);
  return {
    ask<K extends Job['kind']>(job: Extract<Job, { readonly kind: K }>) {
      const asked = Promise.withResolvers<unknown>();
      const number = next++;
      waiting.set(number, asked);
      child.send({ number, job });
      return asked.promise as Promise<Results[K]>;
    },
    stop,
  };
}
