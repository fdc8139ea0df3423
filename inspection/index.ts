export { createInjectionInspector } from './injection/index.ts';
export { createPayloadInspector, payloadFaults } from './payload/index.ts';
