/**
 * A bare SIP peer that hears everything once. On a busy machine a server sends again over UDP what
 * the peer has not read yet (RFC 3261 17.1, 13.3.1.4): the same octets, which no test waits for.
 * What the peer itself sends again may be answered again.
 */

import type { ServerParts } from '../../src/server.js';
import { openSipPeer, Queue, type SipArrival, type SipPeer } from '../../src/testing/sip-peer.js';
import type { SipMessage } from '../../src/wire/sip/message.js';

/** Where a test moves the clock, what the server sends again is its doing, and it is told of it. */
export function openPeer(parts: ServerParts = {}): Promise<SipPeer> {
  return parts.clock ? openSipPeer('udp') : openUnrepeatedPeer();
}

export async function openUnrepeatedPeer(address = '127.0.0.1'): Promise<SipPeer> {
  const peer = await openSipPeer('udp', address);
  const arrivals = new Queue<SipArrival>();
  const heard = new Set<string>();
  /** What the answers to a request were, by its branch. */
  const answers = new Map<string, string[]>();
  const pump = async (): Promise<never> => {
    for (;;) {
      const arrival = await peer.arrivals.next();
      const { message } = arrival;
      const octets = message.bytes.toString('latin1');
      if (heard.has(octets)) continue;
      arrivals.push(arrival);
      // A telephone that rings again has something new to say.
      if (message.kind === 'response' && message.status < 200) continue;
      heard.add(octets);
      if (message.kind === 'request') continue;
      const branch = branchIn(octets);
      answers.set(branch, [...(answers.get(branch) ?? []), octets]);
    }
  };
  void pump();
  const next = async (kind: string): Promise<SipMessage> => {
    const { message } = await arrivals.next();
    if (message.kind === kind) return message;
    throw new Error(`expected a ${kind}, came:\n${message.bytes.toString('latin1')}`);
  };
  return {
    ...peer,
    arrivals,
    send(to, bytes) {
      const octets = bytes.toString('latin1');
      if (!/^(ACK|CANCEL|SIP\/2\.0) /.test(octets)) {
        for (const answer of answers.get(branchIn(octets)) ?? []) heard.delete(answer);
      }
      peer.send(to, bytes);
    },
    nextRequest: () => next('request') as Promise<Extract<SipMessage, { kind: 'request' }>>,
    nextResponse: () => next('response') as Promise<Extract<SipMessage, { kind: 'response' }>>,
  };
}

function branchIn(octets: string): string {
  return /;branch=([^;,\s]+)/.exec(octets)?.[1] ?? '';
}
