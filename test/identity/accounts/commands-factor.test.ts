import { generateSync } from 'otplib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadIssuerSettings } from '../../../config/index.ts';
import { systemClock } from '../../../contracts/clock.ts';
import { createFactors, factorPrincipal } from '../../../identity/factors/index.ts';
import { createSealer, openState } from '../../../identity/state/index.ts';
import { type CommandFolder, commandFolder } from './support/command.ts';
import { GOOD_PASSWORD } from './support/world.ts';

let folder: CommandFolder;
const LIST = ['user', 'list', '--organisation', 'riverside', '--as', 'anna'];

beforeAll(async () => {
  folder = commandFolder();
  const made = await folder.run([
    ...['organisation', 'create', 'riverside'],
    ...['--administrator', 'anna=Anna Adams', '--administrator', 'boris=Boris Brown'],
  ]);
  await folder.run(['user', 'enrol'], `${made.json.codes[0]?.text}\n${GOOD_PASSWORD}\n`);
});
afterAll(() => folder.remove());

/** As the sign-in page does it. Returns what the authenticator app then holds, and the recovery codes. */
async function setUpTotp(login: string): Promise<{ key: string; recovery: readonly string[] }> {
  const settings = loadIssuerSettings(folder.config);
  const store = await openState(settings.state);
  try {
    const sealer = createSealer(settings.stateKeys);
    const factors = createFactors({ store, sealer, clock: systemClock, issuerLabel: 'Clinic' });
    const [account] = await store.find('account', 'login', login);
    const principal = factorPrincipal(settings.issuer, account?.id ?? '');
    const begun = await factors.beginTotp({ principal, binding: 'browser', accountLabel: login });
    if (!begun.ok) throw new Error(begun.why);
    const key = begun.key.replaceAll(' ', '');
    // The step before, which is accepted too: the present one is left for the command.
    const epoch = Math.floor(Date.now() / 1000) - 30;
    const code = generateSync({ secret: key, epoch });
    const confirmed = await factors.confirmTotp({ principal, binding: 'browser', code, source: '192.0.2.1' });
    if (!confirmed.ok) throw new Error(confirmed.why);
    return { key, recovery: confirmed.recoveryCodes ?? [] };
  } finally {
    await store.close();
  }
}

test('an administrator acts only with both factors, and a code once', async () => {
  const none = await folder.run(LIST, `${GOOD_PASSWORD}\n`);
  expect(none).toMatchObject({ code: 2 });
  expect(none.out).toContain('second factor must be set up first');

  const { key, recovery } = await setUpTotp('anna');
  expect(await folder.run(LIST, `${GOOD_PASSWORD}\n`)).toMatchObject({ code: 2 });
  expect(await folder.run(LIST, `${GOOD_PASSWORD}\n000000\n`)).toMatchObject({ code: 2 });
  const code = generateSync({ secret: key });
  expect(await folder.run(LIST, `not the password\n${code}\n`)).toMatchObject({ code: 2 });
  expect(await folder.run(LIST, `${GOOD_PASSWORD}\n${code}\n`)).toMatchObject({ code: 0 });
  expect(await folder.run(LIST, `${GOOD_PASSWORD}\n${code}\n`)).toMatchObject({ code: 2 });
  expect(await folder.run(LIST, `${GOOD_PASSWORD}\n${recovery[0]}\n`)).toMatchObject({ code: 0 });
});
