import { request as ask } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import {
  CLIENT_CERTIFICATE_HEADER,
  CLIENT_CERTIFICATE_VERIFIED_HEADER,
  ISSUER_KEY_HEADER,
  issuerKey,
} from '../../../../contracts/issuer-link.ts';
import type { IssuedCertificate } from '../../../../examples/support/local-authority.ts';

export interface Front {
  readonly port: number;
  /** Sockets that requests go to in turn, so that two issuers can stand behind one name. */
  sockets: readonly string[];
  close(): Promise<void>;
}

/** What the gateway does for the issuer's own host, and nothing more: TLS, and its own words about the client. */
export async function openFront(
  certificate: IssuedCertificate,
  authority: string,
  secret: Buffer,
): Promise<Front> {
  let turn = 0;
  let count = 0;
  const server = createServer(
    {
      cert: certificate.certificatePem,
      key: certificate.keyPem,
      ca: authority,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (incoming, outgoing) => {
      const socket = incoming.socket as TLSSocket;
      const shown = socket.getPeerCertificate() as PeerCertificate | Record<string, never>;
      const own: Record<string, string> = {
        [ISSUER_KEY_HEADER]: issuerKey(secret),
        'x-forwarded-for': socket.remoteAddress ?? '127.0.0.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': String(incoming.headers.host),
        'x-request-id': `request-${++count}`,
      };
      if (Buffer.isBuffer(shown.raw)) {
        own[CLIENT_CERTIFICATE_HEADER] = `:${shown.raw.toString('base64')}:`;
        if (socket.authorized) own[CLIENT_CERTIFICATE_VERIFIED_HEADER] = '?1';
      }
      const path = front.sockets[turn++ % front.sockets.length];
      if (path === undefined) return void outgoing.writeHead(503).end();
      const onward = ask(
        {
          socketPath: path,
          method: incoming.method,
          path: incoming.url,
          headers: { ...incoming.headers, ...own },
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      onward.on('error', () => {
        if (outgoing.headersSent) outgoing.destroy();
        else outgoing.writeHead(502).end();
      });
      incoming.pipe(onward);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const front: Front = {
    port: (server.address() as AddressInfo).port,
    sockets: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return front;
}
