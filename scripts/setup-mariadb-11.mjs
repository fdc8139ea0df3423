// A newer MariaDB than Debian stable's, from Debian unstable into .work/mariadb-11, for those who want the
// contract suites to run on it too (CHARTGATE_TEST_MARIADB_11=1). Nothing else needs it.
import { join } from 'node:path';
import { root, serverVersion, step, unpackFromUnstable } from './setup-unstable.mjs';

step('setup-mariadb-11', (say) => {
  const version = unpackFromUnstable({
    target: join(root, '.work/mariadb-11'),
    packages: ['mariadb-server-core', 'mariadb-client-core'],
    version: (target) => {
      const { text, major } = serverVersion(target, 'usr/sbin/mariadbd');
      if (major < 11) throw new Error(`Debian unstable holds MariaDB ${text}; 11 or later is expected.`);
      return text;
    },
    say,
  });
  say(`MariaDB ${version} is ready.`);
});
