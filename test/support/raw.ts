import { connect } from 'node:tls';

/** Bytes to the gateway over TLS exactly as given, and everything that came back until it closed or fell silent. */
export function raw(
  origin: string,
  authority: string,
  bytes: string,
  options: { quietMs?: number } = {},
): Promise<string> {
  const url = new URL(origin);
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const socket = connect(
    {
      host: '127.0.0.1',
      port: Number(url.port),
      servername: url.hostname,
      ca: authority,
      ALPNProtocols: ['http/1.1'],
    },
    () => socket.write(Buffer.from(bytes, 'latin1')),
  );
  const quiet = options.quietMs ?? 700;
  let timer = setTimeout(() => socket.destroy(), quiet + 1500);
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), quiet);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    clearTimeout(timer);
    resolve(text);
  });
  return promise;
}

/** The status codes of the answers in a raw exchange, in order. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}
