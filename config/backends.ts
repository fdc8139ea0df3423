import type { BackendSettings } from '../contracts/settings.ts';
import { originFault } from './addresses.ts';
import { authorityOf } from './authority.ts';
import { keyPairOf } from './key-pair.ts';
import { type Surroundings, socketPath } from './references.ts';
import type { View } from './view.ts';

/** How one back end is reached. */
export type Transport = Omit<BackendSettings, 'connections'>;

/** Keys that mean something over TLS alone. */
const OF_TLS = ['authority', 'pinnedKeys', 'clientCertificate'] as const;

export function transportOf(view: View, around: Surroundings): Transport {
  const place = view.at('origin');
  const origin = place.text ?? '';
  const socket = view.at('unixSocket');
  const insecure = view.at('plainHttpBeyondLoopbackInsecurely');
  const fault = origin === '' ? undefined : originFault(origin, socket.exists || insecure.flag === true);
  if (fault !== undefined) place.fault(fault);
  const plain = origin.startsWith('http://');
  if (plain) {
    for (const key of OF_TLS)
      if (view.at(key).exists) view.at(key).fault('has no effect: the origin is plain http://', true);
    if (view.at('http2').flag === true)
      view.at('http2').fault('has no effect: the origin is plain http://, and HTTP/2 needs TLS here', true);
  }
  const needless = !plain || socket.exists || originFault(origin, false) === undefined;
  if (insecure.flag === true && needless)
    insecure.fault('has no effect: nothing goes over a network in plain http://', true);
  const pins = view.at('pinnedKeys');
  const certificate = view.at('clientCertificate');
  return {
    origin,
    authority: authorityOf(view.at('authority'), around),
    pinnedKeys: pins.exists ? pins.texts.map((pin) => pin.replace('sha256/', '')) : undefined,
    clientCertificate: certificate.exists ? keyPairOf(certificate, around) : undefined,
    http2: view.at('http2').flag === true ? true : undefined,
    unixSocket: socket.exists ? socketPath(socket, around) : undefined,
    plainHttpBeyondLoopback: insecure.flag === true ? true : undefined,
  };
}
