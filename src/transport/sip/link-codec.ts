/** What passes over a link as octets. Both ends are of one program, so nothing is versioned. */

import type { SipArrival, SipDeparture } from './link.js';
import type { SipTransport } from './options.js';

const transports: readonly SipTransport[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];
/** flow, port, transport, address length, names length. */
const arrivalHead = 10;
/** flow, id, port, transport, address length, domain length. */
const departureHead = 14;

/** Head and octets, to be sent one behind the other. */
export function encodeArrival(arrival: SipArrival): readonly [Buffer, Buffer] {
  const { flow, transport, address, port, names, bytes } = arrival;
  const named = names.join(',').slice(0, 0xffff);
  const head = Buffer.allocUnsafe(arrivalHead + address.length + named.length);
  head.writeUInt32LE(flow, 0);
  head.writeUInt16LE(port, 4);
  head[6] = transports.indexOf(transport);
  head[7] = address.length;
  head.writeUInt16LE(named.length, 8);
  head.write(address, arrivalHead, 'latin1');
  head.write(named, arrivalHead + address.length, 'latin1');
  return [head, bytes];
}

export function decodeArrival(frame: Buffer): SipArrival {
  const names = arrivalHead + frame[7]!;
  const body = names + frame.readUInt16LE(8);
  return {
    flow: frame.readUInt32LE(0),
    port: frame.readUInt16LE(4),
    transport: transports[frame[6]!]!,
    address: frame.toString('latin1', arrivalHead, names),
    names: body === names ? [] : frame.toString('latin1', names, body).split(','),
    bytes: frame.subarray(body),
  };
}

export function encodeDeparture(departure: SipDeparture): readonly [Buffer, Buffer] {
  const { flow, id, transport, address, port, domain, bytes } = departure;
  const head = Buffer.allocUnsafe(departureHead + address.length + domain.length);
  head.writeUInt32LE(flow, 0);
  head.writeUInt32LE(id, 4);
  head.writeUInt16LE(port, 8);
  head[10] = transports.indexOf(transport);
  head[11] = address.length;
  head.writeUInt16LE(domain.length, 12);
  head.write(address, departureHead, 'latin1');
  head.write(domain, departureHead + address.length, 'latin1');
  return [head, bytes];
}

export function decodeDeparture(frame: Buffer): SipDeparture {
  const domain = departureHead + frame[11]!;
  const body = domain + frame.readUInt16LE(12);
  return {
    flow: frame.readUInt32LE(0),
    id: frame.readUInt32LE(4),
    port: frame.readUInt16LE(8),
    transport: transports[frame[10]!]!,
    address: frame.toString('latin1', departureHead, domain),
    domain: frame.toString('latin1', domain, body),
    bytes: frame.subarray(body),
  };
}
