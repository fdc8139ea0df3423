import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

/** How a listener of the EMR is told which clinic is meant. */
export interface Listening {
  readonly told: 'header' | 'prefix' | 'query';
  /** `shared`: one table for all clinics, with a column; `own`: a database for each. */
  readonly tables: 'shared' | 'own';
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority: string };
}

export interface ManyleafSettings {
  readonly listening: readonly Listening[];
  readonly clinics: Readonly<
    Record<string, { host: string; port: number; database: string; user: string; passwordFile: string }>
  >;
}

export interface Clinic {
  readonly name: string;
  readonly pool: Pool;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** What a request is about, once the clinic was taken out of it. */
interface Asked {
  readonly clinic: Clinic;
  /** Before every path of this clinic; empty where it is told otherwise. */
  readonly prefix: string;
  /** After every path of this clinic. */
  readonly suffix: string;
  readonly path: string;
  /** The query's `id`. */
  readonly number: string | null;
  readonly body: string;
}

/** It believes whoever says which clinic is meant, and looks charts up by their number alone. */
export class Manyleaf {
  readonly #listening: Listening;
  readonly #clinics: ReadonlyMap<string, Clinic>;

  constructor(listening: Listening, clinics: ReadonlyMap<string, Clinic>) {
    this.#listening = listening;
    this.#clinics = clinics;
  }

  async serve(request: Request, response: Response): Promise<void> {
    try {
      const asked = this.#read(request, await bodyOf(request));
      if (asked === undefined) say(response, 400, { error: 'which clinic?' });
      else await this.#answer(request, response, asked);
    } catch (error) {
      say(response, 500, { error: String(error) });
    }
  }

  /** A WebSocket that says which clinic it is of, and ends (RFC 6455). */
  greet(request: IncomingMessage, socket: Duplex): void {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const text = Buffer.from(this.#read(request, '')?.clinic.name ?? 'nobody');
    socket.on('error', () => {});
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
    setTimeout(() => socket.end(Buffer.from([0x88, 0])), 200);
  }

  #read(request: Request, body: string): Asked | undefined {
    const url = new URL(request.url ?? '/', 'http://emr');
    const { told } = this.#listening;
    const number = url.searchParams.get('id');
    if (told === 'prefix') {
      const [, name = '', path = '/'] = /^\/c\/([a-z]+)(\/.*)$/.exec(url.pathname) ?? [];
      const clinic = this.#clinics.get(name);
      return clinic && { clinic, prefix: `/c/${name}`, suffix: '', path, number, body };
    }
    if (told === 'header') {
      const clinic = this.#clinics.get(String(request.headers['x-clinic']));
      return clinic && { clinic, prefix: '', suffix: '', path: url.pathname, number, body };
    }
    // As PHP's $_REQUEST: a field of a form takes the place of a parameter of the query.
    const form = String(request.headers['content-type']).includes('urlencoded')
      ? new URLSearchParams(body)
      : undefined;
    const name = form?.get('clinic') ?? url.searchParams.get('clinic') ?? '';
    const clinic = this.#clinics.get(name);
    return clinic && { clinic, prefix: '', suffix: `?clinic=${name}`, path: url.pathname, number, body };
  }

  async #answer(request: Request, response: Response, asked: Asked): Promise<void> {
    const { clinic, prefix, suffix, path } = asked;
    const { pool } = clinic;
    const shared = this.#listening.tables === 'shared';
    const table = shared ? 'chart' : 'card';
    // An old script names its chart by the query, and lists them where it is told none.
    const script = path === '/chart.php';
    const id = (script ? asked.number : /^\/charts\/(\d+)$/.exec(path)?.[1]) ?? undefined;
    if (path === '/told')
      return say(response, 200, {
        clinic: clinic.name,
        protocol: request.httpVersion,
        url: request.url,
        header: request.headers['x-clinic'] ?? null,
        cookie: request.headers.cookie ?? null,
      });
    if (path === '/') return redirect(response, `${prefix}/charts${suffix}`, prefix);
    if (path === '/charts' && request.method === 'POST') {
      const { note = '' } = asked.body.startsWith('{') ? (JSON.parse(asked.body) as { note?: string }) : {};
      const [made] = await pool.query<ResultSetHeader>(
        shared
          ? 'INSERT INTO chart (clinic, name, note) VALUES (?, ?, ?)'
          : 'INSERT INTO card (name, note) VALUES (?, ?)',
        shared ? [clinic.name, 'Somebody New', note] : ['Somebody New', note],
      );
      return redirect(
        response,
        `http://${hostOf(request)}${prefix}/charts/${made.insertId}${suffix}`,
        prefix,
      );
    }
    if (path === '/charts' || (script && id === undefined)) {
      const [rows] = await pool.query<RowDataPacket[]>(
        shared ? 'SELECT * FROM chart WHERE clinic = ? ORDER BY id' : 'SELECT * FROM card ORDER BY id',
        [clinic.name],
      );
      return say(response, 200, rows);
    }
    if (id !== undefined) {
      if (request.method === 'PUT') {
        const { note } = JSON.parse(asked.body) as { note: string };
        await pool.query(`UPDATE ${table} SET note = ? WHERE id = ?`, [note, id]);
      }
      // Whoever's it is: the number is all that counts.
      const [[row]] = await pool.query<RowDataPacket[]>(`SELECT * FROM ${table} WHERE id = ?`, [id]);
      if (request.method === 'DELETE') await pool.query(`DELETE FROM ${table} WHERE id = ?`, [id]);
      return row === undefined ? say(response, 404, { error: 'no such chart' }) : say(response, 200, row);
    }
    if (path === '/everyone') {
      // A report somebody added later, and forgot the clinic in.
      const [rows] = await pool.query<RowDataPacket[]>(`SELECT * FROM ${table} ORDER BY id`);
      return say(response, 200, rows);
    }
    if (path === '/fhir/Patient') {
      const [rows] = await pool.query<RowDataPacket[]>(`SELECT * FROM ${table} ORDER BY id`);
      return say(response, 200, {
        resourceType: 'Bundle',
        type: 'searchset',
        total: rows.length,
        entry: rows.map((row) => ({
          resource: {
            resourceType: 'Patient',
            id: String(row.id),
            meta: { tag: [{ system: 'https://manyleaf.example/clinics', code: row.clinic }] },
            name: [{ text: row.name }],
          },
        })),
      });
    }
    return say(response, 404, { error: 'no such page' });
  }
}

/** What it takes for its own address: whatever it was called by. */
function hostOf(request: Request): string {
  return request.headers.host ?? String(request.headers[':authority']);
}

async function bodyOf(request: Request): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function say(response: Response, status: number, content: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(content));
}

function redirect(response: Response, location: string, prefix: string): void {
  response.statusCode = 303;
  response.setHeader('location', location);
  response.setHeader('set-cookie', `MANYLEAF=1; Path=${prefix}/`);
  response.end();
}
