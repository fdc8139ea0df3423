import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    // Two cores: many tests wait for something real (a time limit, a disk, a process that starts) more than they compute.
    maxWorkers: 3,
    // Real servers on two busy cores: what passes when it is tried again was late, not wrong. Said in the output.
    retry: process.env.CI === undefined ? 0 : 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
