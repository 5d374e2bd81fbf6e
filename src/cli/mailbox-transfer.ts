/** `mailbox export` and `import`: a mailbox of a running server as a file (U26). */

import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Command } from 'commander';
import { WireError } from '../wire/error.js';
import { MailboxStreamReader, mailboxStreamType } from '../wire/mailbox-stream/frame.js';
import {
  accountPath,
  fetchOctets,
  OperatorError,
  sendOctets,
  withConnection,
} from './admin-connection.js';
import type { ConnectionOptions, Print } from './admin-connection.js';
import { writeOctets } from './octet-file.js';

export function exportCommand(print: Print): Command {
  return withConnection(new Command('export').argument('<aor>').argument('<file>', '- is stdout'))
    .description('writes the mailbox out, every message byte for byte')
    .option('--after <serial>', 'without the messages up to that one')
    .action(
      async (
        aor: string,
        file: string,
        options: ConnectionOptions & { readonly after?: string },
      ) => {
        const query = options.after === undefined ? '' : `?after=${options.after}`;
        const octets = await fetchOctets(options, accountPath(aor, `/mailbox${query}`));
        const totals = { messages: 0, octets: 0, last: 0 };
        await writeOctets(proven(octets, totals), file);
        if (file !== '-') print(totals);
      },
    );
}

/** Cut off on its way it is an error, and no file. */
async function* proven(
  octets: AsyncIterable<Buffer>,
  totals: { messages: number; octets: number; last: number },
): AsyncGenerator<Buffer> {
  const reader = new MailboxStreamReader(crc32);
  try {
    for await (const piece of octets) {
      for (const frame of reader.feed(piece)) {
        if (frame.kind === 'message') totals.last = frame.record.serial;
        if (frame.kind === 'end') Object.assign(totals, frame.record);
      }
      yield piece;
    }
    reader.finish();
  } catch (error) {
    if (error instanceof WireError) throw new OperatorError(error.code, error.hint, 3);
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatorError('OPERATOR_UNREACHABLE', `the stream was cut off: ${why}`, 3);
  }
}

export function importCommand(print: Print): Command {
  return withConnection(new Command('import').argument('<aor>').argument('<file>'))
    .description('brings a mailbox in; a second time it changes nothing')
    .action(async (aor: string, file: string, options: ConnectionOptions) => {
      const octets = createReadStream(file);
      print(await sendOctets(options, accountPath(aor, '/mailbox'), mailboxStreamType, octets));
    });
}
