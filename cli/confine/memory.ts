/**
 * Environment for a process that computes Argon2 beside answering requests, where the C library is glibc
 * (mallopt(3); elsewhere it means nothing). Each hash takes 19 MiB. As the library is by itself, it gives them back
 * to the kernel after a hash and gets them anew for the next, page by page, and meanwhile whatever else the process
 * asks of the kernel for its memory waits. So the pages of one hash are kept for the next, in one arena for all threads.
 */
export const HASHING_MEMORY: Readonly<Record<string, string>> = Object.freeze({
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '33554432',
  MALLOC_TRIM_THRESHOLD_: '268435456',
});
