#!/usr/bin/env node
// Runs under whatever Node the shell finds, and hands over to the runtime that came with the package
// when that one is too old for the product. Plain JavaScript, so that an old Node can read it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 26;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiled = join(root, 'dist', 'cli', 'main.js');
const entry = existsSync(join(root, 'cli', 'main.ts')) ? join(root, 'cli', 'main.ts') : compiled;

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  await import(entry);
} else {
  let runtime;
  try {
    runtime = createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    console.error(
      `chartgate: needs Node ${NEEDED} or later; this is ${process.version}, and the package "node" that brings one is not installed. Run "npm ci" or install Node ${NEEDED}.`,
    );
    process.exit(70);
  }
  const child = spawnSync(runtime, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (child.signal) process.kill(process.pid, child.signal);
  process.exit(child.status ?? 70);
}
