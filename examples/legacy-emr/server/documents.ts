import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { capture, type Exchange, parameter, type RouteEntry, send } from './exchange.ts';
import { mayOpen, whoIsAsking } from './who.ts';

/** Larger uploads are hashed and listed, but their content goes to the (imaginary) archive. */
const KEPT_BYTES = 1024 * 1024;

/** Size of `GET /download/large`. */
export const LARGE_BYTES = 50 * 1024 * 1024;
const BLOCK = 64 * 1024;

function sendError(exchange: Exchange, status: number, error: string): void {
  send(exchange, status, 'application/json', `${JSON.stringify({ error })}\n`);
}

async function openPatient(exchange: Exchange, id: string): Promise<boolean> {
  const [chart] = await exchange.emr.database.rows(
    'SELECT t.restricted, o.username owner FROM patients t LEFT JOIN users o ON o.id = t.clinician_id WHERE t.id = ?',
    [id],
  );
  if (chart === undefined) sendError(exchange, 404, `no patient ${id}`);
  else if (mayOpen(chart, await whoIsAsking(exchange))) return true;
  else sendError(exchange, 403, `patient ${id} is restricted to ${chart.owner}`);
  return false;
}

/** The raw body is the file; `?title=` and `?patient=` say what and whose it is. */
async function upload(exchange: Exchange): Promise<void> {
  const { emr, request } = exchange;
  const patient = parameter(exchange, 'patient') ?? null;
  if (patient !== null && !(await openPatient(exchange, patient))) {
    request.resume();
    return;
  }
  const hash = createHash('sha256');
  let kept: Buffer[] | undefined = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    hash.update(bytes);
    length += bytes.length;
    if (length > KEPT_BYTES) kept = undefined;
    kept?.push(bytes);
  }
  const sha256 = hash.digest('hex');
  const made = await emr.database.change('INSERT INTO documents SET updated_at = NOW(), ?', [
    {
      patient_id: patient,
      title: parameter(exchange, 'title') ?? 'Scan',
      mime: request.headers['content-type'] ?? 'application/octet-stream',
      bytes: length,
      sha256,
      content: kept === undefined ? null : Buffer.concat(kept),
    },
  ]);
  exchange.response.setHeader('Location', `${emr.origin}/documents/${made.insertId}/content`);
  send(exchange, 201, 'application/json', `${JSON.stringify({ id: made.insertId, length, sha256 })}\n`);
}

async function content(exchange: Exchange): Promise<void> {
  const id = capture(exchange, 0);
  const [row] = await exchange.emr.database.rows(
    `SELECT t.title, t.mime, t.content, p.restricted, o.username owner FROM documents t
     LEFT JOIN patients p ON p.id = t.patient_id LEFT JOIN users o ON o.id = p.clinician_id WHERE t.id = ?`,
    [id],
  );
  if (row === undefined) {
    sendError(exchange, 404, `no document ${id}`);
    return;
  }
  if (!mayOpen(row, await whoIsAsking(exchange))) {
    sendError(exchange, 403, `document ${id} is restricted to ${row.owner}`);
    return;
  }
  if (row.content === null) {
    sendError(exchange, 410, `document ${id} is in the archive`);
    return;
  }
  exchange.response.setHeader(
    'Content-Disposition',
    `attachment; filename="document-${Number.parseInt(id, 10)}"`,
  );
  send(exchange, 200, String(row.mime), row.content as Buffer);
}

/** The n-th 64 KiB of the large download: its number as text, then a pattern that differs per block. */
function largeBlock(number: number): Buffer {
  const block = Buffer.alloc(BLOCK, number % 251);
  block.write(`block ${number}\n`);
  return block;
}

/** The content of `GET /download/large`, made as it is read. Always the same. */
export function* largeContent(): Generator<Buffer> {
  for (let number = 0; number < LARGE_BYTES / BLOCK; number += 1) yield largeBlock(number);
}

async function large(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Disposition', 'attachment; filename="export.bin"');
  response.setHeader('Content-Length', LARGE_BYTES);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(Readable.from(largeContent(), { objectMode: false, highWaterMark: BLOCK }), response);
}

export const DOCUMENT_ROUTES: readonly RouteEntry[] = [
  ['POST', /^\/documents\/upload$/, upload],
  ['GET', /^\/documents\/([^/]+)\/content$/, content],
  ['GET', /^\/download\/large$/, large],
];
