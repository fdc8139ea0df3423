import { createServer } from 'node:http';
import { ACCOUNT_DEFAULTS } from '../../contracts/account-settings.ts';
import { standBack } from '../../identity/issuer/stand-back.ts';
import { accountsIn, enrolAdministrators, LOGIN, openPlace, PASSWORD, QUICK } from './place.ts';

// A process that signs people in, with Argon2 as it is installed and threads as the issuer has them, and answers other requests beside it, each of
// which looks into the same store.
await standBack();
const place = await openPlace('busy');
const accounts = accountsIn(place, { ...ACCOUNT_DEFAULTS, lockout: QUICK.lockout });
const [id = ''] = await enrolAdministrators(accounts);
const server = createServer(async (request, response) => {
  if (request.url === '/sign-in') {
    const answer = await accounts.signIn.authenticate({
      login: LOGIN,
      password: PASSWORD,
      source: '192.0.2.7',
    });
    response.writeHead(answer.ok ? 204 : 401).end();
    return;
  }
  response.writeHead((await accounts.account(id)) === undefined ? 404 : 204).end();
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.once('disconnect', async () => {
  server.closeAllConnections();
  server.close();
  await place.close();
});
