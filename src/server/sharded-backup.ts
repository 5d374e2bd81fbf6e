/** `/v1/backup` of several shards: their stores one after the other, and the front last. */

import { writeBackupSet } from '../store/backup-set.js';
import type { NamedBackup } from '../store/backup-set.js';
import type { ShardQuestions } from './sharded-accounts.js';

/**
 * Each store as it was at one moment. That of the front comes later than those of the shards, so
 * that every number a shard has used is taken in it.
 */
export function shardedBackup(
  questions: ShardQuestions,
  front: () => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  return writeBackupSet(stores(questions, front));
}

function* stores(
  questions: ShardQuestions,
  front: () => AsyncIterable<Buffer>,
): Generator<NamedBackup> {
  for (let shard = 0; shard < questions.shards; shard++) {
    yield { name: `shard-${shard}`, octets: pieces(questions, shard) };
  }
  yield { name: 'front', octets: front() };
}

async function* pieces({ ask }: ShardQuestions, shard: number): AsyncGenerator<Buffer> {
  await ask(shard, 'backupBegin');
  try {
    for (;;) {
      const piece = (await ask(shard, 'backupNext')) as Uint8Array | undefined;
      if (!piece) return;
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
  } finally {
    // Whoever asked for it may have gone; a shard that is gone has ended it.
    await ask(shard, 'backupEnd').catch(() => undefined);
  }
}
