import { isSqlError, type Row } from '../database.ts';
import { capture, type Exchange, parameter, type RouteEntry, readBody } from '../exchange.ts';
import { mayOpen, whoIsAsking } from '../who.ts';
import { documentReference } from './document-reference.ts';
import { encounter } from './encounter.ts';
import { type Condition, instant, type ResourceKind, textAt } from './kind.ts';
import { medicationRequest } from './medication-request.ts';
import { capabilityStatement } from './metadata.ts';
import { observation } from './observation.ts';
import { sendOutcome, sendResource } from './outcome.ts';
import { patient } from './patient.ts';

const KINDS: ReadonlyMap<string, ResourceKind> = new Map(
  [patient, observation, encounter, medicationRequest, documentReference].map((kind) => [kind.type, kind]),
);
const ER_DUP_ENTRY = 1062;

function kindOf(exchange: Exchange): ResourceKind | undefined {
  const type = capture(exchange, 0);
  const kind = KINDS.get(type);
  if (kind === undefined) sendOutcome(exchange, 404, 'not-supported', `Resource type ${type} is not known`);
  return kind;
}

function sendAbsent(exchange: Exchange, what: string): void {
  sendOutcome(exchange, 404, 'not-found', `${what} is not known`);
}

function sendForbidden(exchange: Exchange, what: string, owner: unknown, who: string | undefined): void {
  const asker = who === undefined ? 'You' : `User ${who}`;
  sendOutcome(
    exchange,
    403,
    'forbidden',
    `${asker} may not open ${what}: restricted to ${owner ?? 'nobody'}`,
  );
}

/** The record of the path if it exists and may be opened; otherwise answers 404 or 403, as old systems do. */
async function openRecord(exchange: Exchange, kind: ResourceKind): Promise<Row | undefined> {
  const id = capture(exchange, 1);
  const what = `${kind.type}/${id}`;
  const [row] = await exchange.emr.database.rows(`${kind.select} WHERE t.id = ?`, [id]);
  if (row === undefined) {
    sendAbsent(exchange, what);
    return undefined;
  }
  const who = await whoIsAsking(exchange);
  if (mayOpen(row, who)) return row;
  sendForbidden(exchange, what, row.owner, who);
  return undefined;
}

/** Whether the chart may be opened; otherwise answers 403. A chart that does not exist is left to the database. */
async function openChart(exchange: Exchange, id: unknown): Promise<boolean> {
  if (id === undefined || id === null) return true;
  const [chart] = await exchange.emr.database.rows(
    'SELECT t.restricted, o.username owner FROM patients t LEFT JOIN users o ON o.id = t.clinician_id WHERE t.id = ?',
    [id],
  );
  const who = await whoIsAsking(exchange);
  if (chart === undefined || mayOpen(chart, who)) return true;
  sendForbidden(exchange, `Patient/${id}`, chart.owner, who);
  return false;
}

/** The body as JSON of the right type; otherwise answers 400. */
async function resourceBody(exchange: Exchange, kind: ResourceKind): Promise<unknown> {
  const text = (await readBody(exchange.request)).toString('utf8');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    sendOutcome(exchange, 400, 'structure', `Body is not JSON: ${(error as Error).message}`);
    return undefined;
  }
  const type = textAt(body, 'resourceType');
  if (type === kind.type) return body;
  sendOutcome(exchange, 400, 'invalid', `resourceType is ${type ?? 'missing'}, expected ${kind.type}`);
  return undefined;
}

async function sendRecord(
  exchange: Exchange,
  kind: ResourceKind,
  status: number,
  id: unknown,
): Promise<void> {
  const [row] = await exchange.emr.database.rows(`${kind.select} WHERE t.id = ?`, [id]);
  if (row === undefined) sendAbsent(exchange, `${kind.type}/${id}`);
  else sendRow(exchange, kind, status, row);
}

function sendRow(exchange: Exchange, kind: ResourceKind, status: number, row: Row): void {
  const { request, response } = exchange;
  const etag = `W/"${row.version}"`;
  response.setHeader('ETag', etag);
  const updated = instant(row.updated_at);
  if (updated !== undefined) response.setHeader('Last-Modified', new Date(updated).toUTCString());
  if (request.method === 'GET' && request.headers['if-none-match'] === etag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  sendResource(exchange, status, kind.toResource(row, exchange.emr));
}

async function read(exchange: Exchange): Promise<void> {
  const kind = kindOf(exchange);
  if (kind === undefined) return;
  const row = await openRecord(exchange, kind);
  if (row !== undefined) sendRow(exchange, kind, 200, row);
}

/** Leading digits of a parameter, as `atoi` has it. */
function count(value: string | undefined, otherwise: number, most: number): number {
  const number = Number.parseInt(value ?? '', 10);
  return Number.isNaN(number) ? otherwise : Math.min(Math.max(number, 0), most);
}

async function search(exchange: Exchange): Promise<void> {
  const kind = kindOf(exchange);
  if (kind === undefined) return;
  const { emr, request } = exchange;
  const asked = parameter(exchange, 'patient');
  if (asked !== undefined && !(await openChart(exchange, asked.slice(asked.lastIndexOf('/') + 1)))) return;
  const withinChart = asked !== undefined && asked !== '';
  const conditions: Condition[] = [];
  for (const [name, condition] of Object.entries(kind.search)) {
    const value = parameter(exchange, name);
    if (value !== undefined && value !== '') conditions.push(condition(value, withinChart));
  }
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`;
  const values = conditions.flatMap(([, ...bound]) => bound);
  const size = count(parameter(exchange, '_count'), 20, 200);
  const offset = count(parameter(exchange, '_offset'), 0, 1_000_000_000);
  const [counted] = await emr.database.rows(`SELECT COUNT(*) total FROM ${kind.table} t${where}`, values);
  const total = Number(counted?.total);
  const rows = await emr.database.rows(`${kind.select}${where} ORDER BY t.id LIMIT ? OFFSET ?`, [
    ...values,
    size,
    offset,
  ]);
  const who = await whoIsAsking(exchange);
  const link = [{ relation: 'self', url: emr.origin + (request.url ?? '') }];
  if (size > 0 && offset + size < total) {
    const next = new URLSearchParams(exchange.query);
    next.set('_count', String(size));
    next.set('_offset', String(offset + size));
    link.push({ relation: 'next', url: `${emr.origin}/fhir/${kind.type}?${next}` });
  }
  sendResource(exchange, 200, {
    resourceType: 'Bundle',
    type: 'searchset',
    // Counts what the asker may not open as well: the entries are left out, the number tells.
    total,
    link,
    entry: rows
      .filter((row) => mayOpen(row, who))
      .map((row) => ({
        fullUrl: `${emr.origin}/fhir/${kind.type}/${row.id}`,
        resource: kind.toResource(row, emr),
        search: { mode: 'match' },
      })),
  });
}

/** Runs a write; a unique key that is hit becomes a 409 that says whose it is. */
async function write(
  exchange: Exchange,
  kind: ResourceKind,
  columns: Readonly<Record<string, unknown>>,
  statement: () => Promise<void>,
): Promise<void> {
  try {
    await statement();
  } catch (error) {
    if (!isSqlError(error) || error.errno !== ER_DUP_ENTRY || kind.describeDuplicate === undefined)
      throw error;
    sendOutcome(exchange, 409, 'duplicate', await kind.describeDuplicate(exchange.emr.database, columns));
  }
}

async function create(exchange: Exchange): Promise<void> {
  const kind = kindOf(exchange);
  if (kind === undefined) return;
  const { emr, response } = exchange;
  const body = await resourceBody(exchange, kind);
  if (body === undefined) return;
  const columns = { ...kind.defaults?.(), ...kind.toColumns(body) };
  if (!(await openChart(exchange, kind.patientOf(columns)))) return;
  await write(exchange, kind, columns, async () => {
    const made = await emr.database.change(`INSERT INTO ${kind.table} SET updated_at = NOW(), ?`, [columns]);
    response.setHeader('Location', `${emr.origin}/fhir/${kind.type}/${made.insertId}`);
    await sendRecord(exchange, kind, 201, made.insertId);
  });
}

async function update(exchange: Exchange): Promise<void> {
  const kind = kindOf(exchange);
  if (kind === undefined) return;
  const body = await resourceBody(exchange, kind);
  if (body === undefined) return;
  const row = await openRecord(exchange, kind);
  if (row === undefined) return;
  const id = textAt(body, 'id');
  if (id !== undefined && id !== String(row.id)) {
    sendOutcome(exchange, 400, 'invalid', `id ${id} in the body is not ${row.id} of the URL`);
    return;
  }
  const condition = exchange.request.headers['if-match'];
  if (condition !== undefined && condition !== `W/"${row.version}"`) {
    sendOutcome(exchange, 412, 'conflict', `${kind.type}/${row.id} is at version ${row.version}`);
    return;
  }
  const columns = kind.toColumns(body);
  if (!(await openChart(exchange, kind.patientOf(columns)))) return;
  await write(exchange, kind, columns, async () => {
    const set = Object.keys(columns).length === 0 ? '' : ', ?';
    await exchange.emr.database.change(
      `UPDATE ${kind.table} SET version = version + 1, updated_at = NOW()${set} WHERE id = ?`,
      set === '' ? [row.id] : [columns, row.id],
    );
    await sendRecord(exchange, kind, 200, row.id);
  });
}

async function remove(exchange: Exchange): Promise<void> {
  const kind = kindOf(exchange);
  if (kind === undefined) return;
  const row = await openRecord(exchange, kind);
  if (row === undefined) return;
  await exchange.emr.database.change(`DELETE FROM ${kind.table} WHERE id = ?`, [row.id]);
  exchange.response.statusCode = 204;
  exchange.response.end();
}

/** The JSON interface. It was written for other machines in the house and asks nobody to log in. */
export const FHIR_ROUTES: readonly RouteEntry[] = [
  [
    'GET',
    /^\/fhir\/metadata$/,
    (exchange) => sendResource(exchange, 200, capabilityStatement(exchange.emr, KINDS.values())),
  ],
  ['GET', /^\/fhir\/([^/]+)$/, search],
  ['POST', /^\/fhir\/([^/]+)$/, create],
  ['GET', /^\/fhir\/([^/]+)\/([^/]+)$/, read],
  ['PUT', /^\/fhir\/([^/]+)\/([^/]+)$/, update],
  ['DELETE', /^\/fhir\/([^/]+)\/([^/]+)$/, remove],
];
