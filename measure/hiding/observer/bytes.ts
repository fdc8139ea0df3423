import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Client, Request } from './answer.ts';
import { open, type Protocol, requestOf } from './choice.ts';
import type { BytesJob, BytesResult } from './messages.ts';

/** The gateway's own: 26 characters, in header and body. And the second in which it was answered. */
const REQUEST_ID = /x-request-id: *([0-9a-z]+)/i;
const DATE = /date: [^\r]*GMT/i;

/** What was received, without what differs between any two answers. */
export function withoutId({ head, body, status, closed }: Answer): string {
  const id = REQUEST_ID.exec(head)?.[1] ?? '';
  const text = `${status}${closed ? ' closed' : ''}\n${head.replace(DATE, 'date: D')}${body.toString('latin1')}`;
  return id === '' ? text : text.replaceAll(id, `<${id.length}>`);
}

/** Times that somebody asks again who is told that the service is not available. */
const AGAIN = 6;

/**
 * A 503 comes of the state of the whole (a checker that a busy machine keeps waiting) and passes; one that came of the
 * record would stay.
 */
async function settled(client: Client, request: Request): Promise<Answer> {
  let answer = await client.ask(request);
  for (let times = 0; times < AGAIN && answer.status === 503; times += 1) {
    await sleep(200);
    answer = await client.ask(request);
  }
  return answer;
}

/** Connections for each combination: most of the time is waiting. */
const SLICES = 4;

function sliced<T extends object>(combinations: readonly T[]): (T & { readonly slice: number })[] {
  return combinations.flatMap((each) => Array.from({ length: SLICES }, (_, slice) => ({ ...each, slice })));
}

/** Every cell in every media type, coding and protocol: what came, byte for byte. */
export async function runBytes(job: BytesJob): Promise<BytesResult> {
  const found = new Map<
    string,
    BytesResult['combinations'][number] & { answers: { cell: number; text: string }[] }
  >();
  const protocols: readonly Protocol[] = ['h1', 'h2'];
  const combinations = protocols.flatMap((protocol) =>
    job.accepts.flatMap((accept) => job.encodings.map((encoding) => ({ protocol, accept, encoding }))),
  );
  await Promise.all(
    sliced(combinations).map(async ({ protocol, accept, encoding, slice }) => {
      let client = await open(job.site, protocol);
      for (const [cell, each] of job.cells.entries()) {
        if (cell % SLICES !== slice) continue;
        const headers = {
          ...(accept === '' ? {} : { accept }),
          ...(encoding === '' ? {} : { 'accept-encoding': encoding }),
        };
        const answer = await settled(client, requestOf(each, headers));
        const key = JSON.stringify([each.method, accept, encoding, protocol]);
        const entry = found.get(key) ?? { method: each.method, accept, encoding, protocol, answers: [] };
        found.set(key, entry);
        entry.answers.push({ cell, text: withoutId(answer) });
        if (answer.closed) {
          client.close();
          client = await open(job.site, protocol);
        }
      }
      client.close();
    }),
  );
  return { combinations: [...found.values()] };
}
