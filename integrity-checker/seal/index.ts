export { originOf } from './checkpoint.ts';
export { noteSigner, readVerifier, verifierText } from './note.ts';
export { guardedRows } from './rows.ts';
export { Sealer } from './sealer.ts';
export { openSealSession } from './session.ts';
