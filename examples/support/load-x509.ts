type X509 = typeof import('@peculiar/x509');

let loading: Promise<X509> | undefined;

/**
 * Loads `@peculiar/x509`. Its dependency injection refuses to load without the decorator-metadata
 * functions of the `reflect-metadata` proposal, though it only asks them for metadata that its compiled
 * classes do not have. So they are there, answering "none", while it loads, and gone afterwards.
 */
export function loadX509(): Promise<X509> {
  loading ??= load();
  return loading;
}

async function load(): Promise<X509> {
  const none = { value: () => undefined, configurable: true, writable: true };
  const missing = ['getMetadata', 'getOwnMetadata'].filter((name) => !Reflect.has(Reflect, name));
  for (const name of missing) Object.defineProperty(Reflect, name, none);
  try {
    return await import('@peculiar/x509');
  } finally {
    for (const name of missing) Reflect.deleteProperty(Reflect, name);
  }
}
