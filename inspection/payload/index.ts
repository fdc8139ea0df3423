export { createPayloadInspector, payloadFaults } from './inspector.ts';
