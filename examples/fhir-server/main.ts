import { createReadStream } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { asResource } from './resource.ts';
import { createFhirServer } from './server.ts';
import { Store } from './store.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    database: { type: 'string', default: ':memory:' },
    /** Resources to begin with: one JSON a line. */
    load: { type: 'string' },
  },
});

const store = new Store(values.database);
if (values.load !== undefined) {
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(values.load) })) lines.push(line);
  store.together(() => {
    for (const line of lines) {
      const resource = line === '' ? undefined : asResource(JSON.parse(line));
      if (resource !== undefined) store.write('PUT', resource.resourceType, resource.id, resource);
    }
  });
}
const server = createFhirServer(store);
server.listen(Number(values.port), '127.0.0.1', () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => {
    store.close();
    process.exit(0);
  });
});
