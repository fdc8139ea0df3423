export { type Checker, startChecker } from './checker.ts';
export { jsonLog, type Log, type LogLine } from './log.ts';
export { runChecker } from './process.ts';
export { type DatabaseStatus, readStatus } from './status.ts';
