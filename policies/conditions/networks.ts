/** IP networks as numbers (RFC 4632, RFC 4291), compared bit by bit. IPv4 and IPv6 never meet. */
export interface Network {
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  readonly text: string;
}

interface Address {
  readonly version: 4 | 6;
  readonly value: bigint;
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    // No leading zero: some readers take it for octal.
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256n + BigInt(part);
  }
  return value;
}

function parseV6(text: string): bigint | undefined {
  if (!/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...left, ...new Array<number>(missing).fill(0), ...right].reduce(
    (value, group) => value * 65_536n + BigInt(group),
    0n,
  );
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const found: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.') && index === parts.length - 1) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      found.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) found.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return found;
}

/** IPv4 addresses written as IPv6 (`::ffff:192.0.2.1`) are IPv4. */
export function parseAddress(text: string): Address | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { version: 4, value: v4 };
  const v6 = parseV6(text);
  if (v6 === undefined) return undefined;
  return v6 >> 32n === 0xffffn ? { version: 4, value: v6 & 0xffffffffn } : { version: 6, value: v6 };
}

/** A network or a single address; a text says what is wrong. */
export function parseNetwork(text: string): Network | string {
  const [written = '', length, ...more] = text.split('/');
  const address = parseAddress(written);
  if (address === undefined || more.length > 0)
    return 'must be a network such as 192.0.2.0/24 or 2001:db8::/32, or an address';
  if (written.includes(':') && address.version === 4)
    return 'is an IPv4 address written as IPv6; write it as IPv4';
  const bits = address.version === 4 ? 32 : 128;
  if (length !== undefined && (!/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits))
    return `must have a prefix length from 0 to ${bits}`;
  const host = BigInt(bits - (length === undefined ? bits : Number(length)));
  const mask = (1n << host) - 1n;
  if ((address.value & mask) !== 0n) return 'has bits set beyond its prefix length; write the network itself';
  return { version: address.version, first: address.value, last: address.value | mask, text };
}

export function contains(network: Network, address: Address): boolean {
  return (
    network.version === address.version && address.value >= network.first && address.value <= network.last
  );
}

/** Addresses among which there is one for every way in which the networks can hold or not hold an address. */
export function edgesOf(networks: readonly Network[]): readonly (Address | undefined)[] {
  const found: (Address | undefined)[] = [undefined];
  for (const { version, first, last } of networks) {
    const most = version === 4 ? 0xffffffffn : (1n << 128n) - 1n;
    for (const value of [first, last, first - 1n, last + 1n]) {
      if (value >= 0n && value <= most) found.push({ version, value });
    }
  }
  found.push({ version: 4, value: 0n }, { version: 6, value: 1n });
  return found;
}

export type { Address };

/** An address as a text, not shortened. */
export function textOf({ version, value }: Address): string {
  const parts = version === 4 ? 4 : 8;
  const bits = version === 4 ? 8n : 16n;
  const found = Array.from({ length: parts }, (_, i) => {
    const part = (value >> (bits * BigInt(parts - 1 - i))) & ((1n << bits) - 1n);
    return part.toString(version === 4 ? 10 : 16);
  });
  return found.join(version === 4 ? '.' : ':');
}
