/** From frames to messages: IP, UDP and TCP, and HEP in UDP. */

import { Connections } from './connections.js';
import type { Findings } from './conversation.js';
import { datagramOf, messageIn } from './datagram.js';
import { Fragments } from './fragments.js';
import type { Frame, Stamp } from './frame.js';
import { hepMessage, isHep } from './hep.js';
import { packetOf, type Packet } from './internet.js';
import { networkOf } from './link.js';
import { segmentOf } from './tcp-segment.js';

const tcp = 6;
const udp = 17;
const esp = 50;

export class Packets {
  readonly #findings: Findings;
  readonly #fragments: Fragments;
  readonly #connections: Connections;

  constructor(findings: Findings) {
    this.#findings = findings;
    this.#fragments = new Fragments(findings);
    this.#connections = new Connections(findings);
  }

  take(frame: Frame): void {
    const { remarks } = this.#findings;
    const { linkType, number } = frame;
    const network = networkOf(frame);
    if (network === 'none') return;
    if (network === undefined) {
      remarks.count(`frames of link type ${linkType}, which is not known`, number);
      return;
    }
    const packet = packetOf(network);
    if (packet === undefined) {
      remarks.count('broken IP packets', number);
      return;
    }
    const whole = this.#fragments.take(packet, frame);
    if (whole !== undefined) this.#takePacket(whole, frame);
  }

  /** The capture ends here. */
  end(): void {
    this.#fragments.end();
    this.#connections.end();
  }

  #takePacket(packet: Packet, stamp: Stamp): void {
    if (packet.protocol === udp) {
      this.#takeDatagram(packet, stamp);
      return;
    }
    if (packet.protocol === tcp) {
      const segment = segmentOf(packet);
      if (segment !== undefined) {
        this.#connections.take(segment, stamp);
        return;
      }
      this.#findings.remarks.count('broken TCP segments', stamp.number);
    } else if (packet.protocol === esp) {
      const { remarks, messages } = this.#findings;
      const { source, target } = packet;
      remarks.count('packets of IPsec, which cannot be read', stamp.number);
      messages.lose({ number: stamp.number, what: 'packets of IPsec', source, target });
    }
  }

  #takeDatagram(packet: Packet, stamp: Stamp): void {
    const datagram = datagramOf(packet);
    if (datagram === undefined) {
      this.#findings.remarks.count('broken UDP datagrams', stamp.number);
      return;
    }
    const { payload } = datagram;
    const message = isHep(payload)
      ? hepMessage(payload, stamp.number, this.#findings)
      : messageIn(datagram, stamp);
    if (message !== undefined) this.#findings.messages.add(message);
  }
}
