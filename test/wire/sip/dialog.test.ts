/** Dialogs as values. */

import { describe, expect, test } from 'vitest';
import {
  dialogOfRequest,
  dialogOfResponse,
  requestTarget,
  routedTarget,
  updatedTarget,
} from '../../../src/wire/sip/dialog.js';
import type { SipDialog } from '../../../src/wire/sip/dialog.js';
import { codeOf, MANDATORY, request, response, withBody } from './message.js';

const recordRoute = [
  'Record-Route: <sip:p1.example.com;lr>, "P, 2" <sip:p2.example.com;lr>',
  'Record-Route: <sip:p3.example.net;lr>',
];
const contact = 'Contact: "Nia" <sip:nia@192.0.2.7:5070;transport=tcp>;expires=5';
const invite = request(
  withBody(['INVITE sip:b@h SIP/2.0', ...MANDATORY, 'CSeq: 9 INVITE', contact, ...recordRoute]),
);

describe('DLG-01', () => {
  test('the UAS takes the route set in order, the target from Contact', () => {
    expect(dialogOfRequest(invite, 'local')).toEqual({
      callId: 'c5d1f@ua.example.com',
      localTag: 'local',
      remoteTag: 'n1a',
      localUri: 'sip:tomas@example.net',
      remoteUri: 'sip:nia@example.com',
      remoteTarget: 'sip:nia@192.0.2.7:5070;transport=tcp',
      routeSet: [
        '<sip:p1.example.com;lr>',
        '"P, 2" <sip:p2.example.com;lr>',
        '<sip:p3.example.net;lr>',
      ],
      localCseq: 0,
      remoteCseq: 9,
    } satisfies SipDialog);
  });

  test('the UAC takes the route set reversed, the remote tag from To', () => {
    const lines = MANDATORY.map((line) => (line.startsWith('To') ? `${line};tag=remote` : line));
    const ok = response(
      withBody(['SIP/2.0 200 OK', ...lines, 'CSeq: 9 INVITE', contact, ...recordRoute]),
    );
    const sent = { callId: 'c5d1f@ua.example.com', localTag: 'n1a', localUri: 'sip:n@x', cseq: 9 };
    expect(dialogOfResponse(sent, ok)).toEqual({
      callId: 'c5d1f@ua.example.com',
      localTag: 'n1a',
      remoteTag: 'remote',
      localUri: 'sip:n@x',
      remoteUri: 'sip:tomas@example.net',
      remoteTarget: 'sip:nia@192.0.2.7:5070;transport=tcp',
      routeSet: [
        '<sip:p3.example.net;lr>',
        '"P, 2" <sip:p2.example.com;lr>',
        '<sip:p1.example.com;lr>',
      ],
      localCseq: 9,
      remoteCseq: 0,
    } satisfies SipDialog);
  });

  test.each([[[]], [['Contact: *']], [['Contact: "']]])('no dialog with %j', (lines) => {
    const message = request(
      withBody(['INVITE sip:b@h SIP/2.0', ...MANDATORY, 'CSeq: 9 INVITE', ...lines]),
    );
    expect(codeOf(() => dialogOfRequest(message, 'x'))).toBe('SIP_DIALOG');
  });

  test('a target refresh moves the target and nothing else', () => {
    const dialog = dialogOfRequest(invite, 'local');
    const lines = ['INVITE sip:b@h SIP/2.0', ...MANDATORY, 'CSeq: 10 INVITE'];
    const moved = updatedTarget(dialog, request(withBody([...lines, 'm: <sip:n@new>'])));
    expect(moved).toEqual({ ...dialog, remoteTarget: 'sip:n@new' });
    expect(updatedTarget(dialog, request(withBody(lines)))).toBe(dialog);
  });
});

describe('SIP-21: where a request goes (12.2.1.1)', () => {
  const target = 'sip:nia@192.0.2.7';

  test('without route set: to the target', () => {
    expect(routedTarget(target, [])).toEqual({ uri: target, route: [], nextHop: target });
  });

  test('a loose router: Request-URI kept, all routes in Route, first one is next', () => {
    const route = ['<sip:p1;lr;transport=tcp>', '<sip:p2>'];
    const dialog = { ...dialogOfRequest(invite, 'x'), remoteTarget: target, routeSet: route };
    expect(requestTarget(dialog)).toEqual({
      uri: target,
      route,
      nextHop: 'sip:p1;lr;transport=tcp',
    });
  });

  test('a strict router becomes the Request-URI, the target goes last', () => {
    expect(routedTarget(target, ['"S" <sip:p1;method=BYE;x=1?a=b>', '<sip:p2;lr>'])).toEqual({
      uri: 'sip:p1;x=1',
      route: ['<sip:p2;lr>', '<sip:nia@192.0.2.7>'],
      nextHop: 'sip:p1;method=BYE;x=1?a=b',
    });
  });

  test('a route that is no address is refused', () => {
    expect(codeOf(() => routedTarget(target, ['nonsense']))).toBe('SIP_ADDRESS');
    expect(codeOf(() => routedTarget(target, ['<sip:@>']))).toBe('SIP_URI');
  });
});
