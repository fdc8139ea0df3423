import { jsonAnswer, type OwnAnswer } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';

/**
 * `POST /.chartgate/back-channel-logout`: an issuer says that somebody signed out there, or was signed out
 * (OpenID Connect Back-Channel Logout 1.0 §2.5). Sessions of that issuer end at every tenant.
 */
export async function backChannelLogout(c: Call, fields: Fields): Promise<OwnAnswer> {
  const token = only(fields, 'logout_token');
  if (token === undefined) return refuse(c, 'logout_token');
  const details: string[] = [];
  for (const party of c.browsers.parties(c.x.tenant.settings)) {
    const order = await party.judgeLogout(token);
    if (typeof order === 'string') {
      details.push(order);
      continue;
    }
    // Each token counts once, here and in every other process.
    const first = await c.browsers.logoutTokens.claim(
      party.settings.issuer,
      order.tokenId,
      order.until * 1000,
    );
    if (!first) return refuse(c, 'used before');
    const who = { issuer: party.settings.issuer, subject: order.subject ?? '' };
    await c.browsers.sessions.endByIssuer(who.issuer, order);
    await c.note('ended-by-issuer', who);
    return jsonAnswer(200, undefined, { reason: 'signed-out' });
  }
  return refuse(c, details.join(' ') || 'issuer');
}

function refuse(c: Call, detail: string): OwnAnswer {
  c.x.failed('sign-in-refused', detail);
  return jsonAnswer(400, { error: 'invalid_request' }, { reason: 'sign-in-refused' });
}
