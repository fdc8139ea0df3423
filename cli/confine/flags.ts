import { ChartgateError } from '../../contracts/errors.ts';
import { codePaths } from './code.ts';
import type { Needs } from './needs.ts';

/**
 * Node's command line for a process that can do no more than `needs` says: `--permission` denies files, the
 * network, child processes, threads, addons, WASI, FFI and the inspector, and the rest allows again.
 *
 * The network cannot be narrowed to addresses there, and a Unix socket counts as network; which addresses may
 * be reached is for the service manager. `node:sqlite` opens files without asking the permission model
 * (seen in 26.10), so that module is left out wherever the state is not in a SQLite file.
 * @throws ChartgateError `configuration-invalid` for a path that cannot be told to Node as it is
 */
export function confineFlags(needs: Needs): readonly string[] {
  return [
    '--permission',
    '--allow-net',
    ...(needs.children ? ['--allow-child-process'] : []),
    // What finds the addon's file for this system looks whether it is Alpine; where it may not, it throws.
    ...(needs.addons === true ? ['--allow-addons', ...allow('read', '/etc/alpine-release')] : []),
    ...[...codePaths(), ...needs.read].flatMap((path) => allow('read', path)),
    ...needs.write.flatMap((path) => allow('write', path)),
    ...(needs.sqlite === true ? [] : ['--no-experimental-sqlite']),
    '--no-experimental-ffi',
    '--no-experimental-webstorage',
    // Nobody may open the inspector of a running process by a signal.
    '--disable-sigusr1',
    // Said of `--allow-net`, `--allow-child-process` and `--allow-addons` at every start; all are decided above.
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=PERM0001',
    '--disable-warning=PERM0002',
  ].filter((flag, index, all) => all.indexOf(flag) === index);
}

function allow(what: 'read' | 'write', path: string): readonly string[] {
  // Node takes a star for "anything from here on", wherever it stands.
  if (path.includes('*')) {
    throw new ChartgateError(
      'configuration-invalid',
      `${path}: a path with "*" in it cannot be used, because Node's permission model would allow more than that path; rename it.`,
    );
  }
  return [`--allow-fs-${what}=${path.endsWith('/') ? `${path}*` : path}`];
}
