/** Observed messages as data: SIP and MSRP that could be read, and what could not. */

import { WireError } from '../../wire/error.js';
import type { MsrpFlag, MsrpHead } from '../../wire/msrp/frame.js';
import { MsrpParser } from '../../wire/msrp/parse.js';
import type { SipMessage } from '../../wire/sip/message.js';
import { parseSip, parseSipHead } from '../../wire/sip/parse.js';
import type { Observed } from '../capture/observed.js';
import { httpMessageOf, type HttpMessage } from './xcap-exchange.js';

export interface SpokenSip {
  readonly kind: 'sip';
  readonly observed: Observed;
  readonly message: SipMessage;
  /** Its body is there to the last octet. */
  readonly whole: boolean;
}

export interface SpokenMsrp {
  readonly kind: 'msrp';
  readonly observed: Observed;
  readonly head: MsrpHead;
  /** Absent where the end was not seen. */
  readonly flag: MsrpFlag | undefined;
  readonly body: Buffer;
  readonly whole: boolean;
}

export interface SpokenHttp {
  readonly kind: 'http';
  readonly observed: Observed;
  readonly message: HttpMessage;
}

export interface Unreadable {
  readonly kind: 'unreadable';
  readonly observed: Observed;
  readonly code: string;
  readonly hint: string;
}

/** A message of which not even the whole head was captured. */
interface CutHead {
  readonly kind: 'cut';
  readonly observed: Observed;
}

export type Spoken = SpokenSip | SpokenMsrp | SpokenHttp | Unreadable | CutHead;

const sipLimits = { headerBytes: 1_048_576, headerFields: 4_096, bodyBytes: 1_073_741_824 };
const lineEnds = Buffer.from('\r\n\r\n');
const endLine = Buffer.from('\r\n-------');

/** Paths of MSRP, by how they are written. */
export type Paths = Map<string, readonly string[]>;

export function spokenOf(observed: Observed, paths: Paths): Spoken {
  if (isHeadCut(observed)) return { kind: 'cut', observed };
  try {
    if (observed.protocol === 'http') {
      return { kind: 'http', observed, message: httpMessageOf(observed) };
    }
    return observed.protocol === 'sip' ? spokenSip(observed) : spokenMsrp(observed, paths);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { kind: 'unreadable', observed, code: error.code, hint: error.hint };
  }
}

/** SIP up to its empty line, MSRP up to that or its end-line. */
function isHeadCut({ protocol, bytes, cut }: Observed): boolean {
  if (!cut || bytes.includes(lineEnds)) return false;
  return protocol !== 'msrp' || !bytes.includes(endLine);
}

/** Of a message that was cut, what is there. */
function spokenSip(observed: Observed): SpokenSip {
  const { bytes, cut } = observed;
  if (!cut) {
    return { kind: 'sip', observed, message: parseSip(bytes, sipLimits), whole: true };
  }
  const { message } = parseSipHead(bytes);
  const empty = message.header('content-length')?.trim() === '0';
  return { kind: 'sip', observed, message, whole: empty };
}

/** What is looked at: of many frames with the same paths these are kept once. */
function lean(head: MsrpHead, paths: Paths): MsrpHead {
  const [toPath, fromPath] = [head.toPath, head.fromPath].map((path) => {
    const name = path.join(' ');
    const known = paths.get(name) ?? path;
    paths.set(name, known);
    return known;
  });
  return { ...head, toPath: toPath!, fromPath: fromPath!, headers: [] };
}

function spokenMsrp(observed: Observed, paths: Paths): SpokenMsrp {
  let head: MsrpHead | undefined;
  let flag: MsrpFlag | undefined;
  let fault: WireError | undefined;
  const pieces: Buffer[] = [];
  const parser = new MsrpParser(
    {
      head: (read) => (head ??= lean(read, paths)),
      // A view of what was observed, which stays.
      body: (piece) => pieces.push(piece),
      end: (read) => (flag ??= read),
      fault: ({ error }) => (fault ??= error),
    },
    { headerLine: 65_536, headerSection: 262_144, headers: 1_024, otherBody: 1_048_576 },
  );
  parser.push(observed.bytes);
  if (head === undefined) {
    throw fault ?? new WireError('MSRP_START_LINE', 'no whole head of an MSRP frame');
  }
  return {
    ...{ kind: 'msrp', observed, head, flag },
    ...{
      body: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces),
      whole: !observed.cut && flag !== undefined,
    },
  };
}
