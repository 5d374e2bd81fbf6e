/** The contract of SipPort: what every adapter must do, as cases without a test runner. */

import { strict as assert } from 'node:assert';
import { tagOf } from '../wire/sip/name-addr.js';
import {
  binaryCases,
  mergedCases,
  repeatedAcceptCases,
  routeCases,
  unknownByeCases,
} from './sip-port-capabilities.js';
import { responseTo } from './sip-peer.js';
import { contact, onEach, onUdp, type Scene, type SipPortCase } from './sip-port-scene.js';

export type { MakeSipPort, SipPortCase, SipPortUnderTest } from './sip-port-scene.js';

/**
 * What an adapter may leave to a stack below it that does otherwise. Each that is false is still
 * tested: for what the adapter then owes.
 */
export interface SipPortCapabilities {
  /** Bodies of any octets pass, and `request.bytes` is what was on the wire. Else: refused. */
  readonly binaryBodies: boolean;
  /** A merged request gets 482. Else: it is not handed up twice. */
  readonly answersMerged: boolean;
  /** A BYE outside any dialog is handed up. Else: it gets 481. */
  readonly handsUpUnknownBye: boolean;
  /** The Route of a dialog by value is written. Else: the request goes to its first router. */
  readonly writesRoute: boolean;
  /** A 200 to INVITE is repeated over streams too. Else: over UDP. */
  readonly repeatsAcceptOnStreams: boolean;
}

/** An adapter that does everything itself. */
export const everySipPortCapability: SipPortCapabilities = {
  binaryBodies: true,
  answersMerged: true,
  handsUpUnknownBye: true,
  writesRoute: true,
  repeatsAcceptOnStreams: true,
};

/** The cases that an adapter of these capabilities passes. */
export function sipPortContractOf(capabilities: SipPortCapabilities): readonly SipPortCase[] {
  return [
    ...commonCases,
    ...binaryCases(capabilities.binaryBodies),
    ...mergedCases(capabilities.answersMerged),
    ...unknownByeCases(capabilities.handsUpUnknownBye),
    ...routeCases(capabilities.writesRoute),
    ...repeatedAcceptCases(capabilities.repeatsAcceptOnStreams),
  ];
}

const commonCases: readonly SipPortCase[] = [
  ...onEach('SIP-06: an answer copies the request and adds one To tag', answerCopies),
  onUdp('TX-04: a retransmission gets the identical answer and no second delivery', absorbs),
  ...onEach('an answer to an answered transaction is dropped', answeredOnce),
  ...onEach('DLG-01: a 200 to INVITE opens the dialog of its owner', dialogOpens),
  ...onEach('DLG-02: a lower CSeq inside a dialog gets 500', lowerCseq),
  ...onEach('DLG-05: BYE waits for the ACK of our 200', byeWaits),
  ...onEach('SIP-07: CANCEL gets 200, its INVITE 487', cancelled),
  ...onEach('a text is handed up and sent octet for octet', textOctets),
  ...onEach('forget: a dialog is dropped without a word', forgotten),
  ...onEach('SIP-20: a request has its mandatory fields and its response comes back', asked),
  ...onEach('D-12: a request that is passed on keeps its identifiers and hops', passedOn),
  ...onEach('TX-01: 64*T1 without a response is a failure', timesOut),
  ...onEach('an INVITE that is answered 200 is acknowledged; BYE ends it', inviteAndBye),
  ...onEach('bye of a pending INVITE is CANCEL after the first provisional response', byeCancels),
  ...onEach('bye without anything to end fails', byeNothing),
  ...onEach('a target that no one can reach is a failure', unreachable),
  ...onEach('stop lets a pending transaction end', stops),
];

/** The cases that an adapter passes which does everything itself. */
export const sipPortContract: readonly SipPortCase[] = sipPortContractOf(everySipPortCapability);

async function answerCopies({ tell, handler, port, peer }: Scene): Promise<void> {
  tell({ method: 'MESSAGE', branch: 'm1', cseq: 7, callId: 'c@h', fromTag: 'ft' });
  const { received } = await handler.next('request');
  assert.equal(received.peer.address, '127.0.0.1');
  assert.equal(received.peer.transport, peer.transport);
  assert.equal(received.owner, undefined);
  port.respond(received.transaction, { status: 202, headers: [['Server', 'x']], localTag: 'lt' });
  const response = await peer.nextResponse();
  assert.equal(response.status, 202);
  assert.match(response.header('Via')!, /branch=z9hG4bKm1/);
  assert.equal(response.header('From'), '<sip:alice@example.com>;tag=ft');
  assert.equal(response.header('To'), '<sip:bob@example.org>;tag=lt');
  assert.equal(response.header('Call-ID'), 'c@h');
  assert.equal(response.header('CSeq'), '7 MESSAGE');
  assert.equal(response.header('Server'), 'x');
}

async function absorbs({ tell, handler, port, peer, sut }: Scene): Promise<void> {
  tell({ method: 'MESSAGE', branch: 'r1' });
  const { received } = await handler.next('request');
  port.respond(received.transaction, { status: 202, headers: [] });
  const first = await peer.nextResponse();
  sut.advance(31_000);
  tell({ method: 'MESSAGE', branch: 'r1' });
  const second = await peer.nextResponse();
  assert.deepEqual(second.bytes, first.bytes);
  assert.equal(handler.told.length, 0);
}

async function answeredOnce({ tell, handler, port, peer }: Scene): Promise<void> {
  tell({ method: 'MESSAGE', branch: 'a1' });
  const first = await handler.next('request');
  port.respond(first.received.transaction, { status: 202, headers: [] });
  port.respond(first.received.transaction, { status: 500, headers: [] });
  tell({ method: 'MESSAGE', branch: 'a2', cseq: 2 });
  const second = await handler.next('request');
  port.respond(second.received.transaction, { status: 200, headers: [] });
  assert.equal((await peer.nextResponse()).status, 202);
  assert.equal((await peer.nextResponse()).status, 200);
}

async function dialogOpens({ establish, tell, handler, port, peer }: Scene): Promise<void> {
  const toTag = await establish('bob#push/1');
  tell({ method: 'ACK', branch: 'ack', toTag });
  assert.equal((await handler.next('acknowledged')).owner, 'bob#push/1');
  tell({ method: 'BYE', branch: 'bye', cseq: 2, toTag });
  const { received } = await handler.next('request');
  assert.equal(received.owner, 'bob#push/1');
  port.respond(received.transaction, { status: 200, headers: [] });
  const response = await peer.nextResponse();
  assert.equal(response.header('CSeq'), '2 BYE');
  assert.equal(tagOf(response.header('To')), toTag);
}

async function lowerCseq({ establish, tell, handler, peer }: Scene): Promise<void> {
  const toTag = await establish('o');
  tell({ method: 'ACK', branch: 'ack', toTag });
  await handler.next('acknowledged');
  tell({ method: 'INFO', branch: 'i5', cseq: 5, toTag });
  await handler.next('request');
  tell({ method: 'INFO', branch: 'i4', cseq: 4, toTag });
  const response = await peer.nextResponse();
  assert.equal(response.status, 500);
  assert.equal(response.header('CSeq'), '4 INFO');
}

async function byeWaits({ establish, tell, handler, port, peer }: Scene): Promise<void> {
  const toTag = await establish('o');
  port.bye('o', 'end', [['Reason', 'SIP;cause=200']]);
  tell({ method: 'ACK', branch: 'ack', toTag });
  await handler.next('acknowledged');
  const { message, reply } = await peer.arrivals.next();
  assert(message.kind === 'request');
  assert.equal(message.method, 'BYE');
  assert.equal(message.header('Reason'), 'SIP;cause=200');
  assert.equal(tagOf(message.header('From')), toTag);
  assert.equal(tagOf(message.header('To')), 'peer');
  reply(responseTo(message, 200));
  const { owner, id, response } = await handler.next('response');
  assert.deepEqual([owner, id, response.status], ['o', 'end', 200]);
}

async function cancelled({ tell, handler, port, peer }: Scene): Promise<void> {
  tell({ method: 'INVITE', branch: 'c1' });
  const { received } = await handler.next('request');
  assert.equal((await peer.nextResponse()).status, 100);
  tell({ method: 'CANCEL', branch: 'c1' });
  assert.equal((await handler.next('cancelled')).transaction, received.transaction);
  const first = await peer.nextResponse();
  const second = await peer.nextResponse();
  assert.deepEqual([first.status, first.header('CSeq')], [200, '1 CANCEL']);
  assert.deepEqual([second.status, second.header('CSeq')], [487, '1 INVITE']);
  port.respond(received.transaction, { status: 200, headers: contact, owner: 'o' });
  tell({ method: 'CANCEL', branch: 'c2', cseq: 2 });
  assert.equal((await peer.nextResponse()).status, 481);
}

async function textOctets({ tell, ask, peer, handler }: Scene): Promise<void> {
  const body = Buffer.from('Grüße, 😀\r\n\r\nund <mehr>\r\n');
  const headers = [['Content-Type', 'text/plain;charset=utf-8']] as const;
  tell({ method: 'MESSAGE', branch: 't1', headers, body });
  const { received } = await handler.next('request');
  assert.deepEqual(received.request.body, body);
  assert.equal(received.request.header('Content-Length'), String(body.length));
  ask({ method: 'MESSAGE', headers, body });
  assert.deepEqual((await peer.nextRequest()).body, body);
}

async function forgotten({ establish, tell, handler, port }: Scene): Promise<void> {
  const toTag = await establish('o');
  tell({ method: 'ACK', branch: 'ack', toTag });
  await handler.next('acknowledged');
  port.forget('o');
  tell({ method: 'INFO', branch: 'i2', cseq: 2, toTag });
  const { received } = await handler.next('request');
  assert.equal(received.owner, undefined);
}

async function asked({ ask, handler, peer }: Scene): Promise<void> {
  const headers = [
    ['Expires', '5'],
    ['Content-Type', 'text/plain'],
  ] as const;
  ask({ method: 'MESSAGE', id: 'q7', body: Buffer.from('hi'), headers });
  const { message, reply } = await peer.arrivals.next();
  assert(message.kind === 'request');
  assert.match(message.header('Via')!, /branch=z9hG4bK/);
  assert.equal(message.header('Max-Forwards'), '70');
  assert.equal(message.header('CSeq')!.split(' ')[1], 'MESSAGE');
  assert.ok(tagOf(message.header('From')));
  assert.equal(tagOf(message.header('To')), undefined);
  assert.equal(message.header('Expires'), '5');
  assert.equal(message.body.toString(), 'hi');
  reply(responseTo(message, 200, { tag: 't' }));
  const { owner, id, response } = await handler.next('response');
  assert.deepEqual([owner, id, response.status], ['o', 'q7', 200]);
}

async function passedOn({ ask, handler, peer }: Scene): Promise<void> {
  const identified = { callId: 'of-the-sender', cseq: 7, localTag: 'sender' };
  ask({ method: 'MESSAGE', headers: [['Max-Forwards', '16']], ...identified });
  const { message, reply } = await peer.arrivals.next();
  assert(message.kind === 'request');
  assert.deepEqual(message.fields('Max-Forwards'), ['16']);
  assert.equal(message.header('Call-ID'), 'of-the-sender');
  assert.equal(message.header('CSeq'), '7 MESSAGE');
  assert.equal(tagOf(message.header('From')), 'sender');
  reply(responseTo(message, 480, { tag: 't' }));
  assert.equal((await handler.next('response')).response.status, 480);
}

async function timesOut({ ask, handler, peer, sut }: Scene): Promise<void> {
  ask({ method: 'MESSAGE' });
  await peer.nextRequest();
  sut.advance(32_100);
  const { owner, id, cause } = await handler.next('failure');
  assert.deepEqual([owner, id, cause], ['o', 'q', 'timeout']);
}

async function inviteAndBye({ ask, handler, port, peer }: Scene): Promise<void> {
  ask({ method: 'INVITE', headers: contact });
  const invite = await peer.arrivals.next();
  assert(invite.message.kind === 'request');
  const target = `<sip:peer@${peer.address}:${peer.port};transport=${peer.transport}>`;
  const accepted = { tag: 'r', headers: [['Contact', target]] as const };
  invite.reply(responseTo(invite.message, 200, accepted));
  assert.equal((await handler.next('response')).response.status, 200);
  const ack = await peer.nextRequest();
  assert.deepEqual([ack.method, tagOf(ack.header('To'))], ['ACK', 'r']);
  invite.reply(responseTo(invite.message, 200, accepted));
  assert.equal((await peer.nextRequest()).method, 'ACK');
  port.bye('o', 'end', []);
  const bye = await peer.arrivals.next();
  assert(bye.message.kind === 'request');
  assert.equal(bye.message.method, 'BYE');
  bye.reply(responseTo(bye.message, 200));
  const { id, response } = await handler.next('response');
  assert.deepEqual([id, response.header('CSeq')], ['end', '2 BYE']);
}

async function byeCancels({ ask, handler, port, peer }: Scene): Promise<void> {
  ask({ method: 'INVITE', headers: contact });
  const invite = await peer.arrivals.next();
  assert(invite.message.kind === 'request');
  port.bye('o', 'end', []);
  invite.reply(responseTo(invite.message, 180));
  const provisional = await handler.next('response');
  assert.equal(provisional.response.status, 180);
  const cancel = await peer.arrivals.next();
  assert(cancel.message.kind === 'request');
  assert.equal(cancel.message.method, 'CANCEL');
  assert.equal(cancel.message.header('Via'), invite.message.header('Via'));
  cancel.reply(responseTo(cancel.message, 200, { tag: 'r' }));
  invite.reply(responseTo(invite.message, 487, { tag: 'r' }));
  assert.equal((await peer.nextRequest()).method, 'ACK');
  const refused = await handler.next('response');
  assert.deepEqual([refused.id, refused.response.status], ['q', 487]);
  const ended = await handler.next('response');
  assert.deepEqual([ended.id, ended.response.status], ['end', 487]);
}

async function byeNothing({ handler, port }: Scene): Promise<void> {
  port.bye('nobody', 'end', []);
  const { owner, id, cause } = await handler.next('failure');
  assert.deepEqual([owner, id, cause], ['nobody', 'end', 'transport']);
}

async function unreachable({ ask, handler }: Scene): Promise<void> {
  ask({ method: 'MESSAGE', uri: 'sips:them@127.0.0.1' });
  assert.equal((await handler.next('failure')).cause, 'transport');
}

async function stops({ tell, handler, port, peer }: Scene): Promise<void> {
  tell({ method: 'MESSAGE', branch: 's1' });
  const { received } = await handler.next('request');
  const stopped = port.stop(10_000);
  port.respond(received.transaction, { status: 202, headers: [] });
  await stopped;
  assert.equal((await peer.nextResponse()).status, 202);
}
