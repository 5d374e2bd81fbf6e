/** What must hold for octets that are read as MSRP. */

import type { MsrpHead } from '../../src/wire/msrp/frame.js';
import { endLine, report, requestHead, response } from '../../src/wire/msrp/write.js';
import { parsePieces } from '../wire/msrp/events.js';
import type { MsrpTold } from '../wire/msrp/events.js';
import { chunkSize, mustEqual, refusedOr } from './oracle.js';

/** The same frames however the octets are cut; every head can be written and read again. */
export function runMsrp(bytes: Buffer): void {
  const whole = parsePieces([bytes]);
  const size = chunkSize(bytes);
  mustEqual(settled(parsePieces(pieces(bytes, size))), settled(whole), `chunks of ${size}`);
  for (const told of whole) if ('head' in told) headSurvives(told.head);
}

/** How much of a body is told before a fault that ends it depends on the chunks. */
function settled(told: readonly MsrpTold[]): readonly MsrpTold[] {
  return told.filter((event, index) => {
    const next = told[index + 1];
    return !('body' in event) || (next !== undefined && 'end' in next);
  });
}

function headSurvives(head: MsrpHead): void {
  if (!isWritable(head)) return;
  const written = refusedOr(() => wholeFrame(head));
  if (written === undefined) return;
  const [again] = parsePieces([written]);
  if (again === undefined || !('head' in again)) throw new Error('what was written is refused');
  const { headers: _, ...wanted } = head;
  const { headers: __, ...got } = again.head;
  mustEqual(got, wanted, 'head');
}

/** Peers may send what we never do: a body without type, a REPORT that asks for reports. */
function isWritable(head: MsrpHead): boolean {
  if (head.kind === 'response') return true;
  if (head.hasBody !== (head.contentType !== undefined)) return false;
  if (head.method === 'SEND') return true;
  const asksNothing = !head.successReport && head.failureReport === 'yes';
  return (
    !head.hasBody && asksNothing && head.byteRange !== undefined && head.status?.namespace === 0
  );
}

function wholeFrame(head: MsrpHead): Buffer {
  if (head.kind === 'response') return response(head);
  const { status, byteRange, contentType, hasBody, ...rest } = head;
  if (head.method === 'REPORT' && status !== undefined && byteRange !== undefined) {
    return report({ ...rest, byteRange, status: status.code, comment: status.comment });
  }
  const fields = {
    ...rest,
    headers: [],
    ...(byteRange && { byteRange }),
    ...(hasBody && contentType !== undefined && { contentType }),
  };
  const end = endLine(head.transactionId, '$');
  return Buffer.concat([requestHead(fields), end]);
}

function pieces(bytes: Buffer, size: number): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) cut.push(bytes.subarray(at, at + size));
  return cut;
}
