import { request } from 'node:http';
import { ISSUER_KEY_HEADER, issuerKey } from '../../../contracts/issuer-link.ts';
import type { IssuerProcessSettings } from '../../../contracts/issuer-settings.ts';
import { type Check, type Outcome, outcomes } from '../types.ts';

const ANSWER_MS = 5000;
/** Bytes; the metadata has two or three thousand. */
const LARGEST_ANSWER = 65_536;

/**
 * Asks as the gateway does, with the gateway's copy of the secret, and as somebody who reached the socket without
 * it. What is sent is made from the secret (`issuerKey`); neither is ever shown.
 */
export const issuerAnswers: Check = async ({ gateway, issuer, parts }) => {
  const { ok, failed, skipped } = outcomes('issuer-answers');
  if (!parts.some(({ name }) => name === 'issuer')) return [];
  if (issuer === undefined) return [skipped('', 'without its settings')];
  const { settings } = issuer;
  const mounted = gateway?.settings.issuers.find((each) => each.issuer === settings.issuer)?.embedded;
  if (gateway !== undefined && mounted === undefined) {
    return [
      failed(
        settings.issuer,
        'the gateway does not know it as an embedded issuer',
        'chartgate check --gateway … --issuer …',
      ),
    ];
  }
  if (mounted === undefined)
    return [skipped('', "it takes the gateway's settings, which hold the secret to ask with")];
  const told: Outcome[] = [];
  const [answer, ...others] = await Promise.all([
    ask(settings, issuerKey(mounted.secret.reveal())),
    ask(settings, undefined),
    ask(settings, issuerKey(Buffer.from('of nobody'))),
  ]);
  const open = others.find((each) => each !== undefined && (each.status !== 404 || each.text !== ''));
  if (open !== undefined) {
    told.push(
      failed(
        settings.socket,
        `it answers ${open.status} to somebody without the secret`,
        'whoever listens there is not the issuer: systemctl restart chartgate-issuer, and find out who it was',
      ),
    );
  }
  if (answer === undefined) {
    told.push(
      failed(settings.socket, 'it does not answer the gateway', 'journalctl -u chartgate-issuer says why'),
    );
  } else if (answer.status === 404) {
    told.push(
      failed(
        settings.socket,
        "it does not take the gateway's secret",
        'give both the same secret (gatewaySecret, embedded.secret), and restart both',
      ),
    );
  } else if (issuerIn(answer.text) !== settings.issuer) {
    told.push(
      failed(
        settings.socket,
        `it answers ${answer.status}, and not as ${settings.issuer}`,
        'restart the issuer with these settings',
      ),
    );
  }
  return told.length > 0
    ? told
    : [ok(settings.issuer, "it answers with the gateway's secret, and says nothing without it")];
};

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** @param key what proves the secret; none is sent when undefined. @returns undefined without an answer in time */
function ask(
  { socket, issuer }: IssuerProcessSettings,
  key: string | undefined,
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const asked = request(
      {
        socketPath: socket,
        path: '/.well-known/openid-configuration',
        headers: {
          ...(key === undefined ? {} : { [ISSUER_KEY_HEADER]: key }),
          host: new URL(issuer).host,
          'x-forwarded-proto': 'https',
        },
        timeout: ANSWER_MS,
        agent: false,
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
          if (text.length > LARGEST_ANSWER) answer.destroy();
        });
        answer.once('close', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(undefined));
    asked.end();
  });
}

function issuerIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { issuer?: unknown } | null)?.issuer;
  } catch {
    return undefined;
  }
}
