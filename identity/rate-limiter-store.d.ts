// The base of the library's own stores, by which it is given others. Its types name the class among the package's
// exports; the package forgets to export it.
declare module 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js' {
  import { RateLimiterStoreAbstract } from 'rate-limiter-flexible';
  export default RateLimiterStoreAbstract;
}
