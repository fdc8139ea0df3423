import { hashOf } from '../lengths.ts';

/**
 * Under which factors are kept: a hash of who somebody is at which issuer, so that a dump names nobody and two
 * issuers' subjects never meet. Equal to a principal's `limitKey`.
 */
export const factorPrincipal = (issuer: string, subject: string): string => hashOf(issuer, subject);
