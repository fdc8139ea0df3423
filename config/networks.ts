import { isIP } from 'node:net';
import type { GatewaySettings } from '../contracts/settings.ts';
import type { View } from './view.ts';

/** Prefixes shorter than these are no networks of one's own proxies. */
const SHORTEST = { 4: 8, 6: 16 } as const;

/** Why a text is not a network of addresses; undefined when it is one, with no bit set behind its prefix. */
export function networkFault(text: string): string | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || more.length > 0) {
    return 'must be an IP address or a network such as 10.20.0.0/24 or fd00:20::/64';
  }
  if (prefix === undefined) return undefined;
  const length = Number(prefix);
  const whole = family === 4 ? 32 : 128;
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(prefix) || length > whole) {
    return `has a prefix that is no number from 0 to ${whole}`;
  }
  if (length < SHORTEST[family]) {
    return `is far too wide: whoever connects from it may say where a client is; name the proxies, or a network of at least /${SHORTEST[family]}`;
  }
  return hasHostBits(address, family, length)
    ? 'has bits set behind its prefix; write the first address of the network'
    : undefined;
}

function hasHostBits(address: string, family: 4 | 6, prefix: number): boolean {
  const bits = bitsOf(address, family);
  return bits === undefined || bits.slice(prefix).includes('1');
}

function bitsOf(address: string, family: 4 | 6): string | undefined {
  if (family === 4)
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  const url = URL.parse(`http://[${address}]/`);
  if (url === null) return undefined;
  const [head = '', tail] = url.hostname.slice(1, -1).split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - groups.length - rest.length }, () => '0');
  return [...groups, ...zeros, ...rest]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}

/** Whose word counts for where a client is. */
export function frontOf(listen: View): Pick<GatewaySettings['listen'], 'trustedProxies' | 'proxyProtocol'> {
  const list = listen.at('trustedProxies');
  for (const item of list.items) {
    const fault = item.text === undefined ? undefined : networkFault(item.text);
    if (fault !== undefined) item.fault(fault);
  }
  const protocol = listen.at('proxyProtocol');
  if (protocol.exists && !list.exists) {
    protocol.fault('needs "trustedProxies": the addresses that connections come from');
  }
  return {
    trustedProxies: list.exists ? list.texts : undefined,
    proxyProtocol: protocol.text === 'required' ? 'required' : undefined,
  };
}
