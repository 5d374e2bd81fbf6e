/** Calls of ports as lines of a flow. */

import type { MsrpOutgoing } from '../ports.js';
import type { HeaderField } from '../wire/sip/message.js';
import { reasonPhrase } from '../wire/sip/reason.js';
import type { PortCall } from './simulated-ports.js';

export function describeCall(call: PortCall): string[] {
  switch (call.call) {
    case 'respond': {
      const { status, reason, headers, body, localTag, owner } = call.answer;
      const who = owner === undefined ? '' : `  (${owner})`;
      const tag = localTag === undefined ? '' : `  tag=${localTag}`;
      const line = `sip    ${call.transaction} ${status} ${reason ?? reasonPhrase(status)}`;
      return [`${line}${tag}${who}`, ...describeParts(headers, body)];
    }
    case 'request': {
      const { method, uri, owner, id, from, to, route, headers, body, dialog } = call.request;
      const line = `sip    ${method} ${uri}  (${owner} ${id})`;
      const fixed: HeaderField[] = dialog
        ? [['CSeq', String(dialog.localCseq)]]
        : [
            ['From', from],
            ['To', to],
          ];
      for (const value of route) fixed.push(['Route', value]);
      return [line, ...describeParts([...fixed, ...headers], body)];
    }
    case 'bye':
      return [`sip    BYE  (${call.owner})`, ...describeParts(call.headers, undefined)];
    case 'forget':
      return [`sip    forget  (${call.owner})`];
    case 'connect':
      return [
        `msrp   ${call.active ? 'connect' : 'listen for'} ${call.path.join(' ')}  (${call.owner})`,
      ];
    case 'send':
      return describeSend(call.message);
    case 'release':
      return [`msrp   release  (${call.owner})`];
    case 'history.put':
      return [`xcap   +history ${call.history.reference} size=${call.history.size}`];
    case 'history.delete':
      return [`xcap   -history ${call.reference}`];
    case 'history.rebuild':
      return [`xcap   =history-list ${call.account}`];
    default:
      return call satisfies never;
  }
}

function describeSend(message: MsrpOutgoing): string[] {
  const { messageId, contentType, headers, content, session, successReport } = message;
  const report = successReport ? ' Success-Report' : '';
  const bytes = content.read(0, content.size);
  const body = Buffer.isBuffer(bytes) ? bytes : undefined;
  return [
    `msrp   SEND ${messageId} ${content.size} octets${report}  (${session})`,
    ...describeParts([...headers, ['Content-Type', contentType]], body),
  ];
}

function describeParts(headers: readonly HeaderField[], body: Buffer | undefined): string[] {
  const lines = headers.map(([name, value]) => `       ${name}: ${value}`);
  if (body && body.length > 0) {
    const text = body.toString().replace(/\r\n$/, '');
    for (const line of text.split('\r\n')) lines.push(`       | ${line}`.trimEnd());
  }
  return lines;
}
