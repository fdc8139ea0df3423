export { createInjectionInspector } from './inspector.ts';
