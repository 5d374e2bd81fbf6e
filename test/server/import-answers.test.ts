/** What a shard does with an import that is cut off, fails in its middle, or is one too many. */

import { expect, test } from 'vitest';
import type { MailboxImport } from '../../src/ports.js';
import { importAnswers } from '../../src/server/import-answers.js';
import type { MessageRecord } from '../../src/wire/mailbox-stream/record.js';

const record = {} as MessageRecord;

class Mailbox implements MailboxImport {
  ended = false;
  read = 0;
  readonly #failsAt: number;

  constructor(failsAt = Infinity) {
    this.#failsAt = failsAt;
  }

  readonly isKnown = (): boolean => false;
  readonly admit = (): Promise<void> => Promise.resolve();

  async take(_record: MessageRecord, content: Parameters<MailboxImport['take']>[1]) {
    for (let at = 0; at < content.size;) {
      const piece = await content.read(at, 10);
      at += piece.length;
      this.read += piece.length;
      if (at >= this.#failsAt) throw new Error('the disk is full');
    }
    return 'kept' as const;
  }

  readonly end = (): void => {
    this.ended = true;
  };
}

function answering(mailboxes: readonly Mailbox[]) {
  const rest = [...mailboxes];
  const answers = importAnswers(() => ({ beginImport: () => Promise.resolve(rest.shift()!) }));
  return (name: string, ...told: readonly unknown[]): Promise<unknown> =>
    Promise.resolve().then(() => answers[name]!(...(told as readonly never[])));
}

test('U26: a large message comes in pieces, each answered when it was read', async () => {
  const mailbox = new Mailbox();
  const ask = answering([mailbox]);
  await ask('importBegin', 'bob@example.org', 1);
  await ask('importOpen', 1, record, 25);
  for (const [octets, read] of [
    [10, 10],
    [10, 20],
    [5, 25],
  ] as const) {
    await ask('importPiece', 1, Buffer.alloc(octets));
    expect(mailbox.read).toBe(read);
  }
  expect(await ask('importClose', 1)).toBe('kept');
  await ask('importEnd', 1);
  expect(mailbox.ended).toBe(true);
});

test('U26: what fails in the middle of a message is told with its piece', async () => {
  const ask = answering([new Mailbox(10)]);
  await ask('importBegin', 'bob@example.org', 1);
  await ask('importOpen', 1, record, 1_000);
  const outcome = (async () => {
    for (let n = 0; n < 100; n++) await ask('importPiece', 1, Buffer.alloc(10));
  })();
  await expect(outcome).rejects.toThrow('the disk is full');
});

test('U26: an import that is cut off leaves nobody waiting, and a later question is refused', async () => {
  const mailbox = new Mailbox();
  const ask = answering([mailbox]);
  await ask('importBegin', 'bob@example.org', 1);
  await ask('importOpen', 1, record, 1_000);
  await ask('importPiece', 1, Buffer.alloc(10));
  await ask('importEnd', 1);
  expect(mailbox.ended).toBe(true);
  const unknown = ask('importPiece', 1, Buffer.alloc(10));
  await expect(unknown).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});

test('U26: of more than sixteen imports the one that began first is forgotten', async () => {
  const mailboxes = Array.from({ length: 17 }, () => new Mailbox());
  const ask = answering(mailboxes);
  for (const n of mailboxes.keys()) await ask('importBegin', 'bob@example.org', n);
  expect(mailboxes.map(({ ended }) => ended)).toEqual(mailboxes.map((_, n) => n === 0));
  const forgotten = ask('importAdmit', 0, 1, 1);
  await expect(forgotten).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await ask('importAdmit', 16, 1, 1);
});
