// MySQL for the tests and the measurements (the demo does not need it): Debian stable has none, so the server
// and its client programs come from Debian unstable into .work/mysql-server. Idempotent; 40 ms when it is there.
import { join } from 'node:path';
import { root, serverVersion, step, unpackFromUnstable } from './setup-unstable.mjs';

step('setup-mysql', (say) => {
  const version = unpackFromUnstable({
    target: join(root, '.work/mysql-server'),
    // mysqlbinlog and mysql are in the client's package.
    packages: ['mysql-server-core', 'mysql-client-core'],
    version: (target) => {
      const { text, major } = serverVersion(target, 'usr/sbin/mysqld');
      if (major < 9) throw new Error(`Debian unstable holds MySQL ${text}; 9 or later is expected.`);
      return text;
    },
    say,
  });
  say(`MySQL ${version} is ready.`);
});
