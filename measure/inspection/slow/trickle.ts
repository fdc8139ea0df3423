// Uploads that somebody may make, a byte a second each: a process of its own, so that it costs nobody else's time.
// Environment: TRICKLE_PORT, TRICKLE_HOST, TRICKLE_TOKEN, TRICKLE_CONNECTIONS, TRICKLE_RATE (connections a second).
import { connect } from 'node:tls';

const { TRICKLE_PORT, TRICKLE_HOST = '', TRICKLE_TOKEN, TRICKLE_CONNECTIONS, TRICKLE_RATE } = process.env;
let open = 0;

function one(): void {
  open += 1;
  const socket = connect({
    host: '127.0.0.1',
    port: Number(TRICKLE_PORT),
    servername: TRICKLE_HOST.split(':')[0] ?? '',
    // Whoever attacks does not look at certificates.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  socket.on('error', () => {});
  socket.resume();
  let timer: NodeJS.Timeout | undefined;
  socket.once('secureConnect', () => {
    socket.write(
      `PUT /fhir/Patient/1 HTTP/1.1\r\nHost: ${TRICKLE_HOST}\r\nAuthorization: Bearer ${TRICKLE_TOKEN}\r\nContent-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n{`,
    );
    timer = setInterval(() => socket.write(' '), 1000);
  });
  socket.once('close', () => {
    clearInterval(timer);
    open -= 1;
  });
}

setInterval(() => {
  for (let made = 0; made < Number(TRICKLE_RATE) / 10 && open < Number(TRICKLE_CONNECTIONS); made += 1) one();
}, 100);
