export { type CompiledPolicy, compilePolicy, type PolicyDefaults } from './compile.ts';
