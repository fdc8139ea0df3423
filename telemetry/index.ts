/** Telemetry: counts what parts publish and shows it to Prometheus. It never affects a decision. */
export type { BuildInfo } from './exposition.ts';
export {
  createOperationsServer,
  createReadinessServer,
  type OperationsOptions,
  type OperationsServer,
  type Readiness,
} from './operations.ts';
export type { WorkerSnapshot } from './snapshot.ts';
export {
  type PoolState,
  startWorkerTelemetry,
  type WorkerTelemetry,
  type WorkerTelemetryOptions,
} from './worker.ts';
