import { rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, atMost, part, table } from '../../integrity/parts.ts';
import { workFolder } from '../../machine.ts';
import type { MeasureOptions, MeasureResult } from '../../report.ts';
import { type Scene, startScene, startSink } from '../scene.ts';
import { clinicalLines, exampleResources, type Resource, rewritten } from './resources.ts';

const AT_ONCE = 8;

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** A linear congruential generator: the same choice at each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return state / 0x8000_0000;
  };
}

/** Ordinary clinical content through a whole gateway: none of it may be refused. */
export async function measureClinical(options: MeasureOptions): Promise<MeasureResult> {
  const directory = workFolder('inspection-clinical');
  await rm(directory, { recursive: true, force: true });
  const backEnd = await startSink(() => {});
  const scene = await startScene({
    directory: join(directory, 'stack'),
    backEnd,
    progress: options.progress,
  });
  const sender = await Sender.start(scene);
  const resources = exampleResources().filter((_, index) => !options.short || index % 3 === 0);
  const lines = clinicalLines();
  let line = 0;
  const random = seeded(8);
  const next = (): string => lines[line++ % lines.length] ?? '';
  const mixed = resources.map((resource) => rewritten(resource, random, next));

  const refused: Record<string, string[]> = {
    posted: [],
    put: [],
    'posted with other prose': [],
    lines: [],
    'lines in a form': [],
  };
  let unavailable = 0;
  /** A 503 says nothing of what was sent: it is sent again. */
  const tell = async (what: string, name: string, send: () => Promise<Reply>): Promise<void> => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const reply = await send();
      if (reply.status < 400) return;
      if (reply.status < 500) {
        refused[what]?.push(`${what}: ${name}: ${reply.status} ${reply.text.slice(0, 200)}`);
        return;
      }
      await sleep(250);
    }
    unavailable += 1;
  };
  const whole = (resource: Resource): string => JSON.stringify(resource);
  const tasks: (() => Promise<void>)[] = [
    ...resources.map((resource) => async () => {
      const { id: _, ...without } = resource;
      await tell('posted', `${resource.resourceType}/${resource.id}`, () =>
        sender.fhir('POST', resource.resourceType, JSON.stringify(without)),
      );
    }),
    ...resources.map((resource) => async () => {
      const name = `${resource.resourceType}/${resource.id}`;
      await tell('put', name, () => sender.fhir('PUT', name, whole(resource)));
    }),
    ...mixed.map(({ resource }) => async () => {
      const name = `${resource.resourceType}/${resource.id}`;
      await tell('posted with other prose', name, () => sender.fhir('PUT', name, whole(resource)));
    }),
    ...lines.map((text) => async () => {
      await tell('lines', text, () =>
        sender.fhir('POST', 'Observation', whole(observation(text) as unknown as Resource)),
      );
    }),
    ...lines.map((text) => async () => {
      await tell('lines in a form', text, () => sender.form(text));
    }),
  ];
  options.progress(`${tasks.length} requests`);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) await task();
    }),
  );
  sender.stop();
  const replaced = mixed.reduce((sum, each) => sum + each.replaced, 0);
  const shareOf = (what: string): number => (100 * (refused[what]?.length ?? 0)) / lines.length;
  const count = (what: string): number => refused[what]?.length ?? Number.NaN;
  return part({
    tables: [
      table(
        'Ordinary clinical content through a gateway, default settings',
        ['what', 'sent', 'refused'],
        [
          ['resources posted', String(resources.length), String(count('posted'))],
          ['resources put', String(resources.length), String(count('put'))],
          [
            `resources with ${replaced} strings of other prose`,
            String(mixed.length),
            String(count('posted with other prose')),
          ],
          ['lines of prose as the text of an Observation', String(lines.length), String(count('lines'))],
          [
            'the same lines as a field of a form of an old EMR',
            String(lines.length),
            String(count('lines in a form')),
          ],
        ],
        1,
        ['The lines are made to look like SQL, markup and shell; in forms nothing is promised of them.'],
      ),
    ],
    floors: [
      atLeast('clinical: lines of prose', lines.length, 1000),
      atMost('clinical: resources refused, posted', count('posted')),
      atMost('clinical: resources refused, put', count('put')),
      atMost('clinical: resources refused, with other prose', count('posted with other prose')),
      atMost('clinical: lines refused', shareOf('lines'), 0.5, ' %'),
    ],
    problems:
      unavailable === 0 ? [] : [`${unavailable} requests got nothing but 5xx: nothing is known of them`],
    notes: ['posted', 'put', 'posted with other prose', 'lines'].flatMap((what) =>
      (refused[what] ?? []).slice(0, 10),
    ),
    figures: {
      clinical: Object.fromEntries(Object.keys(refused).map((what) => [what, count(what)])),
      linesInFormsRefused: shareOf('lines in a form'),
    },
  });
}

function observation(text: string): object {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'Clinical note' },
    valueString: text,
    note: [{ text }],
  };
}

/** Sends with one token, which is made anew before it ends. */
class Sender {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  readonly #scene: Scene;
  #token: string;
  #until = performance.now() + 60_000;

  private constructor(scene: Scene, token: string) {
    this.#scene = scene;
    this.#token = token;
  }

  static async start(scene: Scene): Promise<Sender> {
    return new Sender(scene, await scene.token());
  }

  async fhir(method: string, path: string, body: string): Promise<Reply> {
    if (performance.now() > this.#until) {
      this.#token = await this.#scene.token();
      this.#until = performance.now() + 60_000;
    }
    return this.#send(method, `/fhir/${path}`, body, {
      'content-type': 'application/fhir+json',
      accept: 'application/fhir+json',
      authorization: `Bearer ${this.#token}`,
    });
  }

  form(text: string): Promise<Reply> {
    return this.#send('POST', '/chart/save.php', new URLSearchParams({ pid: '17', note: text }).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    });
  }

  stop(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body: string, headers: Record<string, string>): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const bytes = Buffer.from(body);
    const { authority, port, stack } = this.#scene;
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        servername: authority.split(':')[0] ?? '',
        ca: stack.authority,
        agent: this.#agent,
        method,
        path,
        headers: { ...headers, host: authority, 'content-length': bytes.length },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
    return promise;
  }
}
