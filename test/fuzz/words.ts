/** Words of the formats, for the mutator to insert. */

export const sipWords = [
  ...['INVITE ', 'ACK ', 'BYE ', 'CANCEL ', 'MESSAGE ', 'OPTIONS ', 'REGISTER ', 'SUBSCRIBE '],
  ...['NOTIFY ', 'PUBLISH ', 'REFER ', 'UPDATE ', ' SIP/2.0\r\n', 'SIP/2.0 200 OK\r\n', '\r\n'],
  ...['Via: SIP/2.0/TCP [::1]:9;branch=z9hG4bK', ';rport', ';received=', ';branch=', ';tag='],
  ...['From: <sip:a@h>;tag=1\r\n', 'To: <sip:b@h>\r\n', 'Call-ID: 1\r\n', 'CSeq: 1 MESSAGE\r\n'],
  ...['Max-Forwards: 0\r\n', 'Content-Length: 0\r\n', 'l: 5\r\n', 'Route: <sip:h;lr>\r\n'],
  ...['Record-Route: <sip:h;lr>\r\n', 'Contact: *\r\n', 'Contact: <sip:c@h>;expires=0\r\n'],
  ...[
    'Require: 100rel\r\n',
    'Supported: timer\r\n',
    'Event: message-summary\r\n',
    'Expires: 0\r\n',
  ],
  ...['Accept-Contact: *;+g.oma.sip-im;require;explicit\r\n', 'Privacy: id\r\n', 'e: gzip\r\n'],
  ...['P-Asserted-Identity: <tel:+1>, <sip:a@h>\r\n', 'Content-Type: message/cpim\r\n'],
  ...['Content-Type: multipart/mixed;boundary=bb\r\n', 'Date: Fri, 20 Nov 2026 09:00:00 GMT\r\n'],
  ...['Authorization: Digest username="a", realm="r", nonce="n", uri="u", response="00"\r\n'],
  ...[
    'sips:',
    'tel:+1-201',
    '%00',
    '%zz',
    '%',
    '"\\"',
    '<',
    '>',
    '[::1]',
    '\r\n ',
    '\t',
    '__proto__',
  ],
] as const;

export const msrpWords = [
  ...['MSRP tx00009 SEND\r\n', 'MSRP tx00009 REPORT\r\n', 'MSRP tx00009 200 OK\r\n', 'MSRP '],
  ...['To-Path: {TO}\r\n', 'From-Path: {FROM}\r\n', 'Message-ID: m9\r\n', 'Status: 000 200 OK\r\n'],
  ...['Byte-Range: 1-*/*\r\n', 'Byte-Range: 1-5/5\r\n', 'Byte-Range: 1-0/0\r\n', ' AUTH\r\n'],
  ...[
    'Success-Report: yes\r\n',
    'Failure-Report: no\r\n',
    'Failure-Report: partial\r\n',
    '\r\n\r\n',
  ],
  ...['Content-Type: text/plain\r\n\r\n', 'Content-Type: message/cpim\r\n\r\n', 'Expires: 60\r\n'],
  ...['-------', '-------tx00001$\r\n', '-------tx00001+\r\n', '-------tx00001#\r\n', '\r\n', '\r'],
  ...['WWW-Authenticate: Digest realm="r", nonce="n"\r\n', 'Use-Path: msrp://h:1/a;tcp\r\n', '*'],
] as const;

export const bodyWords = [
  ...['v=0\r\n', 'o=- 1 1 IN IP4 127.0.0.1\r\n', 's=-\r\n', 't=0 0\r\n', 'c=IN IP6 ::1\r\n'],
  ...[
    'm=message 9 TCP/MSRP *\r\n',
    'm=audio 0 RTP/AVP 0\r\n',
    'a=path:msrp://127.0.0.1:9/x;tcp\r\n',
  ],
  ...['a=setup:active\r\n', 'a=accept-types:*\r\n', 'a=recvonly\r\n', 'a=msrp-cema\r\n'],
  ...['a=fingerprint:sha-256 00:11\r\n', '--bb\r\n', '--bb--\r\n', '\r\n\r\n', 'boundary='],
  ...['Content-Type: multipart/mixed;boundary=cc\r\n', 'NS: imdn <urn:ietf:params:imdn>\r\n'],
  ...['imdn.Message-ID: 1\r\n', 'imdn.Disposition-Notification: display\r\n', '\\u0000', '\\"'],
  ...['From: A <sip:a@h>\r\n', 'To: <sip:b@h>\r\n', 'DateTime: 2026-11-20T09:00:00Z\r\n'],
  ...['<?xml version="1.0"?>', '<!DOCTYPE a [<!ENTITY e "e">]>', '<![CDATA[', ']]>', '<!--', '-->'],
  ...['<list>', '</list>', '<entry uri="sip:a@h"/>', ' xmlns="urn:ietf:params:xml:ns:x"', '&amp;'],
  ...['&#0;', '&#x10ffff;', 'xmlns:p="p"', '<p:a/>', 'Messages-Waiting: yes\r\n'],
  ...['Message-Account: sip:a@h\r\n', 'Pager-Message: 1/2 (3/4)\r\n', '4294967296', '\ufeff'],
] as const;
