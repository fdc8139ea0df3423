import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../contracts/clock.ts';
import { Outages } from '../../../gateway/guard/outages.ts';
import { Desk, DeskLine } from '../../../gateway/limits/index.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function outages(clock: Clock = systemClock, desk?: DeskLine): { outages: Outages; begun: string[] } {
  const begun: string[] = [];
  const made = new Outages({ clock, desk, begun: (tenant) => begun.push(tenant) });
  open.push(made);
  return { outages: made, begun };
}

describe('an outage of the EMR', () => {
  it('is nobody’s who alone brings failures about, however many', () => {
    const { outages: each, begun } = outages();
    for (let n = 0; n < 500; n += 1) each.fared('north', 'attacker', true);
    expect(each.excuses('north', 'attacker')).toBe(false);
    each.fared('north', 'accomplice', true);
    expect(each.excuses('north', 'attacker')).toBe(false);
    expect(begun).toEqual([]);
  });

  it('is not believed of a few who fail while most fare well', () => {
    const { outages: each } = outages();
    for (const who of ['attacker', 'second', 'third']) each.fared('north', who, true);
    for (const who of ['a', 'b', 'c']) each.fared('north', who, false);
    expect(each.excuses('north', 'attacker')).toBe(false);
  });

  it('excuses whoever it meets as soon as two others fare badly, and is said once', () => {
    const { outages: each, begun } = outages();
    for (const who of ['a', 'b', 'c']) each.fared('north', who, true);
    for (const who of ['a', 'b', 'c', 'somebody else']) expect(each.excuses('north', who)).toBe(true);
    expect(begun).toEqual(['north']);
  });

  it('is over for everybody once others fare well again, and never another tenant’s', () => {
    const { outages: each } = outages();
    for (const who of ['a', 'b', 'c']) each.fared('north', who, true);
    expect(each.excuses('south', 'a')).toBe(false);
    each.fared('north', 'b', false);
    expect(each.excuses('north', 'a')).toBe(false);
  });

  it('is forgotten after a minute in which nobody asked', () => {
    let now = 0;
    const { outages: each } = outages({ ...systemClock, monotonic: () => now });
    for (const who of ['a', 'b', 'c']) each.fared('north', who, true);
    now = 60_001;
    expect(each.excuses('north', 'a')).toBe(false);
  });

  it('is known to every worker, whichever met those who fared badly', async () => {
    const lines: DeskLine[] = [];
    const desk = new Desk(systemClock, (answers) => {
      for (const line of lines) line.receive(answers);
    });
    open.push(desk);
    const workers = ['1', '2', '3'].map((name) => {
      const line = new DeskLine((asks) => void desk.handle(name, asks));
      lines.push(line);
      const made = outages(systemClock, line).outages;
      line.onNews((news) => {
        if (news.kind === 'fared') made.learn(news.tenant, news.key, news.badly);
      });
      return made;
    });
    workers[0]?.fared('north', 'a', true);
    workers[1]?.fared('north', 'b', true);
    await expect.poll(() => workers[2]?.excuses('north', 'c')).toBe(true);
    expect(workers[0]?.excuses('north', 'a')).toBe(false);
  });
});
