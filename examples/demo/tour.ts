import { setTimeout as pause } from 'node:timers/promises';
import type { Reply } from '../support/https-client.ts';
import { auditRows, emrCount, metric, withoutRequestId } from './evidence.ts';
import { plainHttp, tlsFailure, webSocket } from './probes.ts';
import { denial, excerpt, reasonOf, send, type TourStep, until } from './steps.ts';
import { dropAuditTrigger } from './tamper.ts';

const ABSENT = 999_999;

const observation = (patient: number) =>
  JSON.stringify({
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Heart rate' }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: '2026-03-01T09:30:00Z',
    valueQuantity: { value: 72, unit: 'beats/minute', system: 'http://unitsofmeasure.org', code: '/min' },
  });

/** The tour, in the order in which a visitor would want it. */
export const TOUR: readonly TourStep[] = [
  {
    title: 'No token: refused',
    async run(stack) {
      const before = await emrCount(stack.tenants.north);
      const reply = await send(stack, 'north', '/fhir/Patient/7');
      const report = await denial(stack, this.title, 'GET /fhir/Patient/7', reply, {
        status: 401,
        reason: 'credential-missing',
      });
      const untouched = (await emrCount(stack.tenants.north)) === before;
      return {
        ...report,
        ok: report.ok && untouched && reply.headers['www-authenticate']?.startsWith('Bearer') === true,
      };
    },
  },
  {
    title: "A token for the other clinic's audience: refused",
    async run(stack) {
      const token = await stack.token({ tenant: 'south', scopes: ['system/Patient.r'] });
      const reply = await send(stack, 'north', '/fhir/Patient/7', token);
      return denial(stack, this.title, 'GET /fhir/Patient/7 with a token for south', reply, {
        status: 401,
        reason: 'token-audience',
      });
    },
  },
  {
    title: 'The right token without the scope: refused',
    async run(stack) {
      const token = await stack.token({ tenant: 'north', scopes: ['system/Observation.rs'] });
      const reply = await send(stack, 'north', '/fhir/Patient/7', token);
      const report = await denial(
        stack,
        this.title,
        'GET /fhir/Patient/7 with system/Observation.rs',
        reply,
        {
          status: 403,
          reason: 'scope-missing',
        },
      );
      return { ...report, came: `${report.came}\n${reply.headers['www-authenticate']}` };
    },
  },
  {
    title: 'The right scope: the record, straight from the EMR',
    async run(stack) {
      const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
      const reply = await send(stack, 'north', '/fhir/Patient/7', token);
      const record =
        reply.status === 200 ? (JSON.parse(reply.text) as { resourceType?: string; id?: string }) : {};
      return {
        title: this.title,
        sent: 'GET /fhir/Patient/7 with system/Patient.r',
        came: `${reply.status} ${excerpt(reply.text)}`,
        why: `no Server or X-Powered-By of the EMR is left; Strict-Transport-Security: ${reply.headers['strict-transport-security']}`,
        ok:
          record.resourceType === 'Patient' &&
          record.id === '7' &&
          reply.headers['x-powered-by'] === undefined &&
          reply.headers.server === undefined,
      };
    },
  },
  {
    title: "Somebody else's record and one that does not exist: the same answer",
    async run(stack) {
      const tenant = stack.tenants.north;
      const restricted = tenant.restricted[0] ?? 0;
      const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
      const own = await stack.token({
        tenant: 'north',
        client: 'patient-app',
        scopes: ['patient/Patient.r'],
      });
      const timed = async (path: string, bearer: string) => {
        const started = performance.now();
        const reply = await send(stack, 'north', path, bearer);
        return { reply, ms: performance.now() - started };
      };
      const cases = [
        await timed(`/fhir/Patient/${restricted}`, token),
        await timed(`/fhir/Patient/${ABSENT}`, token),
        await timed('/fhir/Patient/8', own),
        await timed(`/fhir/Patient/${ABSENT}`, own),
      ];
      const forms = new Set(cases.map(({ reply }) => withoutRequestId(reply)));
      const mine = await send(stack, 'north', '/fhir/Patient/7', own);
      const direct = await Promise.all(
        [restricted, ABSENT].map((id) => fetch(`${tenant.emr.origin}/fhir/Patient/${id}`)),
      );
      return {
        title: this.title,
        sent: `GET /fhir/Patient/${restricted} (exists; the EMR says ${direct[0]?.status}), /fhir/Patient/${ABSENT} (absent; the EMR says ${direct[1]?.status}),\nand as patient 7: /fhir/Patient/8 (another's) and /fhir/Patient/${ABSENT}`,
        came: `${cases.map(({ reply, ms }) => `${reply.status} after ${ms.toFixed(0)} ms`).join(', ')}\n${excerpt(cases[0]?.reply.text ?? '')}`,
        why: `${forms.size} distinct answer${forms.size === 1 ? '' : 's'} once the request id is taken out, all released at the same deadline; the patient's own record: ${mine.status}`,
        ok:
          forms.size === 1 &&
          cases.every(({ reply }) => reply.status === 404) &&
          mine.status === 200 &&
          direct[0]?.status === 403 &&
          direct[1]?.status === 404,
      };
    },
  },
  {
    title: 'A write: done, and audited in the database',
    async run(stack) {
      const tenant = stack.tenants.north;
      const token = await stack.token({ tenant: 'north', scopes: ['system/Observation.cruds'] });
      const reply = await send(stack, 'north', '/fhir/Observation', token, {
        method: 'POST',
        body: observation(7),
      });
      const [row] = (await auditRows(stack, tenant, 1)) as {
        emr_table?: string;
        operation?: string;
        login?: string;
        at?: string;
        new_values?: unknown;
      }[];
      return {
        title: this.title,
        sent: 'POST /fhir/Observation with system/Observation.cruds',
        came: `${reply.status}, Location: ${reply.headers.location}`,
        why: `audit row: ${row?.at} UTC, ${row?.login}, ${row?.operation} on ${row?.emr_table}\n${excerpt(String(row?.new_values))}`,
        ok:
          reply.status === 201 &&
          reply.headers.location?.startsWith('/fhir/Observation/') === true &&
          row?.operation === 'insert',
      };
    },
  },
  {
    title: "A trigger dropped behind the gateway's back: nothing passes",
    async run(stack) {
      const tenant = stack.tenants.north;
      const token = await stack.token({
        tenant: 'north',
        scopes: ['system/Observation.cruds', 'system/Patient.r'],
      });
      const dropped = await dropAuditTrigger(stack, tenant, 'observations');
      try {
        const before = await emrCount(tenant);
        const write = await send(stack, 'north', '/fhir/Observation', token, {
          method: 'POST',
          body: observation(7),
        });
        // A write waits for a probe of its own; the policy lets a read use a verdict up to one second old.
        await pause(1100);
        const read = await send(stack, 'north', '/fhir/Patient/7', token);
        const seen = (await emrCount(tenant)) - before;
        const other = await send(
          stack,
          'south',
          '/fhir/Patient/7',
          await stack.token({ tenant: 'south', scopes: ['system/Patient.r'] }),
        );
        const reason = await reasonOf(stack, write);
        const state = await metric(stack, 'chartgate_integrity_state', { database: 'north' });
        return {
          title: this.title,
          sent: `DROP TRIGGER ${dropped.name}, then at once POST /fhir/Observation, and GET /fhir/Patient/7 a second later`,
          came: `${write.status} and ${read.status} ${excerpt(write.text)}`,
          why: `activity log: ${reason}; requests that reached the EMR: ${seen}; chartgate_integrity_state{database="north"} ${state}; the other clinic goes on: ${other.status}`,
          ok:
            write.status === 503 &&
            read.status === 503 &&
            seen === 0 &&
            reason === 'integrity-broken' &&
            state === 0 &&
            other.status === 200,
        };
      } finally {
        await dropped.restore();
      }
    },
  },
  {
    title: 'The trigger restored: service again',
    async run(stack) {
      const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
      const { reply, ms } = await until(
        () => send(stack, 'north', '/fhir/Patient/7', token),
        (each) => each.status === 200,
      );
      return {
        title: this.title,
        sent: 'CREATE TRIGGER as it was, then GET /fhir/Patient/7',
        came: `${reply.status} after ${ms.toFixed(0)} ms`,
        why: 'the next probe found the approved state again, under a new epoch',
        ok: reply.status === 200,
      };
    },
  },
  {
    title: 'The checker killed: nothing passes',
    async run(stack) {
      const token = await stack.token({ tenant: 'north', scopes: ['system/Observation.cruds'] });
      await stack.checker.kill();
      const before = await emrCount(stack.tenants.north);
      const reply = await send(stack, 'north', '/fhir/Observation', token, {
        method: 'POST',
        body: observation(7),
      });
      const seen = (await emrCount(stack.tenants.north)) - before;
      const report = await denial(
        stack,
        this.title,
        'kill -9 of the checker, then POST /fhir/Observation',
        reply,
        { status: 503, reason: 'integrity-unverified' },
        `; requests that reached the EMR: ${seen}`,
      );
      return { ...report, ok: report.ok && seen === 0 };
    },
  },
  {
    title: 'The checker back: service again',
    async run(stack) {
      const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
      await stack.checker.start();
      const { reply, ms } = await until(
        () => send(stack, 'north', '/fhir/Patient/7', token),
        (each) => each.status === 200,
      );
      return {
        title: this.title,
        sent: 'the checker started, then GET /fhir/Patient/7',
        came: `${reply.status} after ${ms.toFixed(0)} ms`,
        why: 'the gateway found it by itself and both proved who they are',
        ok: reply.status === 200,
      };
    },
  },
  {
    title: 'Too many requests: 429 with Retry-After',
    async run(stack) {
      const token = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/pages'] });
      const statuses: number[] = [];
      let limited: Reply | undefined;
      for (let sent = 0; sent < 20 && limited === undefined; sent += 1) {
        const reply = await send(stack, 'north', '/slow?ms=0', token);
        statuses.push(reply.status);
        if (reply.status === 429) limited = reply;
      }
      return {
        title: this.title,
        sent: 'GET /slow again and again (the policy allows 5 in 10 s)',
        came: `${statuses.join(' ')}, Retry-After: ${limited?.headers['retry-after']}`,
        why: `activity log: ${limited === undefined ? 'never limited' : await reasonOf(stack, limited)}`,
        ok: statuses[0] === 200 && Number(limited?.headers['retry-after']) >= 1,
      };
    },
  },
  {
    title: 'Plain HTTP and TLS 1.1: refused',
    async run(stack) {
      const url = new URL(stack.tenants.north.origin);
      const plain = await plainHttp(Number(url.port), url.host);
      const old = await tlsFailure(stack.authority, url, 'TLSv1.1');
      return {
        title: this.title,
        sent: `http://${url.host}/, and https with nothing newer than TLS 1.1`,
        came: `${plain === '' ? 'connection closed without an answer' : excerpt(plain)}; ${old}`,
        why: 'the listener speaks TLS 1.3 only',
        ok: !/^HTTP\/1\.1 2/.test(plain) && old.includes('PROTOCOL_VERSION'),
      };
    },
  },
  {
    title: 'A WebSocket: with a token it works, without it is refused',
    async run(stack) {
      const url = new URL('/feed', stack.tenants.north.origin);
      const token = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/feed'] });
      const open = await webSocket(stack.authority, url, token, 'hello through the gateway');
      const refused = await webSocket(stack.authority, url, undefined, 'hello');
      return {
        title: this.title,
        sent: 'GET /feed with Upgrade: websocket, once with a token and once without',
        came: `with: ${open.status}, messages ${JSON.stringify(open.messages.map((text) => excerpt(text)))}\nwithout: ${refused.status}`,
        why: 'the upgrade goes through the same stages as every request; the 101 leaves once its record is durable',
        ok:
          open.status === 101 &&
          open.messages.some((text) => text.includes('hello through the gateway')) &&
          refused.status === 401,
      };
    },
  },
];
