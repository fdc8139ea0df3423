import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GOOD_PASSWORD, must } from '../accounts/support/world.ts';
import { AUDIENCE, type Clinic, openClinic, REDIRECT } from './support/clinic.ts';
import { enrol, nextCode, type Phone, signIn } from './support/sign-in.ts';
import { Visitor } from './support/visitor.ts';

const OTHER_PASSWORD = 'Sandbar-Tiptoe-Quilted-77';

let clinic: Clinic;
beforeAll(async () => {
  clinic = await openClinic();
}, 60_000);
afterAll(() => clinic?.close());

const somebody = () => new Visitor(clinic.fetch, clinic.settings.issuer);
const account = () => `${clinic.settings.issuer}/account`;

async function member(role?: 'patient' | 'nurse') {
  const login = await clinic.newcomer(role);
  const phone: Phone = { key: '', step: 0 };
  const visitor = somebody();
  await visitor.go(account());
  await enrol(visitor, login, phone);
  return { login, phone, visitor };
}

/** At the page that asks for the second factor. */
async function withPassword(login: string): Promise<Visitor> {
  const visitor = somebody();
  await visitor.go(account());
  await visitor.send({ login, password: GOOD_PASSWORD }, 'sign-in');
  expect(steps(visitor)).toContain('factor');
  return visitor;
}

const steps = (visitor: Visitor) => visitor.forms().map(({ fields }) => fields.get('step'));
const idOf = async (login: string) => must(await clinic.accounts.looking.accountByLogin('host', login)).id;
const judged = (login: string, password: string) =>
  clinic.accounts.signIn.authenticate({ login, password, source: '192.0.2.77' });

/** Sends what the page at hand has no form for, with its own anti-CSRF text. */
function sendPassword(visitor: Visitor) {
  const csrf = visitor.forms()[0]?.fields.get('csrf') ?? '';
  const fields = { step: 'password', csrf, present: GOOD_PASSWORD, password: OTHER_PASSWORD };
  return visitor.go(visitor.page.url, new URLSearchParams({ ...fields, again: OTHER_PASSWORD }));
}

describe('a sign-in that is under way', () => {
  test('changes no password that need not be changed, before the second factor or at all', async () => {
    const { login } = await member();
    const visitor = await withPassword(login);
    await sendPassword(visitor);
    expect(steps(visitor)).toContain('factor');
    expect(await judged(login, OTHER_PASSWORD)).toMatchObject({ ok: false });
    expect(await judged(login, GOOD_PASSWORD)).toMatchObject({ ok: true });
  });

  test('asks for the second factor that somebody has before a password that is due is changed', async () => {
    const { login, phone } = await member();
    must(await clinic.accounts.alone.requirePasswordChange(clinic.administrators[0], await idOf(login)));
    const visitor = somebody();
    await visitor.go(account());
    await visitor.send({ login, password: GOOD_PASSWORD }, 'sign-in');
    expect(steps(visitor)).not.toContain('password');
    await sendPassword(visitor);
    expect(await judged(login, OTHER_PASSWORD)).toMatchObject({ ok: false });
    await visitor.send({ code: await nextCode(phone) }, 'factor');
    expect(steps(visitor)).toContain('password');
    await visitor.send(
      { present: GOOD_PASSWORD, password: OTHER_PASSWORD, again: OTHER_PASSWORD },
      'password',
    );
    expect(visitor.heading()).toBe('Your account');
    expect(await judged(login, OTHER_PASSWORD)).toMatchObject({ ok: true });
  }, 60_000);

  test('counts for nothing once the password that it began with was changed', async () => {
    const { login, phone } = await member();
    const visitor = await withPassword(login);
    const changed = await clinic.accounts.passwords.change({
      account: await idOf(login),
      present: GOOD_PASSWORD,
      next: OTHER_PASSWORD,
      source: '192.0.2.78',
    });
    expect(changed).toMatchObject({ ok: true });
    const reload = async () => {
      await visitor.go(visitor.page.url);
      return steps(visitor);
    };
    await expect.poll(reload, { timeout: 5000 }).toContain('sign-in');
    // Nor is a code taken that would have ended it well.
    const csrf = visitor.forms()[0]?.fields.get('csrf') ?? '';
    const code = await nextCode(phone);
    await visitor.go(visitor.page.url, new URLSearchParams({ step: 'factor', method: 'totp', csrf, code }));
    expect(steps(visitor)).toContain('sign-in');
  }, 60_000);
});

describe('a role', () => {
  async function setRole(scopes: readonly string[]): Promise<void> {
    const [anna, boris] = clinic.administrators;
    const wanted = { organisation: 'riverside', name: 'locum', scopes };
    const asked = must(await clinic.accounts.asking.setRole(anna, wanted));
    must(await clinic.accounts.deciding.approve(boris, asked.request.id));
  }
  const remove = async () => {
    must(await clinic.accounts.alone.removeRole(clinic.administrators[0], 'riverside', 'locum'));
  };

  test.each([
    ['is taken away', remove],
    ['permits less', () => setRole(['user/*.rs'])],
  ])(
    'that %s ends the sessions of whoever has it, and nobody else’s',
    async (_, narrow) => {
      const pair = clinic.administrators;
      await setRole(['user/*.rs', 'portal']);
      const locum = await member('nurse');
      const other = await member('nurse');
      const id = await idOf(locum.login);
      const change = must(
        await clinic.accounts.asking.changeAccount(pair[0], id, { roles: ['nurse', 'locum'] }),
      );
      must(await clinic.accounts.deciding.approve(pair[1], change.request.id));
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const visitor = somebody();
      await visitor.go(ask());
      await signIn(visitor, locum.login, locum.phone);
      await other.visitor.go(ask());
      expect(visitor.left?.searchParams.has('code')).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      // More is no reason to sign anybody out.
      await setRole(['user/*.rs', 'portal', 'user/Observation.cruds']);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await visitor.go(ask({ prompt: 'none' }));
      expect(visitor.left?.searchParams.has('code')).toBe(true);
      await narrow();
      const refused = async () => {
        await visitor.go(ask({ prompt: 'none' }));
        return visitor.left?.searchParams.get('error');
      };
      await expect.poll(refused, { timeout: 5000 }).toBe('login_required');
      await other.visitor.go(ask({ prompt: 'none' }));
      expect(other.visitor.left?.searchParams.has('code')).toBe(true);
    },
    90_000,
  );
});

function ask(more: Record<string, string> = {}) {
  const query = new URLSearchParams({
    client_id: 'gateway',
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: 'openid portal',
    resource: AUDIENCE,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...more,
  });
  return `${clinic.settings.issuer}/authorize?${query}`;
}
