export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header field as HPACK writes one that no table has (RFC 7541 §6.2.2), without Huffman coding. */
export function literal(name: string, value: string): Buffer {
  const text = (part: string): Buffer[] => {
    let rest = part.length - 127;
    if (rest < 0) return [Buffer.from([part.length]), Buffer.from(part, 'latin1')];
    const size = [127];
    for (; rest >= 128; rest >>= 7) size.push((rest & 127) | 128);
    return [Buffer.from([...size, rest]), Buffer.from(part, 'latin1')];
  };
  return Buffer.concat([Buffer.from([0]), ...text(name), ...text(value)]);
}
