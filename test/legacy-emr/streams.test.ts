import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { get, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LARGE_BYTES, largeContent } from '../../examples/legacy-emr/server/documents.ts';
import type { SeenRequest } from '../../examples/legacy-emr/server/recorder.ts';
import { type Clinic, openClinic } from './support.ts';

const MB = 1024 * 1024;
let clinic: Clinic;

beforeAll(async () => {
  clinic = await openClinic('legacy-emr-streams');
});
afterAll(() => clinic?.stop());

/** Resident memory of the EMR's process, bytes. */
async function memory(): Promise<number> {
  const status = await readFile(`/proc/${clinic.emr.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

interface Uploaded {
  readonly id: number;
  readonly length: number;
  readonly sha256: string;
}

function uploadChunks(chunk: Buffer, times: number): Promise<{ sha256: string; answer: Uploaded }> {
  const hash = createHash('sha256');
  const { promise, resolve, reject } = Promise.withResolvers<Uploaded>();
  const posting = request(
    `${clinic.emr.origin}/documents/upload?title=Scan`,
    { method: 'POST' },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(JSON.parse(text) as Uploaded));
    },
  );
  posting.on('error', reject);
  const send = (left: number): void => {
    if (left === 0) {
      posting.end();
      return;
    }
    hash.update(chunk);
    posting.write(chunk, () => send(left - 1));
  };
  send(times);
  return promise.then((answer) => ({ sha256: hash.digest('hex'), answer }));
}

describe('documents', () => {
  it('reports length and digest of an upload, and gives the same bytes back', async () => {
    const body = randomBytes(300_000);
    const answer = await clinic.ask('/documents/upload?patient=1&title=X-ray', {
      method: 'POST',
      body,
      headers: { 'content-type': 'image/png' },
    });
    expect(answer.status).toBe(201);
    const uploaded = JSON.parse(answer.text) as Uploaded;
    expect(uploaded).toEqual({
      id: uploaded.id,
      length: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
    expect(answer.headers.get('location')).toBe(`${clinic.emr.origin}/documents/${uploaded.id}/content`);
    const download = await fetch(`${clinic.emr.origin}/documents/${uploaded.id}/content`);
    expect(download.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await download.arrayBuffer()).equals(body)).toBe(true);
    const listed = await clinic.ask(`/fhir/DocumentReference/${uploaded.id}`);
    expect(listed.text).toContain('"description":"X-ray"');
  });

  it('takes 100 MB without holding it in memory; such content is not kept', async () => {
    const chunk = randomBytes(64 * 1024);
    await uploadChunks(chunk, 160);
    const before = await memory();
    const { sha256, answer } = await uploadChunks(chunk, 1600);
    expect(answer).toEqual({ id: answer.id, length: 100 * MB, sha256 });
    expect((await memory()) - before).toBeLessThan(60 * MB);
    expect((await clinic.ask(`/documents/${answer.id}/content`)).status).toBe(410);
  });

  it('answers 403 for a restricted chart and 404 for none, naming the id', async () => {
    const [chart] = clinic.installed.restricted;
    const upload = (patient: unknown) =>
      clinic.ask(`/documents/upload?patient=${patient}`, { method: 'POST', body: 'x', as: 'nobody' });
    const forbidden = await upload(chart?.id);
    expect([forbidden.status, forbidden.text]).toEqual([
      403,
      `{"error":"patient ${chart?.id} is restricted to ${chart?.clinician}"}\n`,
    ]);
    expect((await upload(4711)).status).toBe(404);
    expect((await clinic.ask('/documents/4711/content')).text).toBe('{"error":"no document 4711"}\n');
    const stored = await clinic.ask(`/documents/upload?patient=${chart?.id}`, {
      method: 'POST',
      body: 'x',
      as: chart?.clinician ?? '',
    });
    const { id } = JSON.parse(stored.text) as Uploaded;
    expect((await clinic.ask(`/documents/${id}/content`, { as: 'nobody' })).status).toBe(403);
  });

  it('streams the same 50 MB at every download', async () => {
    const expected = createHash('sha256');
    for (const block of largeContent()) expected.update(block);
    const response = await fetch(`${clinic.emr.origin}/download/large`);
    expect(response.headers.get('content-length')).toBe(String(LARGE_BYTES));
    const seen = createHash('sha256');
    let length = 0;
    for await (const part of response.body ?? []) {
      seen.update(part);
      length += part.length;
    }
    expect(length).toBe(50 * MB);
    expect(seen.digest('hex')).toBe(expected.digest('hex'));
    const head = await clinic.ask('/download/large', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('waits for a reader that does not read', async () => {
    const before = await memory();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stalled = get(`${clinic.emr.origin}/download/large`, (response) => {
      response.pause();
      response.on('error', () => {});
      resolve();
    });
    stalled.on('error', reject);
    await promise;
    await sleep(400);
    expect((await memory()) - before).toBeLessThan(30 * MB);
    stalled.off('error', reject).on('error', () => {});
    stalled.destroy();
    expect((await clinic.ask('/healthz')).text).toBe('ok\n');
  });
});

describe('slow and endless answers', () => {
  it('takes as long as asked, and no page may take more than 30 s', async () => {
    const start = performance.now();
    expect((await clinic.ask('/slow?ms=300')).text).toContain('The report took 300 ms.');
    expect(performance.now() - start).toBeGreaterThan(290);
    const abort = new AbortController();
    const endless = clinic.ask('/slow?ms=99999999', { signal: abort.signal });
    await sleep(100);
    abort.abort();
    await expect(endless).rejects.toThrow();
    expect((await clinic.ask('/slow?ms=-5')).text).toContain('The report took 0 ms.');
  });

  it('ticks by server-sent events until the reader leaves', async () => {
    const abort = new AbortController();
    const response = await fetch(`${clinic.emr.origin}/events`, { signal: abort.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    let text = '';
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      if (text.includes('id: 4\n')) break;
    }
    abort.abort();
    expect(text).toMatch(/^id: 1\nevent: tick\ndata: \{"tick":1,"waiting":1\}\n\nid: 2\n/);
  });

  it('greets on the feed, gives notices and echoes text and binary', async () => {
    const socket = new WebSocket(`${clinic.emr.origin.replace('http', 'ws')}/feed`);
    const messages: unknown[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.on('error', reject);
    socket.on('message', (data: Buffer, binary: boolean) => {
      messages.push(binary ? data : JSON.parse(data.toString()));
      if (messages.length === 3) {
        socket.send('hello');
        socket.send(Buffer.from([1, 2, 3]));
      }
      if (messages.length === 5) resolve();
    });
    await promise;
    socket.terminate();
    expect(messages).toEqual([
      { type: 'greeting', clinic: 'Willow Clinic', server: 'Paperleaf/3.2.1' },
      { type: 'notice', text: 'waiting room opened' },
      { type: 'notice', text: 'laboratory connected' },
      { type: 'echo', text: 'hello' },
      Buffer.from([1, 2, 3]),
    ]);
  });

  it('upgrades nothing else', async () => {
    const socket = new WebSocket(`${clinic.emr.origin.replace('http', 'ws')}/events`);
    const { promise, resolve } = Promise.withResolvers<Error>();
    socket.on('error', resolve);
    expect((await promise).message).toContain('404');
  });
});

interface Status {
  readonly total: number;
  readonly requests: readonly SeenRequest[];
}

describe('the status page', () => {
  const status = async (): Promise<Status> => JSON.parse((await clinic.ask('/server-status')).text) as Status;

  it('shows what arrived, secrets included, and does not count itself', async () => {
    const before = await status();
    const asked = await clinic.ask('/fhir/Patient/1?x=%27', {
      headers: {
        authorization: 'Bearer abc',
        'X-Odd_One': 'a, b',
      },
    });
    expect(asked.status).toBe(200);
    const after = await status();
    expect(after.total).toBe(before.total + 1);
    const last = after.requests.at(-1);
    expect(last).toMatchObject({
      number: after.total,
      kind: 'request',
      method: 'GET',
      url: '/fhir/Patient/1?x=%27',
      status: 200,
      headers: { authorization: 'Bearer abc', 'x-odd_one': 'a, b' },
    });
    expect(last?.rawHeaders).toContain('X-Odd_One');
  });

  it('keeps the last 200, counts all, upgrades too', async () => {
    const socket = new WebSocket(`${clinic.emr.origin.replace('http', 'ws')}/feed?a=1`);
    await new Promise((resolve) => socket.once('open', resolve));
    socket.terminate();
    expect((await status()).requests.at(-1)).toMatchObject({
      kind: 'upgrade',
      url: '/feed?a=1',
      status: 101,
    });
    const before = (await status()).total;
    for (let i = 0; i < 210; i += 1) await clinic.ask('/healthz');
    const after = await status();
    expect(after.total).toBe(before + 210);
    expect(after.requests).toHaveLength(200);
    expect(after.requests[0]?.number).toBe(after.total - 199);
  });
});
