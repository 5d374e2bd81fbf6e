/** Our server with a rule of the standard broken by name, between the actors and the transports. */

import {
  createActors,
  createLog,
  createMsrpEndpoint,
  settingsOf,
  systemClock,
  systemRandom,
  version,
} from '../../../src/index.js';
import type {
  MsrpOutgoing,
  SipAnswer,
  SipOutgoing,
  SipPort,
  SipReceived,
} from '../../../src/ports.js';
import { createMemoryStore } from '../../../src/store/memory.js';
import { createSipEndpoint } from '../../../src/transport/sip/endpoint.js';
import type { SipRequest } from '../../../src/wire/sip/message.js';
import { parseSip } from '../../../src/wire/sip/parse.js';
import { hostname } from '../../e2e/world.js';

/** How a server is broken. What is not said is as it should be. */
export interface Breaking {
  /** The answer instead; undefined: none at all. */
  answer?(answer: SipAnswer, request: SipRequest): SipAnswer | undefined;
  /** The request instead; undefined: it is not sent. */
  request?(request: SipOutgoing): SipOutgoing | undefined;
  /** What the server takes the request for; undefined: it says 200 and does nothing. */
  received?(request: SipRequest): SipRequest | undefined;
  /** The messages instead. `isSelection`: the session is for those of a list. */
  send?(message: MsrpOutgoing, isSelection: boolean): readonly MsrpOutgoing[];
  /** Its connections are closed while it waits for the answer to a SEND, and it never says BYE. */
  readonly leaves?: true;
  /** SENDs of one turn leave in reverse. */
  readonly reverse?: true;
}

/** Until a SEND is written. */
const graceMs = 50;

export interface BrokenServer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startBroken(breaking: Breaking): Promise<BrokenServer> {
  const world = { clock: systemClock, random: systemRandom, log: createLog('silent') };
  const store = createMemoryStore();
  const endpoint = createSipEndpoint({
    ...world,
    listeners: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
  });
  const selections = new Set<string>();
  const msrp = createMsrpEndpoint({ ...world, host: '127.0.0.1', port: 0 });
  const send = msrp.send.bind(msrp);
  let held: MsrpOutgoing[] = [];
  let leaving: NodeJS.Immediate | undefined;
  const release = (): void => {
    for (const message of held.reverse()) send(message);
    held = [];
  };
  msrp.send = (message) => {
    const isSelection = selections.has(message.session);
    for (const one of breaking.send?.(message, isSelection) ?? [message]) {
      if (breaking.leaves === true) leaving ??= setImmediate(() => void msrp.stop(graceMs));
      if (breaking.reverse !== true) send(one);
      else if (held.push(one) === 1) setImmediate(release);
    }
  };
  const { limits } = settingsOf({ store: { directory: 'unused' } });
  const actors = createActors({
    ...{ ...world, store, msrp, limits, version, hostname },
    sip: broken(endpoint, breaking, selections),
    domains: ['example.org'],
    trustedPeers: ['127.0.0.1/32'],
  });
  await actors.start();
  await msrp.start(actors.msrpHandler);
  await broken(endpoint, breaking, selections).start(actors.sipHandler);
  return {
    port: endpoint.addresses[0]!.port,
    async stop() {
      await endpoint.stop(0);
      await actors.stop(0);
      if (leaving === undefined) await msrp.stop(0);
    },
  };
}

const requests = new WeakMap<SipPort, Map<string, SipRequest>>();

function broken(sip: SipPort, breaking: Breaking, selections: Set<string>): SipPort {
  const known = requests.get(sip) ?? new Map<string, SipRequest>();
  requests.set(sip, known);
  return {
    start: (handler) =>
      sip.start({
        request(received: SipReceived) {
          const { request, transaction } = received;
          known.set(transaction, request);
          const instead = breaking.received ? breaking.received(request) : request;
          if (instead) handler.request({ ...received, request: instead });
          else sip.respond(transaction, { status: 200, headers: [['SIP-ETag', 'none']] });
        },
        response: (owner, id, response) => handler.response(owner, id, response),
        failure: (owner, id, cause) => handler.failure(owner, id, cause),
        cancelled: (transaction) => handler.cancelled(transaction),
        acknowledged: (owner) => handler.acknowledged(owner),
        unacknowledged: (owner) => handler.unacknowledged(owner),
        expired: (owner) => handler.expired?.(owner),
      }),
    respond(transaction, answer) {
      const request = known.get(transaction)!;
      if (answer.owner !== undefined && request.header('Require') !== undefined) {
        selections.add(answer.owner);
      }
      const instead = breaking.answer ? breaking.answer(answer, request) : answer;
      if (instead) sip.respond(transaction, instead);
    },
    request(request) {
      const instead = breaking.request ? breaking.request(request) : request;
      if (instead) sip.request(instead);
    },
    bye: (owner, id, headers) => {
      if (breaking.leaves !== true) sip.bye(owner, id, headers);
    },
    forget: (owner) => sip.forget(owner),
    contactUri: (user, transport) => sip.contactUri(user, transport),
    stop: (graceMs) => sip.stop(graceMs),
  };
}

/** The same request with another text. */
export function altered(request: SipRequest, from: RegExp, to: string): SipRequest {
  const text = request.bytes.toString('latin1').replace(from, to);
  return parseSip(Buffer.from(text, 'latin1')) as SipRequest;
}
