import { channel } from 'node:diagnostics_channel';
import { CHANNELS, type RequestEvent } from '../../../contracts/events.ts';

export function publish(name: keyof typeof CHANNELS, event: unknown): void {
  channel(CHANNELS[name]).publish(event);
}

export function requestEvent(change: Partial<RequestEvent> = {}): RequestEvent {
  return {
    tenant: 'clinic-a',
    route: 'patient-read',
    method: 'GET',
    outcome: 'permitted',
    reason: 'scope-present',
    status: 200,
    gatewaySeconds: 0.0004,
    backendSeconds: 0.003,
    ...change,
  };
}
