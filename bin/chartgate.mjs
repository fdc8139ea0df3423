#!/usr/bin/env node
// Runs under whatever Node the shell finds, and hands over to the runtime that came with the package
// when that one is too old for the product. Plain JavaScript, so that an old Node can read it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED = 26;
/** Exit code for "something of ours is missing or broken": cli/output.ts, `internal`. */
const INTERNAL = 70;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
// The repository runs from its sources; Node does not strip types inside node_modules, so a package from dist/.
const source = join(root, 'cli', 'main.ts');
const entry = existsSync(source) ? source : join(root, 'dist', 'cli', 'main.js');

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  await import(pathToFileURL(entry).href);
} else {
  handOver(packagedRuntime());
}

function packagedRuntime() {
  try {
    return createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    console.error(
      `chartgate: needs Node ${NEEDED} or later; this is ${process.version}, and the package "node" that brings one is not complete. Reinstall with install scripts allowed for it, or install Node ${NEEDED}.`,
    );
    process.exit(INTERNAL);
  }
}

/** Becomes, as far as anybody outside can tell, the process it starts: same signals, same end. */
function handOver(runtime) {
  const child = spawn(runtime, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];
  // A service manager signals this process, and a reload or a drain is for the one behind it.
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  child.once('error', (error) => {
    console.error(`chartgate: the packaged runtime cannot be started (${error.code}).`);
    process.exit(INTERNAL);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? INTERNAL);
    for (const each of signals) process.off(each, forward);
    process.kill(process.pid, signal);
    // Only for a signal that does not end a process by itself.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1000);
  });
}
