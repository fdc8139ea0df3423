import type { Socket } from 'node:net';

/** PROXY protocol, version 2 (HAProxy's specification `proxy-protocol.txt`, §2.2): what a proxy in front says first. */
const SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const FIXED_BYTES = 16;
/** Addresses and TLVs together; the specification lets them be 64 KiB, of which nobody has any use. */
const MOST_BYTES = 2048;
const VERSION_2 = 0x20;
const LOCAL = 0x0;
const PROXY = 0x1;
const TCP4 = 0x11;
const TCP6 = 0x21;
const TLV_CRC32C = 0x03;

export type ProxyHeader =
  /** Somebody's connection, from this address. */
  | { readonly kind: 'client'; readonly address: string }
  /** The proxy's own, as for its health checks. */
  | { readonly kind: 'local' };

export type Preface =
  | { readonly kind: 'length'; readonly bytes: number }
  /** Not the beginning of a header that is taken here. */
  | { readonly kind: 'refused' };

/** How long the rest of a header is, by its first sixteen bytes. */
export function readPreface(bytes: Buffer): Preface {
  if (bytes.length !== FIXED_BYTES || !bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) {
    return { kind: 'refused' };
  }
  const command = bytes.readUInt8(12) - VERSION_2;
  if (command !== LOCAL && command !== PROXY) return { kind: 'refused' };
  const family = bytes.readUInt8(13);
  const length = bytes.readUInt16BE(14);
  if (length > MOST_BYTES) return { kind: 'refused' };
  // UNSPEC, datagrams and Unix sockets say nothing about where a client of ours is.
  if (command === PROXY && family !== TCP4 && family !== TCP6) return { kind: 'refused' };
  return { kind: 'length', bytes: length };
}

/**
 * A whole header, or `undefined` when any of it is not as it must be: addresses cut short, TLVs that do not end where the
 * header does, a checksum (CRC-32C, §2.2.3) that is wrong or there twice.
 */
export function readProxyHeader(fixed: Buffer, rest: Buffer): ProxyHeader | undefined {
  const preface = readPreface(fixed);
  if (preface.kind === 'refused' || preface.bytes !== rest.length) return undefined;
  const command = fixed.readUInt8(12) - VERSION_2;
  const family = fixed.readUInt8(13);
  // "The receiver must accept this connection as valid and must use the real connection endpoints" (§2.2).
  if (command === LOCAL) return { kind: 'local' };
  const addresses = family === TCP4 ? 12 : 36;
  if (rest.length < addresses || !soundExtensions(fixed, rest, addresses)) return undefined;
  return { kind: 'client', address: family === TCP4 ? dotted(rest) : plainAddress(colons(rest)) };
}

function dotted(bytes: Buffer): string {
  return `${bytes.readUInt8(0)}.${bytes.readUInt8(1)}.${bytes.readUInt8(2)}.${bytes.readUInt8(3)}`;
}

function colons(bytes: Buffer): string {
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
  if (mapped) return dotted(bytes.subarray(12));
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16)).join(':');
}

/** An IPv6 address in its shortest form (RFC 5952 §4), so that one client has one name; others as they are. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const { hostname } = new URL(`http://[${address}]/`);
  const plain = hostname.slice(1, -1);
  // An IPv4 address that was mapped into IPv6, in its own form.
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(plain);
  if (mapped === null) return plain;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function soundExtensions(fixed: Buffer, rest: Buffer, from: number): boolean {
  let checked = false;
  for (let at = from; at < rest.length; ) {
    if (at + 3 > rest.length) return false;
    const length = rest.readUInt16BE(at + 1);
    const end = at + 3 + length;
    if (end > rest.length) return false;
    if (rest.readUInt8(at) === TLV_CRC32C) {
      if (checked || length !== 4) return false;
      checked = true;
      const blank = Buffer.concat([fixed, rest]);
      blank.fill(0, FIXED_BYTES + at + 3, FIXED_BYTES + end);
      if (crc32c(blank) !== rest.readUInt32BE(at + 3)) return false;
    }
    at = end;
  }
  return true;
}

/** CRC-32C (RFC 3720, appendix B.4), bit by bit: once a connection, over less than two kilobytes. */
export function crc32c(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

/**
 * Reads a header off a connection that was just accepted, and not a byte more: what follows is TLS, and stays to be read.
 * `done` is called once, with `undefined` when there was no header to be taken within `limitMs`.
 */
export function receiveProxyHeader(
  socket: Socket,
  limitMs: number,
  done: (header: ProxyHeader | undefined) => void,
): void {
  let fixed: Buffer | undefined;
  const timer = setTimeout(() => finish(undefined), limitMs);

  function finish(header: ProxyHeader | undefined): void {
    clearTimeout(timer);
    socket.off('readable', look);
    socket.off('close', gone);
    socket.off('error', gone);
    done(header);
  }
  function gone(): void {
    finish(undefined);
  }
  function look(): void {
    if (fixed === undefined) {
      const bytes: Buffer | null = socket.read(FIXED_BYTES);
      if (bytes === null) return;
      fixed = bytes;
    }
    const preface = readPreface(fixed);
    if (preface.kind === 'refused') {
      finish(undefined);
      return;
    }
    // `read(0)` reads nothing at all.
    const rest: Buffer | null = preface.bytes === 0 ? Buffer.alloc(0) : socket.read(preface.bytes);
    if (rest !== null) finish(readProxyHeader(fixed, rest));
  }
  socket.on('readable', look);
  socket.on('close', gone);
  socket.on('error', gone);
}
