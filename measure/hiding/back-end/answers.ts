import type { IncomingMessage } from 'node:http';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { BROKEN, PATIENTS } from './tables.ts';

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

type Row = RowDataPacket;

/** What a refusal of this system looks like: it names the record, and why. */
function refusal(status: number, text: string): Reply {
  return {
    status,
    body: {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code: 'processing', diagnostics: text }],
    },
  };
}

async function rows(pool: Pool, sql: string, values: readonly unknown[]): Promise<Row[]> {
  const [found] = await pool.query<Row[]>(sql, values as unknown[]);
  return found;
}

/** Answers one request as whoever wrote this system would have: it believes that the asker may ask. */
export async function answer(pool: Pool, request: IncomingMessage, body: string): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const [base = '', type = '', id = '', third = ''] = parts;
  const method = request.method ?? 'GET';
  if (base === 'documents') return document(pool, type);
  if (type === 'Observation' && id === '_search') return search(pool, new URLSearchParams(body), url);
  if (type === 'Observation' && id === '') return search(pool, url.searchParams, url);
  if (type === 'Observation') return observation(pool, { method, id, third, request, body });
  if (type === 'Patient') return patient(pool, id, third);
  return refusal(404, `there is nothing at ${url.pathname}`);
}

/** Another query for what is not there, and one that joins for what is not everybody's. */
async function closed(
  pool: Pool,
  type: string,
  id: string,
  chart: Row | undefined,
): Promise<Reply | undefined> {
  if (chart === undefined) {
    const [gone] = await rows(pool, 'SELECT at FROM deleted_records WHERE type = ? AND id = ?', [type, id]);
    return gone === undefined
      ? refusal(404, `${type} ${id} does not exist`)
      : refusal(410, `${type} ${id} was deleted at ${gone.at}`);
  }
  if (chart.restricted === 1) {
    const [owner] = await rows(
      pool,
      'SELECT u.full_name name, COUNT(DISTINCT e.id) visits, COUNT(DISTINCT a.id) appointments FROM patients p ' +
        'JOIN users u ON u.id = p.clinician_id LEFT JOIN encounters e ON e.patient_id = p.id ' +
        'LEFT JOIN appointments a ON a.patient_id = p.id WHERE p.id = ? GROUP BY u.id',
      [chart.patient],
    );
    return refusal(403, `${type} ${id} is restricted to ${owner?.name ?? 'its clinician'}`);
  }
  if (chart.patient === PATIENTS.broken)
    await rows(pool, 'SELECT value FROM observations WHERE code = ? AND', [BROKEN]);
  if (chart.patient === PATIENTS.slow)
    await rows(pool, 'SELECT COUNT(*) n, SLEEP(0.008) FROM encounters e WHERE e.patient_id = ?', [
      chart.patient,
    ]);
  return ODD[Number(chart.patient)];
}

/** What a request for a patient's records meets besides: the connection ends, a page to sign in, a fault, nonsense. */
const ODD: Readonly<Record<number, Reply>> = Object.freeze({
  [PATIENTS.dropped]: { status: 0 },
  [PATIENTS.redirected]: {
    status: 302,
    headers: { location: '/login?next=chart', 'set-cookie': 'EMRSESSID=1' },
  },
  [PATIENTS.busy]: {
    ...refusal(423, 'the chart is open at another desk'),
    headers: { 'retry-after': '30', 'set-cookie': 'LOCK=1', connection: 'close', age: '7', vary: 'cookie' },
  },
  [PATIENTS.garbled]: {
    status: 200,
    headers: { etag: 'W/"7"', 'content-location': '/fhir/Observation/7/_history/7' },
    body: Buffer.from('{"resourceType":"Observation","id":'),
  },
});

const OBSERVATION =
  'SELECT o.id, o.patient_id patient, o.code, o.display, o.value, o.unit, o.version, o.updated_at, p.restricted ' +
  'FROM observations o JOIN patients p ON p.id = o.patient_id WHERE o.id = ?';

function resource(row: Row): object {
  return {
    resourceType: 'Observation',
    id: String(row.id),
    meta: { versionId: String(row.version), lastUpdated: `${String(row.updated_at).replace(' ', 'T')}Z` },
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: row.code, display: row.display }] },
    subject: { reference: `Patient/${row.patient}` },
    valueQuantity: { value: Number(row.value), unit: row.unit },
  };
}

function validators(row: Row): Record<string, string> {
  return {
    etag: `W/"${row.version}"`,
    'last-modified': new Date(`${String(row.updated_at).replace(' ', 'T')}Z`).toUTCString(),
  };
}

interface Asked {
  readonly method: string;
  readonly id: string;
  readonly third: string;
  readonly request: IncomingMessage;
  readonly body: string;
}

async function observation(pool: Pool, { method, id, third, request }: Asked): Promise<Reply> {
  const [row] = await rows(pool, OBSERVATION, [id]);
  const shut = await closed(pool, 'Observation', id, row);
  if (shut !== undefined) return shut;
  if (row === undefined) return refusal(404, 'gone');
  const headers = validators(row);
  if (third === '_history' && !request.url?.endsWith('_history'))
    return { status: 200, headers, body: resource(row) };
  if (third === '_history')
    return {
      status: 200,
      body: { resourceType: 'Bundle', type: 'history', total: 1, entry: [{ resource: resource(row) }] },
    };
  if (method === 'OPTIONS') return { status: 204, headers: { allow: 'GET, PUT, PATCH, DELETE' } };
  if (method === 'PUT' || method === 'PATCH') {
    await pool.query('UPDATE observations SET version = version + 1, updated_at = NOW() WHERE id = ?', [id]);
    return { status: 200, headers, body: resource(row) };
  }
  if (method === 'DELETE') {
    // Measured against itself again and again: what was deleted would be missed.
    await pool.query('UPDATE observations SET updated_at = NOW() WHERE id = ?', [id]);
    return { status: 204 };
  }
  if (request.headers['if-none-match'] === headers.etag) return { status: 304, headers };
  if (request.headers.range !== undefined) {
    const whole = Buffer.from(JSON.stringify(resource(row)));
    return {
      status: 206,
      headers: { ...headers, 'content-range': `bytes 0-99/${whole.length}` },
      body: whole.subarray(0, 100),
    };
  }
  return { status: 200, headers, body: resource(row) };
}

/** By id, among those of a patient where one is named. Its total counts what is not everybody's too. */
async function search(pool: Pool, asked: URLSearchParams, url: URL): Promise<Reply> {
  const named = asked.get('patient') ?? url.searchParams.get('patient');
  const found = await rows(
    pool,
    `${OBSERVATION}${named === null ? '' : ' AND o.patient_id = ?'}`,
    named === null ? [asked.get('_id')] : [asked.get('_id'), named.replace(/^Patient\//, '')],
  );
  const [row] = found;
  if (row !== undefined) await closed(pool, 'Observation', String(row.id), row);
  return {
    status: 200,
    body: {
      resourceType: 'Bundle',
      type: 'searchset',
      total: found.length,
      entry: found
        .filter((each) => each.restricted !== 1)
        .map((each) => ({ fullUrl: `Observation/${each.id}`, resource: resource(each) })),
    },
  };
}

async function patient(pool: Pool, id: string, third: string): Promise<Reply> {
  const [row] = await rows(
    pool,
    'SELECT p.id patient, p.restricted, p.last_name, p.first_name, p.birth_date FROM patients p WHERE p.id = ?',
    [id],
  );
  const shut = await closed(pool, 'Patient', id, row);
  if (shut !== undefined) return shut;
  const self = {
    resourceType: 'Patient',
    id,
    name: [{ family: row?.last_name, given: [row?.first_name] }],
  };
  if (third === '') return { status: 200, body: self };
  const all = await rows(
    pool,
    'SELECT o.id, o.patient_id patient, o.code, o.display, o.value, o.unit, o.version, o.updated_at FROM observations o ' +
      'WHERE o.patient_id = ? ORDER BY o.id LIMIT 20',
    [id],
  );
  const entry = [...(third === '$everything' ? [self] : []), ...all.map(resource)].map((each) => ({
    resource: each,
  }));
  return { status: 200, body: { resourceType: 'Bundle', type: 'searchset', total: entry.length, entry } };
}

async function document(pool: Pool, id: string): Promise<Reply> {
  const [row] = await rows(
    pool,
    'SELECT d.patient_id patient, d.content, p.restricted FROM documents d JOIN patients p ON p.id = d.patient_id WHERE d.id = ?',
    [id],
  );
  const shut = await closed(pool, 'Document', id, row);
  return shut ?? { status: 200, headers: { 'content-disposition': 'attachment' }, body: row?.content };
}
