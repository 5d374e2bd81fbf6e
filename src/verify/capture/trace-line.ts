/** A message of this project's own trace, in which bodies are left out. */

import { headMax, type WireRecord } from '../trace-record.js';
import type { Observed } from './observed.js';
import { startAt } from './start.js';

const kinds = new Set<unknown>(['sip', 'msrp', 'xcap']);

export function isWireRecord(value: unknown): value is WireRecord {
  const { kind, at, direction, local, remote, head } = value as Partial<WireRecord>;
  const isNamed = typeof local === 'string' && typeof remote === 'string';
  const isMessage = kinds.has(kind) && typeof head === 'string';
  const isDirected = direction === 'in' || direction === 'out';
  return isMessage && isDirected && isNamed && typeof at === 'number' && Number.isFinite(at);
}

/** Undefined when its head is none. */
export function recordSeen(record: WireRecord, number: number): Observed | 'none' | undefined {
  const { kind, at, direction, head } = record;
  const local = withBrackets(record.local);
  const remote = withBrackets(record.remote);
  const [source, target] = direction === 'in' ? [remote, local] : [local, remote];
  if (kind === 'xcap') {
    const isHttp = /^(?:[A-Z]+ \S+ )?HTTP\/1\.[01](?: \d{3})?/.test(head);
    const http = { protocol: 'http', transport: 'tcp', ...httpBytes(head) } as const;
    return isHttp ? { number, at, source, target, ...http } : 'none';
  }
  const protocol = kind;
  const { bytes, cut } = protocol === 'sip' ? sipBytes(head) : msrpBytes(head);
  if (startAt(bytes, 0, bytes.length, true) !== protocol) return undefined;
  const transport = protocol === 'sip' ? sipTransport(head) : msrpTransport(head);
  return { number, at, protocol, transport, source, target, bytes, cut };
}

/** The trace writes a socket's address as the socket has it. */
function withBrackets(address: string): string {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^::ffff:(?=\d+\.)/, '');
  const isBare = host.includes(':') && !host.startsWith('[');
  return `${isBare ? `[${host}]` : host}${address.slice(colon)}`;
}

/** Without the empty line, which was there unless the head itself was too long. */
function sipBytes(head: string): { bytes: Buffer; cut: boolean } {
  const isHeadCut = head.length >= headMax;
  const length = /^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(head)?.[1];
  const bytes = Buffer.from(isHeadCut ? head : `${head}\r\n\r\n`, 'latin1');
  return { bytes, cut: isHeadCut || Number(length ?? 0) > 0 };
}

function msrpBytes(head: string): { bytes: Buffer; cut: boolean } {
  const isHeadCut = head.length >= headMax;
  return { bytes: Buffer.from(head, 'latin1'), cut: isHeadCut || head.includes('\r\n\r\n') };
}

function httpBytes(head: string): { bytes: Buffer; cut: boolean } {
  const { bytes, cut } = sipBytes(head);
  return { bytes, cut: cut || /^transfer-encoding[ \t]*:/im.test(head) };
}

/** The trace does not say it; the topmost Via does. */
function sipTransport(head: string): Observed['transport'] {
  const via = /^(?:via|v)[ \t]*:[ \t]*SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*(\w+)/im.exec(head)?.[1];
  const name = via?.toLowerCase();
  return name === 'tcp' || name === 'tls' || name === 'ws' || name === 'wss' ? name : 'udp';
}

function msrpTransport(head: string): Observed['transport'] {
  const [, secure, transport] = /^to-path:[ \t]*msrp(s?):[^\s;]*;(\w+)/im.exec(head) ?? [];
  const isWebSocket = transport?.toLowerCase() === 'ws';
  if (secure?.toLowerCase() === 's') return isWebSocket ? 'wss' : 'tls';
  return isWebSocket ? 'ws' : 'tcp';
}
