import { connect, isIP, type Socket } from 'node:net';

/**
 * A connected TCP stream for the driver to begin TLS on, that says whom it was connected to.
 *
 * For a host given as an IP address the driver (mysql2 3.24) names no host to `tls.connect`, and Node then
 * compares the certificate with `localhost`: any certificate for `localhost` that the authority ever issued
 * would pass for every address, and a right one for the address would not (RFC 9525, 6.3 and 6.5). Node takes
 * the name from the socket when that has one, as it does for sockets that it connected by name.
 */
export function streamTo(host: string, port: number): () => Socket {
  return () => {
    const socket = connect({ host, port });
    socket.setNoDelay(true);
    Object.defineProperty(socket, '_host', { value: host, configurable: true, writable: true });
    return socket;
  };
}

/** The driver's options that make it check the certificate against this host, be it a name or an address. */
export function identifiedStream(host: string, port: number): { readonly stream?: () => Socket } {
  return isIP(host) === 0 ? {} : { stream: streamTo(host, port) };
}
