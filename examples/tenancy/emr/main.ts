import { readFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { createPool } from 'mysql2/promise';
import { type Clinic, type Listening, Manyleaf, type ManyleafSettings } from './manyleaf.ts';

/**
 * Manyleaf, an EMR that serves several clinics, as a process of its own. Careless on purpose: see ../README.md. Its one
 * argument is a JSON file of `ManyleafSettings`. Prints `listening on ` and its ports when it is ready.
 */
const settings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ManyleafSettings;

const clinics = new Map<string, Clinic>(
  Object.entries(settings.clinics).map(([name, { host, port, database, user, passwordFile }]) => [
    name,
    {
      name,
      pool: createPool({
        host,
        port,
        database,
        user,
        password: readFileSync(passwordFile, 'utf8').trim(),
        connectionLimit: 4,
      }),
    },
  ]),
);

async function listen(each: Listening): Promise<number> {
  const emr = new Manyleaf(each, clinics);
  const { tls } = each;
  const server =
    tls === undefined
      ? createServer((request, response) => void emr.serve(request, response))
      : createSecureServer(
          {
            cert: readFileSync(tls.certificate),
            key: readFileSync(tls.key),
            ca: readFileSync(tls.clientAuthority),
            requestCert: true,
            rejectUnauthorized: true,
            allowHTTP1: true,
          },
          (request, response) => void emr.serve(request, response),
        );
  (server as HttpServer).on('upgrade', (request, socket) => emr.greet(request, socket));
  await new Promise<void>((resolve) => (server as Server).listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const ports = await Promise.all(settings.listening.map(listen));
process.once('SIGTERM', () => process.exit(0));
process.stdout.write(`listening on ${ports.join(' ')}\n`);
