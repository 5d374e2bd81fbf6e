/** A retrieval whose SIP is in order, so that its MSRP need not be. */

import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { openSipPeer, responseTo } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipResponse } from '../../src/wire/sip/message.js';
import { parseSdp, sdpAttribute } from '../../src/wire/session-description.js';
import { uriOf } from '../../src/wire/sip/name-addr.js';
import { deferredHost } from './server.js';
import type { Place } from './server.js';

export interface Retrieval {
  /** Path of the server, for To-Path. */
  readonly to: string;
  /** Path of the client, for From-Path. */
  readonly from: string;
  /** Ends the dialog, unless the server has. */
  end(): Promise<void>;
}

let number = 0;

/** Calls the deferred messages of `aor`. The client is active: it opens the connection. */
export async function openRetrieval(server: Place, aor: string): Promise<Retrieval> {
  const peer = await openSipPeer('tcp');
  const from = `msrp://127.0.0.1:9/client${++number};tcp`;
  const callId = `retrieval-${number}-${peer.port}`;
  const request = (method: string, cseq: number, to: string, uri: string, body?: Buffer) =>
    serialiseRequest({
      method,
      uri,
      headers: [
        ['Via', `SIP/2.0/TCP 127.0.0.1:${peer.port};branch=z9hG4bK${callId}${method}`],
        ['Max-Forwards', '70'],
        ['From', `<${aor}>;tag=r${number}`],
        ['To', to],
        ['Call-ID', callId],
        ['CSeq', `${cseq} ${method}`],
        ['Contact', `<sip:client@127.0.0.1:${peer.port};transport=tcp>;+g.oma.sip-im`],
        ['P-Asserted-Identity', `<${aor}>`],
        ['Accept-Contact', '*;+g.oma.sip-im'],
        ...(body ? [['Content-Type', 'application/sdp'] as HeaderField] : []),
      ],
      ...(body && { body }),
    });
  const deferred = `sip:Deferred@${deferredHost}`;
  peer.send(server, request('INVITE', 1, `<${deferred}>`, deferred, offer(from)));
  const answer = await finalOf(peer.arrivals);
  const to = answer.header('To')!;
  if (answer.status !== 200) {
    peer.send(server, request('ACK', 1, to, deferred));
    await peer.close();
    throw new Error(`the retrieval was answered ${answer.status}`);
  }
  const contact = uriOf(answer.header('Contact'))!;
  peer.send(server, request('ACK', 1, to, contact));
  const path = sdpAttribute(parseSdp(answer.body).media[0]!, 'path')!;
  return {
    to: path,
    from,
    async end() {
      peer.send(server, request('BYE', 2, to, contact));
      await finalOf(peer.arrivals);
      await peer.close();
    },
  };
}

async function finalOf(
  arrivals: Awaited<ReturnType<typeof openSipPeer>>['arrivals'],
): Promise<SipResponse> {
  for (;;) {
    const { message, reply } = await arrivals.next();
    if (message.kind === 'request') reply(responseTo(message, 200));
    else if (message.status >= 200) return message;
  }
}

function offer(path: string): Buffer {
  return Buffer.from(
    [
      'v=0',
      'o=- 51 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      'm=message 9 TCP/MSRP *',
      'a=recvonly',
      'a=setup:active',
      'a=accept-types:message/sipfrag message/sip message/cpim',
      'a=accept-wrapped-types:*',
      `a=path:${path}`,
      '',
    ].join('\r\n'),
  );
}
