/** What the client commands print: lines for a person, or one JSON object per line. */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DeliveredMessage, ListedMessage, MessageWaiting } from '../client/connect.js';
import type { SpooledMessage } from '../client/connect.js';

const shownMax = 2_000;

export interface Output {
  /** One line for a person, or the object as JSON. */
  print(text: string, object: object): void;
}

export function createOutput(json: boolean): Output {
  return {
    print: (text, object) =>
      process.stdout.write(`${json ? JSON.stringify(object) : printable(text)}\n`),
  };
}

/** Text of others without what could move the cursor of a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, '?');
}

export function printMessage(output: Output, message: DeliveredMessage, file?: string): void {
  const { messageId, duplicate, from, subject, contentType, receivedAt, date, form, body } =
    message;
  const about = [
    from ?? 'unknown sender',
    receivedAt?.toISOString(),
    subject === undefined ? undefined : `"${subject}"`,
    contentType,
    `${octetsOf(message)} octets`,
    duplicate ? 'duplicate' : undefined,
  ];
  const line = about.filter((part) => part !== undefined).join(', ');
  const content = file ?? shown(contentType, body);
  output.print(content === '' ? line : `${line}\n  ${content}`, {
    event: 'message',
    ...{ messageId, duplicate, form, from, subject, contentType },
    ...{ receivedAt, date, octets: octetsOf(message) },
    ...(file === undefined ? { body: body.toString('base64') } : { file }),
  });
}

function octetsOf({ body, spooled }: DeliveredMessage): number {
  return spooled?.body.size ?? body.length;
}

export function printListed(output: Output, message: ListedMessage): void {
  const { id, from, subject, size, receivedAt, expiresAt } = message;
  const about = [
    id,
    from,
    receivedAt.toISOString(),
    subject === undefined ? undefined : `"${subject}"`,
    `${size} octets`,
    expiresAt === undefined ? undefined : `until ${expiresAt.toISOString()}`,
  ];
  const line = about.filter((part) => part !== undefined).join(', ');
  output.print(line, { event: 'listed', ...message });
}

export function printWaiting(output: Output, state: MessageWaiting): void {
  const counts = state.classes.map((each) => {
    const urgent = each.newUrgent === undefined ? '' : `, ${each.newUrgent} urgent`;
    return `${each.class}: ${each.new} new${urgent}, ${each.old} old`;
  });
  const added = state.messages.map((block) => block.map((field) => field.join(': ')).join(', '));
  const head = state.waiting ? 'messages waiting' : 'no messages waiting';
  const lines = [...counts, ...added.map((block) => `added: ${block}`)];
  output.print([head, ...lines.map((line) => `  ${line}`)].join('\n'), {
    event: 'waiting',
    ...state,
    messages: state.messages.map((block) => Object.fromEntries(block)),
  });
}

/** Writes bodies to a directory, byte by byte; the same message always gets the same name. */
export class BodyDirectory {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async at(directory: string): Promise<BodyDirectory> {
    await mkdir(directory, { recursive: true });
    return new BodyDirectory(directory);
  }

  /** On the disk when resolved, for the server forgets what it has delivered. */
  async write(message: DeliveredMessage): Promise<string> {
    const path = join(this.#directory, fileName(message));
    if (message.spooled) return unspooled(message.spooled, path);
    const file = await open(`${path}.part`, 'w');
    try {
      await file.writeFile(message.body);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
    return path;
  }
}

/** The body alone, out of the file with its encapsulation, which is done with then. */
async function unspooled({ path: spooled, body }: SpooledMessage, path: string): Promise<string> {
  const { offset, size } = body;
  const flush = { flush: true } as const;
  if (size === 0) await (await open(`${path}.part`, 'w')).close();
  else {
    const range = { start: offset, end: offset + size - 1 };
    await pipeline(createReadStream(spooled, range), createWriteStream(`${path}.part`, flush));
  }
  await rename(`${path}.part`, path);
  await unlink(spooled);
  return path;
}

function fileName({ messageId, contentType }: DeliveredMessage): string {
  const extension = contentType?.toLowerCase().startsWith('text/plain') ? 'txt' : 'bin';
  // An MSRP Message-ID is a safe name; a Call-ID may be anything.
  const safe = /^[A-Za-z0-9=+%-][A-Za-z0-9.=+%-]{0,63}$/.test(messageId)
    ? messageId
    : createHash('sha256').update(messageId).digest('hex').slice(0, 32);
  return `${safe}.${extension}`;
}

/** Text is shown, cut where it is long; anything else is named by its size above. */
function shown(contentType: string | undefined, body: Buffer): string {
  const isText = contentType === undefined || /^(text|message)\//i.test(contentType);
  if (!isText || body.includes(0)) return '';
  const text = body.subarray(0, shownMax).toString('utf8');
  return body.length > shownMax ? `${text}...` : text;
}
