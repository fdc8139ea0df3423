import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** The back end where nginx is not installed: one record, over plain HTTP on loopback. */
const [, , port, bodyFile] = process.argv;
const body = readFileSync(bodyFile ?? '');

createServer({ keepAliveTimeout: 0 }, (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/fhir+json', 'content-length': body.length });
  response.end(body);
}).listen(Number(port), '127.0.0.1');
