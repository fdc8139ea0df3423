import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Clinic, openClinic } from './support.ts';

let clinic: Clinic;

beforeAll(async () => {
  clinic = await openClinic('legacy-emr-pages');
});
afterAll(() => clinic?.stop());

function post(fields: Readonly<Record<string, string>>, cookie = ''): RequestInit {
  return { method: 'POST', body: new URLSearchParams(fields), headers: { cookie } };
}

async function login(username: string, password = clinic.installed.password): Promise<Answer> {
  return clinic.ask('/login', post({ username, password }));
}

/** The session cookie of a fresh login. */
async function session(username: string): Promise<string> {
  const [first = ''] = (await login(username)).headers.getSetCookie();
  return first.split(';')[0] ?? '';
}

describe('login', () => {
  it('is asked for with an absolute redirect to its own inner address', async () => {
    const answer = await clinic.ask('/patients/3');
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toBe(`${clinic.emr.origin}/login?next=%2Fpatients%2F3`);
    expect((await clinic.ask('/')).headers.get('location')).toBe(`${clinic.emr.origin}/patients`);
    expect((await clinic.ask('/login?next=/patients/3')).text).toContain('value="/patients/3"');
  });

  it('sets a cookie without Secure and HttpOnly, and one for its inner host name', async () => {
    const answer = await login('dr.quill');
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toBe(`${clinic.emr.origin}/patients`);
    const cookies = answer.headers.getSetCookie();
    expect(cookies[0]).toMatch(/^EMRSESSID=[0-9a-f]{32}; path=\/$/);
    expect(cookies[1]).toBe('EMRLANG=en; Domain=127.0.0.1; Path=/; Max-Age=31536000');
  });

  it('tells an unknown name from a wrong password', async () => {
    const unknown = await login('dr.nobody');
    expect([unknown.status, unknown.headers.getSetCookie()]).toEqual([200, []]);
    expect(unknown.text).toContain('Unknown user dr.nobody');
    expect((await login('dr.quill', 'guess')).text).toContain('Wrong password for dr.quill');
    expect((await login("' OR 1=1 -- ")).text).toContain('Unknown user');
  });

  it('holds for pages and for the JSON interface until logout', async () => {
    const [chart] = clinic.installed.restricted;
    const headers = { cookie: `theme=blue; ${await session(chart?.clinician ?? '')}` };
    const page = await clinic.ask('/patients', { headers });
    expect(page.text).toContain(`Signed in as <b>${chart?.clinician}</b>`);
    expect((await clinic.ask(`/fhir/Patient/${chart?.id}`, { headers })).status).toBe(200);
    const out = await clinic.ask('/logout', { headers });
    expect(out.headers.get('location')).toBe(`${clinic.emr.origin}/login`);
    expect(out.headers.getSetCookie()).toEqual([
      'EMRSESSID=deleted; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/',
    ]);
    expect((await clinic.ask('/patients', { headers })).status).toBe(302);
    expect((await clinic.ask(`/fhir/Patient/${chart?.id}`, { headers })).status).toBe(403);
  });
});

describe('charts', () => {
  it('are listed in pages, restricted ones without a name', async () => {
    const first = await clinic.ask('/patients', { as: 'nobody' });
    expect(first.text).toContain('60 patients');
    expect(first.text).toContain('href="/patients/1"');
    expect(first.text).toContain('<i>restricted</i>');
    expect(first.text).toContain('page=2');
    expect((await clinic.ask('/patients?page=3', { as: 'nobody' })).text).toContain('href="/patients/60"');
  });

  it('show observations, prescriptions and bills, with zero dates as dashes', async () => {
    const all = await Promise.all(
      [1, 2, 3, 4].map((id) => clinic.ask(`/patients/${id}`, { as: 'dr.quill' })),
    );
    for (const answer of all) {
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('<h2>Observations</h2>');
      expect(answer.text).not.toContain('0000-00-00');
    }
    expect(all.map((answer) => answer.text).join('')).toContain('&ndash;');
  });

  it('that do not exist are a page with status 200', async () => {
    const answer = await clinic.ask('/patients/4711', { as: 'dr.quill' });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('No such patient: 4711');
  });

  it('that are restricted are a 403 that names the clinician', async () => {
    const chart = clinic.installed.restricted.find(({ clinician }) => clinician !== 'nurse.fern');
    const owner = clinic.installed.users.find(({ username }) => username === chart?.clinician);
    for (const path of [`/patients/${chart?.id}`, `/patients/${chart?.id}/edit`]) {
      const answer = await clinic.ask(path, { as: 'nurse.fern' });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain(`restricted to ${owner?.fullName}`);
    }
    const saved = await clinic.ask(`/patients/${chart?.id}/edit`, {
      ...post({ city: 'X' }),
      as: 'nurse.fern',
    });
    expect(saved.status).toBe(403);
  });

  it('are edited by a form that redirects to an absolute URL', async () => {
    const cookie = await session('clerk.tab');
    const form = await clinic.ask('/patients/7/edit', { headers: { cookie } });
    expect(form.text).toContain('<form method="post" action="/patients/7/edit"');
    const notes = `Ring twice; "ask" for <b>Zoë</b> & 'co'`;
    const saved = await clinic.ask('/patients/7/edit', post({ city: 'Mockborough', notes, id: '8' }, cookie));
    expect(saved.status).toBe(302);
    expect(saved.headers.get('location')).toBe(`${clinic.emr.origin}/patients/7`);
    const page = await clinic.ask('/patients/7', { headers: { cookie } });
    expect(page.text).toContain('Mockborough');
    expect(page.text).toContain('Ring twice; &quot;ask&quot; for &lt;b&gt;Zoë&lt;/b&gt; &amp; &#39;co&#39;');
    const read = await clinic.ask('/fhir/Patient/7');
    expect(read.headers.get('etag')).toBe('W/"2"');
    const administrator = await clinic.mariadb.connect({ database: 'emr_a' });
    const [log] = await administrator.query("SELECT who, patient_id FROM access_log WHERE action = 'edit'");
    await administrator.end();
    expect(log).toEqual([{ who: 'clerk.tab', patient_id: 7 }]);
  });
});

describe('static assets', () => {
  it.each([
    ['emr.css', 'text/css'],
    ['emr.js', 'text/javascript'],
    ['logo.svg', 'image/svg+xml'],
  ])('%s has a type, an ETag and a lifetime', async (name, type) => {
    const answer = await clinic.ask(`/static/${name}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=3600');
    const etag = answer.headers.get('etag') ?? '';
    const again = await clinic.ask(`/static/${name}`, { headers: { 'if-none-match': etag } });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('has nothing else there', async () => {
    expect((await clinic.ask('/static/nothing')).status).toBe(404);
    expect((await clinic.ask('/static/..%2fmain.ts')).status).toBe(404);
  });
});
