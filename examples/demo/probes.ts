import { connect } from 'node:net';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { WebSocket } from 'ws';

/** What a server says to plain HTTP on its TLS port: its bytes as text, empty when it just closes. */
export function plainHttp(port: number, host: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const socket = connect(port, '127.0.0.1', () => socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => resolve(text));
  socket.setTimeout(5000, () => socket.destroy());
  return promise;
}

/** The error of a handshake that offers nothing newer than `version`; `connected` when there is none. */
export function tlsFailure(authority: string, url: URL, version: SecureVersion): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connectTls({
    host: '127.0.0.1',
    port: Number(url.port),
    servername: url.hostname,
    ca: authority,
    minVersion: version,
    maxVersion: version,
    // Without this our own side would refuse first, and the test would prove nothing about the server.
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  socket.once('secureConnect', () => {
    socket.destroy();
    resolve('connected');
  });
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  return promise;
}

/** Opens a WebSocket, sends one message, and reports the status and what came until it was echoed. */
export function webSocket(
  authority: string,
  url: URL,
  token: string | undefined,
  message: string,
): Promise<{ status: number; messages: readonly string[] }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; messages: readonly string[] }>();
  const messages: string[] = [];
  const socket = new WebSocket(`wss://127.0.0.1:${url.port}${url.pathname}`, {
    ca: authority,
    // `ws` hands these to `tls.connect`; its types leave the server name out.
    ...{ servername: url.hostname },
    headers: { host: url.host, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    handshakeTimeout: 5000,
  });
  const timer = setTimeout(() => socket.close(), 5000);
  const done = (status: number) => {
    clearTimeout(timer);
    resolve({ status, messages });
  };
  socket.once('unexpected-response', (_request, response) => {
    response.resume();
    done(response.statusCode ?? 0);
  });
  socket.once('open', () => socket.send(message));
  socket.on('message', (data) => {
    messages.push(String(data));
    if (messages.some((text) => text.includes(message))) socket.close();
  });
  socket.once('close', () => done(101));
  socket.once('error', () => done(0));
  return promise;
}
