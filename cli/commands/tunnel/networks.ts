import { isIP } from 'node:net';
import { ChartgateError } from '../../../contracts/errors.ts';

/** An address or a network that OpenSSH matches (`from=` of sshd(8)). @throws ChartgateError `usage` */
export function checkNetwork(text: string): void {
  const fault = faultOf(text);
  if (fault !== undefined) throw new ChartgateError('usage', `--from ${text}: ${fault}`);
}

function faultOf(text: string): string | undefined {
  const [address = '', length, ...more] = text.split('/');
  const family = isIP(address);
  // A zone is about an interface of whoever writes it; sshd knows none.
  if (family === 0 || address.includes('%') || more.length > 0)
    return 'must be an address or a network such as 192.0.2.0/24.';
  if (length === undefined) return undefined;
  const longest = family === 4 ? 32 : 128;
  const bits = Number(length);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length) || bits > longest)
    return `a network of this kind has from 0 to ${longest} bits.`;
  const groups = groupsOf(address, family);
  const width = family === 4 ? 8 : 16;
  const network = groups.map((group, at) => {
    const kept = Math.min(Math.max(bits - at * width, 0), width);
    return group & ~((1 << (width - kept)) - 1);
  });
  if (network.every((group, at) => group === groups[at])) return undefined;
  const meant = family === 4 ? network.join('.') : shortened(network);
  return `sets bits beyond its ${bits}, so that nobody would match; is ${meant}/${bits} meant?`;
}

/** Four bytes, or eight groups of 16 bits. */
function groupsOf(address: string, family: number): readonly number[] {
  if (family === 4) return address.split('.').map(Number);
  const [before = '', after] = shortest(address).split('::');
  const part = (text: string) =>
    text === '' ? [] : text.split(':').map((each) => Number.parseInt(each, 16));
  if (after === undefined) return part(before);
  const [first, last] = [part(before), part(after)];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function shortened(groups: readonly number[]): string {
  return shortest(groups.map((each) => each.toString(16)).join(':'));
}

/** RFC 5952, with every part in hexadecimal. */
function shortest(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
