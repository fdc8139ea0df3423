import type { Client } from '../transport/client.ts';

/**
 * Calls once a request is over for its client, however it ended: its answer is out, its client is gone, it was cut, or
 * its tunnel is closed. At once where it is already.
 */
export function whenEnded(client: Client, over: () => void): void {
  const { request, response, upgrade } = client;
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    over();
  };
  if ('stream' in request) {
    // Node's HTTP/2 response tells of its stream's end only if nobody went around it.
    if (request.stream.destroyed || request.stream.closed) once();
    else request.stream.once('close', once);
    return;
  }
  // An answer that was written in full ends with `close` too; the connection of an upgrade ends with its tunnel.
  const { socket } = request;
  if (socket.destroyed) {
    once();
    return;
  }
  if (upgrade === undefined) response.once('close', once);
  socket.once('close', once);
  // A kept-alive connection serves many: what was for this one request does not stay with it.
  if (upgrade === undefined) response.once('close', () => socket.removeListener('close', once));
}
