import { startWorkerTelemetry } from '../../../telemetry/index.ts';
import { publish, requestEvent } from './events.ts';

/** A gateway worker in small: publishes what it is told to and answers for its snapshot over IPC. */
const [worker = '', requests = '0', state = 'intact'] = process.argv.slice(2);
const telemetry = startWorkerTelemetry({
  worker,
  pools: () => [
    {
      tenant: 'clinic-a',
      origin: 'http://127.0.0.1:9001',
      index: 0,
      healthy: true,
      retries: 3,
      connected: 3,
      free: 1,
      pending: 0,
      running: 2,
      ejected: false,
    },
    {
      tenant: 'clinic-a',
      origin: 'http://127.0.0.1:9002',
      index: 1,
      healthy: false,
      retries: 0,
      connected: 1,
      free: 1,
      pending: 0,
      running: 0,
      ejected: true,
    },
  ],
});
for (let i = 0; i < Number(requests); i += 1) publish('request', requestEvent());
publish('attestation', {
  database: 'emr-a',
  state,
  seconds: 0.0006,
  findings: state === 'intact' ? [] : ['trigger-missing'],
});
process.on('message', () => {
  void telemetry.snapshot().then((snapshot) => process.send?.(snapshot));
});
process.send?.('ready');
