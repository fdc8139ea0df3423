import type { Row } from './database.ts';
import { capture, type Exchange, parameter, type RouteEntry, readBody, redirect } from './exchange.ts';
import { escapeHtml, sendPage, shownDate } from './html.ts';
import { mayOpen, signedIn } from './who.ts';

const PAGE_SIZE = 25;

async function list(exchange: Exchange): Promise<void> {
  const who = await signedIn(exchange);
  if (who === undefined) return;
  const { database } = exchange.emr;
  const name = parameter(exchange, 'q') ?? '';
  const page = Math.max(Number.parseInt(parameter(exchange, 'page') ?? '1', 10) || 1, 1);
  const rows = await database.rows(
    `SELECT t.id, t.mrn, t.last_name, t.first_name, t.birth_date, t.restricted, o.username owner
     FROM patients t LEFT JOIN users o ON o.id = t.clinician_id
     WHERE t.last_name LIKE ? ORDER BY t.id LIMIT ? OFFSET ?`,
    [`${name}%`, PAGE_SIZE, (page - 1) * PAGE_SIZE],
  );
  const [counted] = await database.rows('SELECT COUNT(*) total FROM patients WHERE last_name LIKE ?', [
    `${name}%`,
  ]);
  const lines = rows.map((row) => {
    // The line stays, without the name: everybody sees that the chart is there.
    const shown = mayOpen(row, who)
      ? `<a href="/patients/${row.id}">${escapeHtml(row.last_name)}, ${escapeHtml(row.first_name)}</a>`
      : '<i>restricted</i>';
    return `<tr><td>${row.id}</td><td>${escapeHtml(row.mrn)}</td><td>${shown}</td><td>${mayOpen(row, who) ? shownDate(row.birth_date) : ''}</td></tr>`;
  });
  const query = `q=${encodeURIComponent(name)}`;
  const links = [
    page > 1 ? `<a href="/patients?${query}&amp;page=${page - 1}">previous</a>` : '',
    page * PAGE_SIZE < Number(counted?.total)
      ? `<a href="/patients?${query}&amp;page=${page + 1}">next</a>`
      : '',
  ];
  sendPage(exchange, {
    title: 'Patients',
    who,
    body: `<form method="get" action="/patients">Last name <input name="q" value="${escapeHtml(name)}"> <input type="submit" value="Search"></form>
<p>${counted?.total} patients</p>
<table class="list"><tr><th>No.</th><th>Record</th><th>Name</th><th>Born</th></tr>
${lines.join('\n')}
</table><p>${links.join(' ')}</p>`,
  });
}

/** The chart if it exists and may be opened; otherwise a page that says which of the two it was. */
async function openChart(exchange: Exchange, who: string): Promise<Row | undefined> {
  const id = capture(exchange, 0);
  const [row] = await exchange.emr.database.rows(
    'SELECT t.*, o.username owner, o.full_name owner_name FROM patients t LEFT JOIN users o ON o.id = t.clinician_id WHERE t.id = ?',
    [id],
  );
  if (row === undefined) {
    // With status 200: only the text says that there is nothing.
    sendPage(exchange, {
      title: 'Patient',
      who,
      body: `<p class="error">No such patient: ${escapeHtml(id)}</p>`,
    });
    return undefined;
  }
  if (mayOpen(row, who)) return row;
  const body = `<p class="error">The chart of patient ${row.id} is restricted to ${escapeHtml(row.owner_name ?? 'nobody')}.</p>`;
  sendPage(exchange, { title: 'Access denied', who, body }, 403);
  return undefined;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, values: readonly string[]): string =>
    `<tr>${values.map((value) => `<${tag}>${value}</${tag}>`).join('')}</tr>`;
  return `<table class="list">${cells('th', head)}\n${rows.map((row) => cells('td', row)).join('\n')}</table>`;
}

async function chart(exchange: Exchange): Promise<void> {
  const who = await signedIn(exchange);
  if (who === undefined) return;
  const row = await openChart(exchange, who);
  if (row === undefined) return;
  const { database, origin } = exchange.emr;
  const of = (sql: string): Promise<Row[]> => database.rows(sql, [row.id]);
  const [observations, prescriptions, allergies, problems, documents, invoices] = await Promise.all([
    of('SELECT * FROM observations WHERE patient_id = ? ORDER BY observed_at DESC LIMIT 20'),
    of(
      'SELECT t.*, m.name FROM prescriptions t JOIN medications m ON m.code = t.medication_code WHERE t.patient_id = ? ORDER BY t.id',
    ),
    of('SELECT * FROM allergies WHERE patient_id = ? ORDER BY id'),
    of('SELECT * FROM problems WHERE patient_id = ? ORDER BY id'),
    of('SELECT id, title, bytes, updated_at FROM documents WHERE patient_id = ? ORDER BY id'),
    of('SELECT * FROM invoices WHERE patient_id = ? ORDER BY id'),
  ]);
  const name = `${row.title} ${row.first_name} ${row.last_name}`.trim();
  sendPage(exchange, {
    title: name,
    who,
    body: [
      `<p>Record <b>${escapeHtml(row.mrn)}</b>, born ${shownDate(row.birth_date)}, clinician ${escapeHtml(row.owner_name)}</p>`,
      `<p>${escapeHtml(row.street)}, ${escapeHtml(row.postcode)} ${escapeHtml(row.city)}, ${escapeHtml(row.phone_home)}, ${escapeHtml(row.email)}</p>`,
      `<p>${escapeHtml(row.notes)}</p><p><a href="${escapeHtml(origin)}/patients/${row.id}/edit">Edit</a></p>`,
      '<h2>Observations</h2>',
      table(
        ['Date', 'What', 'Value'],
        observations.map((o) => [
          shownDate(o.observed_at),
          escapeHtml(o.display),
          `${Number(o.value)} ${escapeHtml(o.unit)}`,
        ]),
      ),
      '<h2>Prescriptions</h2>',
      table(
        ['Medication', 'Dosage', 'Status'],
        prescriptions.map((p) => [escapeHtml(p.name), escapeHtml(p.dosage), escapeHtml(p.status)]),
      ),
      '<h2>Allergies and problems</h2>',
      table(
        ['What', 'Since', 'Until'],
        [
          ...allergies.map((a) => [
            `${escapeHtml(a.substance)} (${escapeHtml(a.severity)})`,
            shownDate(a.noted_on),
            '',
          ]),
          ...problems.map((p) => [escapeHtml(p.title), shownDate(p.onset_on), shownDate(p.resolved_on)]),
        ],
      ),
      '<h2>Documents and invoices</h2>',
      table(
        ['Date', 'What', 'Paid'],
        [
          ...documents.map((d) => [
            shownDate(d.updated_at),
            `<a href="/documents/${d.id}/content">${escapeHtml(d.title)}</a> (${d.bytes} bytes)`,
            '',
          ]),
          ...invoices.map((i) => [
            shownDate(i.issued_on),
            `${escapeHtml(i.number)}: ${escapeHtml(i.total)} ${escapeHtml(i.currency)}`,
            shownDate(i.paid_on),
          ]),
        ],
      ),
    ].join('\n'),
  });
}

/** What the edit form may change: column and label. */
const FIELDS: readonly (readonly [column: string, label: string])[] = [
  ['phone_home', 'Phone'],
  ['phone_mobile', 'Mobile'],
  ['email', 'E-mail'],
  ['street', 'Street'],
  ['city', 'City'],
  ['postcode', 'Postcode'],
  ['notes', 'Notes'],
];

async function editForm(exchange: Exchange): Promise<void> {
  const who = await signedIn(exchange);
  if (who === undefined) return;
  const row = await openChart(exchange, who);
  if (row === undefined) return;
  const inputs = FIELDS.map(
    ([column, label]) =>
      `<tr><td>${label}</td><td><input name="${column}" size="50" value="${escapeHtml(row[column])}"></td></tr>`,
  );
  // No token against forged requests: nobody had heard of them.
  sendPage(exchange, {
    title: `Edit ${row.first_name} ${row.last_name}`,
    who,
    body: `<form method="post" action="/patients/${row.id}/edit" onsubmit="return reallySave()"><table>
${inputs.join('\n')}
<tr><td></td><td><input type="submit" value="Save"></td></tr></table></form>`,
  });
}

async function save(exchange: Exchange): Promise<void> {
  const who = await signedIn(exchange);
  if (who === undefined) return;
  const row = await openChart(exchange, who);
  if (row === undefined) return;
  const { database } = exchange.emr;
  const posted = new URLSearchParams((await readBody(exchange.request)).toString('utf8'));
  const columns: Record<string, string> = {};
  for (const [column] of FIELDS) {
    const value = posted.get(column);
    if (value !== null) columns[column] = value;
  }
  if (Object.keys(columns).length > 0) {
    await database.change('UPDATE patients SET version = version + 1, updated_at = NOW(), ? WHERE id = ?', [
      columns,
      row.id,
    ]);
  }
  await database.change('INSERT INTO access_log SET at = NOW(), ?', [
    { who, action: 'edit', patient_id: row.id, address: exchange.request.socket.remoteAddress ?? '' },
  ]);
  redirect(exchange, `/patients/${row.id}`);
}

export const PAGE_ROUTES: readonly RouteEntry[] = [
  ['GET', /^\/$/, (exchange) => redirect(exchange, '/patients')],
  ['GET', /^\/patients$/, list],
  ['GET', /^\/patients\/([^/]+)$/, chart],
  ['GET', /^\/patients\/([^/]+)\/edit$/, editForm],
  ['POST', /^\/patients\/([^/]+)\/edit$/, save],
];
