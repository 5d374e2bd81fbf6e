/** What an MSRP parser tells, as a list. */

import { MsrpParser } from '../../../src/wire/msrp/parse.js';
import type { MsrpLimits } from '../../../src/wire/msrp/parse.js';
import type { MsrpHead } from '../../../src/wire/msrp/frame.js';

export type MsrpTold =
  | { readonly head: MsrpHead }
  | { readonly body: string }
  | { readonly end: string }
  | {
      readonly fault: {
        readonly code: string;
        readonly status: number;
        readonly fatal: boolean;
        readonly answered: boolean;
      };
    };

/** Bodies come as latin1, in one piece. */
export function parsePieces(pieces: readonly Buffer[], limits?: Partial<MsrpLimits>): MsrpTold[] {
  const told: MsrpTold[] = [];
  let body = '';
  const tell = (event: MsrpTold) => {
    if (body !== '') told.push({ body });
    body = '';
    told.push(event);
  };
  const parser = new MsrpParser(
    {
      head: (head) => tell({ head }),
      body: (bytes) => {
        body += bytes.toString('latin1');
      },
      end: (end) => tell({ end }),
      fault: ({ error, answer, fatal }) =>
        tell({
          fault: { code: error.code, status: error.status, fatal, answered: answer !== undefined },
        }),
    },
    limits,
  );
  for (const piece of pieces) parser.push(piece);
  if (body !== '') told.push({ body });
  return told;
}
