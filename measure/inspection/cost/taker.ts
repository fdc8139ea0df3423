import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** Takes every body, and answers that something was made of it. */
const [, , port, bodyFile] = process.argv;
const body = readFileSync(bodyFile ?? '');

createServer({ keepAliveTimeout: 0 }, (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(request.method === 'POST' ? 201 : 200, {
      'content-type': 'application/json',
      'content-length': body.length,
    });
    response.end(body);
  });
}).listen(Number(port), '127.0.0.1');
