import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { Clients, ClientVerifier } from '../../identity/clients/index.ts';
import { Sessions } from '../../identity/sessions/index.ts';
import { createSealer } from '../../identity/state/index.ts';
import { atLeast, atMost, type Part, part, table } from '../integrity/parts.ts';
import type { MeasureOptions } from '../report.ts';
import {
  accountsIn,
  enrolAdministrators,
  enrolTotp,
  factorsIn,
  LOGIN,
  openPlace,
  pushedClock,
  QUICK,
  secretOf,
  tenantOf,
} from './place.ts';

/** Texts that a thief would try: every value of every row, and every text within it. */
function textsOf(file: string): readonly string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const found = new Set<string>();
  const dig = (value: unknown): void => {
    if (typeof value === 'string') {
      found.add(value);
      if (/^[[{"]/.test(value)) {
        try {
          dig(JSON.parse(value));
        } catch {
          // Not JSON after all.
        }
      }
    } else if (value instanceof Uint8Array) {
      const bytes = Buffer.from(value);
      for (const encoding of ['base64url', 'base64', 'hex', 'utf8'] as const)
        found.add(bytes.toString(encoding));
    } else if (typeof value === 'object' && value !== null) {
      for (const inner of Object.values(value)) dig(inner);
    }
  };
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    for (const { name } of tables) {
      for (const row of database.prepare(`SELECT * FROM "${String(name).replaceAll('"', '""')}"`).all())
        dig({ ...row });
    }
  } finally {
    database.close();
  }
  return [...found].filter((text) => text !== '');
}

/** Whoever has a copy of the state store, and nothing else, tries everything in it as everything it could be. */
export async function runDump({ progress }: Pick<MeasureOptions, 'progress'>): Promise<Part> {
  progress('everything in a dump of the state store, tried as everything');
  const clock = pushedClock();
  const place = await openPlace('dump', clock);
  try {
    const tenant = tenantOf('clinic-a');
    const accounts = accountsIn(place, QUICK, clock);
    await enrolAdministrators(accounts);
    const factors = factorsIn(place, clock);
    const person = await enrolTotp(factors, clock, 'person-7');
    const clients = new Clients(place.store, clock, async () => []);
    const random = await clients.create({ tenant, name: 'laboratory', scopes: ['system/Patient.r'] });
    const chosen = await clients.create({
      tenant,
      name: 'pharmacy',
      scopes: ['system/Patient.r'],
      chosen: 'a quiet pharmacy by the river',
    });
    const options = {
      store: place.store,
      sealer: place.sealer,
      clock,
      settings: { idleMs: 3_600_000, absoluteMs: 43_200_000 },
    };
    const sessions = new Sessions(options);
    const now = Math.floor(clock.wall() / 1000);
    const facts = {
      tenant,
      issuerId: 'main',
      issuer: 'https://id.clinic.example',
      subject: 'person-7',
      clientId: 'gateway',
    };
    const opened = await sessions.open(
      {
        ...facts,
        scopes: [],
        patient: undefined,
        stage: 'open',
        at: now,
        methods: [],
        acr: undefined,
        factorAt: now,
        sid: 's',
        browser: '',
      },
      'an.id.token',
    );

    const texts = textsOf(place.file);
    const accepted: string[] = [];
    let tried = 0;
    const attempt = async (what: string, letIn: () => unknown): Promise<void> => {
      tried += 1;
      if ((await letIn()) === true) accepted.push(what);
    };
    // Another process with a key of its own: what was copied is all there is.
    const thief = createSealer(secretOf(randomBytes(32)));
    const verifier = new ClientVerifier(place.store, clock);
    const elsewhere = new Sessions({ ...options, sealer: thief });
    for (const [index, text] of texts.entries()) {
      const source = `2001:db8:${(index + 1).toString(16)}::1`;
      await attempt('session', async () => (await elsewhere.find(text, tenant)).state === 'live');
      for (const { client } of [random, chosen])
        await attempt(
          'client secret',
          async () => (await verifier.verifySecret(client.clientId, text, source)).ok,
        );
      await attempt(
        'password',
        async () => (await accounts.signIn.authenticate({ login: LOGIN, password: text, source })).ok,
      );
      for (const method of ['totp', 'recovery-code'] as const)
        await attempt(
          method,
          async () => (await factors.verify({ principal: person.principal, method, code: text, source })).ok,
        );
      await attempt(
        'enrolment code',
        async () =>
          (await accounts.passwords.redeem({ code: text, next: 'another ferry umbrella 9', source })).ok,
      );
      for (const kind of ['totp', 'session'] as const) {
        await attempt('sealed', () => {
          try {
            thief.open(text, { kind, field: 'secret', id: person.principal });
            return true;
          } catch {
            return false;
          }
        });
      }
    }
    // What the real owners hold still works, or nothing was proved.
    const problems: string[] = [];
    if ((await sessions.find(opened.secret, tenant)).state !== 'live')
      problems.push('the session itself does not open');
    if (!(await verifier.verifySecret(random.client.clientId, random.secret ?? '', '192.0.2.9')).ok)
      problems.push('the client’s own secret is refused');
    return part({
      tables: [
        table(
          'A dump of the state store',
          ['texts in it', 'attempts', 'accepted'],
          [[String(texts.length), String(tried), String(accepted.length)]],
          0,
        ),
      ],
      floors: [
        atMost('accepted of what is in a dump', accepted.length),
        atLeast('attempts with it', tried, 100),
      ],
      problems,
      notes: accepted.map((what) => `accepted from the dump as ${what}`),
      figures: { dump: { texts: texts.length, tried, accepted: accepted.length } },
    });
  } finally {
    await place.close();
  }
}
