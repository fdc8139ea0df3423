import { constants, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../contracts/clock.ts';
import type { Connection } from './connection.ts';
import type { Places } from './places.ts';

/** Milliseconds between looks at connections that are idle, and at clients that do not read their answer. */
export const SWEEP_MS = 1000;

/** An HTTP/2 answer, and since when all of it has been handed over; 0 while it has not. */
export interface AnswerUnderWay {
  readonly response: Http2ServerResponse;
  since: number;
}

/** What a listener has open. */
export interface Opened {
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  readonly sockets: ReadonlySet<TLSSocket>;
  readonly known: WeakMap<object, Connection>;
  readonly answers: Places<AnswerUnderWay>;
  readonly clock: Clock;
  /** Milliseconds of an idle connection, and of an answer that nobody reads. */
  readonly idleMs: number;
}

/** The look to be taken every `SWEEP_MS`. */
export function createLook({ sessions, sockets, known, answers, clock, idleMs }: Opened): () => void {
  /** Pings keep an HTTP/2 session alive for ever, and nothing else ends a client that does not read what it got. */
  return function look(): void {
    const now = clock.monotonic();
    for (const session of sessions) {
      const connection = known.get(session);
      if (connection === undefined || connection.streams > 0) continue;
      const quietMs = now - connection.idleSince;
      if (quietMs > idleMs + 2 * SWEEP_MS) session.destroy();
      else if (quietMs > idleMs) session.close();
    }
    answers.visit((answer, place) => {
      const { response, since } = answer;
      if (!response.writableEnded) return;
      if (since === 0) answer.since = now;
      else if (now - since > idleMs) {
        response.stream.close(constants.NGHTTP2_CANCEL);
        answers.leave(place, answer);
      }
    });
    for (const socket of sockets) {
      const connection = known.get(socket);
      const response = connection?.current;
      // A tunnel's connection is not answered on any more.
      if (connection === undefined || response === undefined || response.closed || !response.writableEnded)
        continue;
      if (connection.unread?.response !== response) connection.unread = { response, since: now };
      else if (now - connection.unread.since > idleMs) socket.destroy();
    }
  };
}
