import { type Readable, Transform, type TransformCallback } from 'node:stream';

/**
 * The request's body, cut off with an error once it is longer than `maxBytes`. A declared length has been
 * checked before; this is what holds for chunked bodies, and for clients that lie.
 */
export function limitedBody(source: Readable, maxBytes: number, onOverflow: () => void): Readable {
  let seen = 0;
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      seen += chunk.length;
      if (seen > maxBytes) {
        onOverflow();
        done(new Error('the body is longer than the route allows'));
        return;
      }
      done(null, chunk);
    },
  });
  // The client's going away must end the forwarded body with an error, never as if it were complete.
  source.once('error', () => limiter.destroy(new Error('the client went away')));
  source.once('aborted', () => limiter.destroy(new Error('the client went away')));
  source.once('close', () => {
    if (!source.readableEnded) limiter.destroy(new Error('the client went away'));
  });
  limiter.on('error', () => source.unpipe(limiter));
  source.pipe(limiter);
  return limiter;
}
